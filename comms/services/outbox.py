"""The outbox: claim what is due, hand it over once, note what became of it.

A claim is one transaction: it locks messages, asks whether each may go out (consent.py), writes them and marks them
`sending`. Before a message is handed to the provider a transaction of its own marks `attempted_at`; the same one notes
what became of the messages before. So when a worker dies, what it claimed and did not attempt is queued again, and of
what it attempted without an answer nobody knows whether it went out: that is `unknown`, and a person decides.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client import Counter

from comms.channels.channel import AccountProblem, Sender, Session, Uncertain
from comms.channels.values import Outgoing, Receipt
from comms.models import ChannelAccount, Communication, MessageBatch, MessageStatus, Purpose
from comms.services.accounts import values_of
from comms.services.announcements import announce, announce_batch
from comms.services.consent import Later, Refused, judge_messages
from comms.services.schedule import read_settings
from comms.services.statuses import note_bounce
from comms.services.writing import Written, write_messages
from contacts.models import Contact
from contacts.services.touches import note_touch
from dnc.services.facts_store import SentMessage, note_sends
from vocelio.jobs.services import ring
from vocelio.organizations.scope import current_organization_id, organization_scope
from vocelio.plugins import PluginError

logger = logging.getLogger(__name__)

TASK = "comms.tasks.send_messages"
# A claim is as large as what was handed over within a second, so that what was asked is never older than that.
FIRST_CLAIM, LARGEST_CLAIM, SECONDS_A_CLAIM = 10, 250, 1.0
# Longer than any provider may take to answer.
CLAIMED_FOR = timedelta(minutes=3)
LEASE = timedelta(seconds=30)
# One run's length; the schedule rings again for what is left.
SECONDS_A_RUN = 50.0
MAX_ATTEMPTS = 5
HANDED_OVER = Counter(
    "vocelio_messages_handed_over", "Messages given to a provider, by what it said.", ["provider", "result"]
)
BACKOFF = (60, 300, 1800, 7200)
LONGEST_REST = 3600.0
# What keeps a message back that is no no of the person's or the law's.
OUR_FAULTS = {"MISSING_VARIABLE", "TEMPLATE_BROKEN", "HEADER_REFUSED", "ATTACHMENT_GONE", "ATTACHMENT_UNREACHABLE"}


@dataclass(frozen=True)
class Outcome:
    """What handing a message over came to."""

    message: Communication
    receipt: Receipt | None = None
    error: PluginError | None = None


def wake(account_id: uuid.UUID) -> None:
    """Have an account's messages sent once the transaction has committed; the schedule does it too."""
    organization_id = current_organization_id()
    transaction.on_commit(lambda: ring(organization_id, account_id, TASK))


def wake_due() -> int:
    """Ring for every account of every organization that has something to send; return how many."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id, account_id FROM channel_accounts_with_work()")
        rows = cursor.fetchall()
    for organization_id, account_id in rows:
        ring(organization_id, account_id, TASK)
    return len(rows)


def send_account(organization_id: uuid.UUID, account_id: uuid.UUID, *, seconds: float = SECONDS_A_RUN) -> int:
    """Send what an account has due; return how many were handed over. Nothing while another worker is at it."""
    with organization_scope(organization_id):
        settle_lost()
        number = _take_lease(account_id)
    if number is None:
        return 0
    try:
        return _Lane(organization_id, account_id, number).run(time.monotonic() + seconds)
    finally:
        with organization_scope(organization_id):
            held = ChannelAccount.objects.filter(pk=account_id, lease_number=number)
            held.update(lease_until=None)


def settle_lost() -> int:
    """Take back what dead workers held: queue again what was not attempted, call the rest unknown."""
    lost = Communication.objects.filter(status=MessageStatus.SENDING, claimed_until__lt=Now())
    rows = list(lost.select_for_update(skip_locked=True, of=("self",)).order_by("claimed_until")[:1000])
    for message in rows:
        if message.attempted_at is None:
            message.status, message.claimed_until = MessageStatus.QUEUED, None
        else:
            message.status, message.claimed_until = MessageStatus.UNKNOWN, None
            message.error_code = "WORKER_LOST"
            message.error_message = "The worker died while it handed the message over: it may have gone out."
        message.save(update_fields=["status", "claimed_until", "error_code", "error_message"])
        announce(message)
    return len(rows)


def _take_lease(account_id: uuid.UUID) -> int | None:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    rested = Q(resting_until__isnull=True) | Q(resting_until__lte=Now())
    sending = ChannelAccount.objects.get_queryset().sending()
    taken = sending.filter(free, rested, pk=account_id, is_active=True).update(
        lease_until=Now() + LEASE, lease_number=F("lease_number") + 1
    )
    return ChannelAccount.objects.values_list("lease_number", flat=True).get(pk=account_id) if taken else None


class _Lane:
    """One worker at one account."""

    def __init__(self, organization_id: uuid.UUID, account_id: uuid.UUID, number: int) -> None:
        self.organization_id, self.number = organization_id, number
        with organization_scope(organization_id):
            self.account: ChannelAccount = ChannelAccount.objects.get(pk=account_id)
            self.values = values_of(self.account)
        channel = self.account.channel
        if not isinstance(channel, Sender):
            raise TypeError(f"{channel.slug} sends nothing")
        self.channel = channel
        self.size = FIRST_CLAIM
        self.sent = 0
        self.told: dict[uuid.UUID, float] = {}
        self.width = self.channel.width(self.values)
        self.pool = ThreadPoolExecutor(self.width) if self.width > 1 else None

    def run(self, deadline: float) -> int:
        """Hand over until nothing is due, the account fails, or the time is up."""
        try:
            messages = self._claim()
            if messages:
                with self.channel.session(self.values) as session:
                    while messages:
                        began = time.monotonic()
                        self._deliver(session, messages)
                        self._resize(len(messages), time.monotonic() - began)
                        messages = self._claim() if time.monotonic() < deadline else []
        except AccountProblem as problem:
            self._rest(problem)
        finally:
            if self.pool is not None:
                self.pool.shutdown()
        return self.sent

    def _resize(self, number: int, seconds: float) -> None:
        possible = int(number * SECONDS_A_CLAIM / max(seconds, 0.001))
        self.size = max(1, min(possible, self.size * 2, LARGEST_CLAIM))

    def _claim(self) -> list[tuple[Communication, Outgoing]]:
        """Claim the next messages that may go out: written to one person first, then each batch's in turn."""
        while True:
            with organization_scope(self.organization_id):
                if not self._hold():
                    return []
                batch_ids = MessageBatch.objects.filter(
                    account=self.account, finished_at__isnull=True, paused_at__isnull=True, stopped_at__isnull=True
                ).values_list("pk", flat=True)
                claimed = looked = 0
                ready: list[tuple[Communication, Outgoing]] = []
                for batch_id in [None, *batch_ids.order_by("scheduled_at", "id")]:
                    if claimed >= self.size:
                        break
                    found = claim(self.account, batch_id, self.size - claimed)
                    looked += found.looked_at
                    ready += found.ready
                    claimed += len(found.ready)
                    if batch_id is not None:
                        self._tell(batch_id)
            if ready or not looked:
                return ready
            # Whoever may not be written to takes no time.
            self.size = min(self.size * 2, LARGEST_CLAIM)

    def _hold(self) -> bool:
        held = ChannelAccount.objects.filter(pk=self.account.pk, lease_number=self.number, is_active=True)
        return bool(held.update(lease_until=Now() + LEASE))

    def _deliver(self, session: Session, claimed: Sequence[tuple[Communication, Outgoing]]) -> None:
        """Hand the claimed messages over, group by group; what became of one group is noted as the next begins."""
        outcomes: list[Outcome] = []
        problem: AccountProblem | None = None
        for group in (claimed[start : start + self.width] for start in range(0, len(claimed), self.width)):
            with organization_scope(self.organization_id):
                self._settle(outcomes)
                begun = begin_attempts([message for message, _ in group])
                if self.channel.dnc_mode:
                    self._note([message for message, _ in group if message.pk in begun])
            outcomes = self._hand_over(session, [pair for pair in group if pair[0].pk in begun])
            problem = next((each.error for each in outcomes if isinstance(each.error, AccountProblem)), None)
            if problem is not None:
                break
        with organization_scope(self.organization_id):
            self._settle(outcomes)
            if problem is not None:
                release([message for message, _ in claimed])
            for batch_id in {message.batch_id for message, _ in claimed if message.batch_id}:
                self._tell(batch_id)
        if problem is not None:
            raise problem

    def _tell(self, batch_id: uuid.UUID) -> None:
        """Announce how a batch stands when it is through, and now and then before: its messages are counted for it."""
        now = time.monotonic()
        if finish_batch(batch_id) or now - self.told.get(batch_id, 0) > SECONDS_A_CLAIM:
            self.told[batch_id] = now
            announce_batch(MessageBatch.objects.get(pk=batch_id))

    def _note(self, messages: Sequence[Communication]) -> None:
        """Let the attempts count for what the law allows in a day, from this transaction on."""
        sends = [
            SentMessage(each.address, each.created_by_id, each.batch.name if each.batch is not None else "")
            for each in messages
        ]
        note_sends(sends, channel=self.channel.dnc_mode, caller=self.account.settings.get("from", ""))

    def _hand_over(self, session: Session, group: Sequence[tuple[Communication, Outgoing]]) -> list[Outcome]:
        def send(pair: tuple[Communication, Outgoing]) -> Outcome:
            message, outgoing = pair
            try:
                return Outcome(message, receipt=session.send(outgoing))
            except PluginError as error:
                return Outcome(message, error=error)

        run: Callable[..., Iterable[Outcome]] = self.pool.map if self.pool is not None else map
        return list(run(send, group))

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            result = (
                "accepted"
                if outcome.error is None
                else "uncertain"
                if isinstance(outcome.error, Uncertain)
                else "refused"
            )
            HANDED_OVER.labels(self.channel.slug, result).inc()
        settle_sent([outcome for outcome in outcomes if outcome.receipt is not None])
        for outcome in outcomes:
            if outcome.error is not None:
                settle_failed(outcome.message, outcome.error)
            if outcome.message.batch_id is None:
                announce(Communication.objects.get(pk=outcome.message.pk))
        accepted = sum(outcome.receipt is not None for outcome in outcomes)
        self.sent += accepted
        if accepted:
            ChannelAccount.objects.filter(pk=self.account.pk).update(last_sent_at=Now(), failures=0, resting_until=None)

    def _rest(self, problem: AccountProblem) -> None:
        """Leave the account alone for a while; each failure in a row doubles it."""
        with organization_scope(self.organization_id):
            release_claims(self.account)
            account = ChannelAccount.objects.select_for_update().get(pk=self.account.pk)
            seconds = problem.retry_after or min(15.0 * 2**account.failures, LONGEST_REST)
            account.failures += 1
            account.resting_until = timezone.now() + timedelta(seconds=seconds)
            account.last_error_code, account.last_error = problem.code[:60], str(problem)[:500]
            account.last_error_at = timezone.now()
            account.save(update_fields=["failures", "resting_until", "last_error_code", "last_error", "last_error_at"])


@dataclass(frozen=True)
class Claim:
    """How many messages were looked at, and which of them may go out."""

    looked_at: int
    ready: list[tuple[Communication, Outgoing]]


def claim(account: ChannelAccount, batch_id: uuid.UUID | None, limit: int) -> Claim:
    """Lock due messages and decide on each, in the open transaction: write it and mark it `sending`, put it off, or
    cancel it. Messages that another worker looks at are skipped."""
    due = (
        Communication.objects.get_queryset().due().filter(account=account, batch=batch_id)
        .select_for_update(skip_locked=True)
        .order_by("scheduled_at", "id").prefetch_related("version__template", "batch")
    )  # fmt: skip
    messages = list(due[:limit])
    if not messages:
        return Claim(0, [])
    if account.channel.dnc_mode:
        # One to a number at a time: the next is judged when this one counts as an attempt.
        messages = list({each.address: each for each in reversed(messages)}.values())[::-1]
    # A batch that was paused or cancelled a moment ago: this statement sees it, the one before may not have.
    if batch_id and MessageBatch.objects.filter(pk=batch_id).exclude(paused_at=None, stopped_at=None).exists():
        return Claim(0, [])
    rows = Contact.objects.alive().defer("search").filter(pk__in={each.contact_id for each in messages})
    contacts = {contact.pk: contact for contact in rows}
    now = timezone.now()
    rules = read_settings()
    answers = judge_messages(messages, contacts, account, rules, now)
    allowed = [message for message in messages if answers[message.pk] is None]
    written = write_messages(allowed, contacts, account, rules)
    _store_claims([message for message in allowed if isinstance(written[message.pk], Written)], written, now)
    for message in messages:
        answer = answers[message.pk] or written.get(message.pk)
        if isinstance(answer, Later):
            _put_off(message, answer)
        elif isinstance(answer, Refused):
            _refuse(message, answer)
    going = [(message, written[message.pk]) for message in allowed]
    return Claim(len(messages), [(message, each.outgoing) for message, each in going if isinstance(each, Written)])


def _store_claims(messages: Sequence[Communication], written: dict[uuid.UUID, Any], now: datetime) -> None:
    """Mark the messages `sending` with their texts, in one statement."""
    if not messages:
        return
    until = now + CLAIMED_FOR
    rows = [written[message.pk] for message in messages]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE communications AS message SET status = 'sending', claimed_until = %s, attempted_at = NULL,"
            " attempts = message.attempts + 1, error_code = '', error_message = '',"
            " subject = made.subject, body_text = made.body_text, body_html = made.body_html"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[]) AS made (id, subject, body_text, body_html)"
            " WHERE message.organization_id = %s AND message.id = made.id",
            [
                until,
                [message.pk for message in messages],
                [row.outgoing.subject for row in rows],
                [row.outgoing.text for row in rows],
                [row.stored_html for row in rows],
                current_organization_id(),
            ],
        )
    for message in messages:
        message.status, message.claimed_until, message.attempted_at = MessageStatus.SENDING, until, None
        message.attempts += 1


def _put_off(message: Communication, later: Later) -> None:
    message.scheduled_at, message.error_code = later.until, later.code
    message.error_message = {
        "QUIET_HOURS": "Waits for the hours in which the law lets this person be contacted.",
        "OUTSIDE_WINDOW": "Waits for the recipient's local hours.",
        "FREQUENCY_LAW": "Waits: the person was contacted as often within a day as the law allows.",
        "FREQUENCY_CAP": "Waits: the person has had as many messages as your rules allow.",
    }[later.code]
    message.save(update_fields=["scheduled_at", "error_code", "error_message"])


def _refuse(message: Communication, refused: Refused) -> None:
    message.status = MessageStatus.FAILED if refused.code in OUR_FAULTS else MessageStatus.CANCELLED
    message.error_code, message.error_message = refused.code, refused.reason[:500]
    message.save(update_fields=["status", "error_code", "error_message"])
    if message.batch_id is None:
        announce(message)


def begin_attempts(messages: Sequence[Communication]) -> set[uuid.UUID]:
    """Mark the messages as being handed over; return those that still are this claim's, which were not withdrawn."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE communications SET attempted_at = clock_timestamp(), claimed_until = clock_timestamp() + %s::interval"
            " WHERE organization_id = %s AND id = ANY(%s) AND status = 'sending' AND attempted_at IS NULL"
            " AND claimed_until = %s RETURNING id",
            [str(CLAIMED_FOR), current_organization_id(), [each.pk for each in messages], messages[0].claimed_until],
        )
        return {row[0] for row in cursor.fetchall()}


def settle_sent(outcomes: Sequence[Outcome]) -> None:
    """Note that the provider took these. What it has reported of one meanwhile stands further on and stays."""
    if not outcomes:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE communications AS message SET sent_at = coalesce(message.sent_at, now()), claimed_until = NULL,"
            " provider_id = CASE WHEN message.provider_id = '' THEN taken.provider_id ELSE message.provider_id END,"
            " status = CASE WHEN message.status IN ('sending', 'unknown') THEN 'sent' ELSE message.status END,"
            " error_code = CASE WHEN message.status IN ('sending', 'unknown') THEN '' ELSE message.error_code END,"
            " error_message = CASE WHEN message.status IN ('sending', 'unknown') THEN '' ELSE message.error_message END"
            " FROM unnest(%s::uuid[], %s::text[]) AS taken (id, provider_id)"
            " WHERE message.organization_id = %s AND message.id = taken.id AND message.attempted_at IS NOT NULL",
            [
                [outcome.message.pk for outcome in outcomes],
                [outcome.receipt.provider_id if outcome.receipt else "" for outcome in outcomes],
                current_organization_id(),
            ],
        )
    for outcome in outcomes:
        if outcome.message.purpose == Purpose.PERSONAL and outcome.message.contact_id:
            note_touch(contact_id=outcome.message.contact_id, at=timezone.now())


def settle_failed(message: Communication, error: PluginError) -> None:
    """Note why handing a message over failed, and what that means: never, later, or nobody knows."""
    rows = Communication.objects.filter(pk=message.pk)
    if isinstance(error, AccountProblem):
        # It was refused at the door: this message was not tried at all.
        _requeue(rows, error, timezone.now(), attempts=message.attempts - 1)
    elif isinstance(error, Uncertain):
        _end(rows, MessageStatus.UNKNOWN, error)
    elif error.permanent or message.attempts >= MAX_ATTEMPTS:
        bounced = message.channel == "email" and error.code.startswith("5.")
        _end(rows, MessageStatus.BOUNCED if bounced else MessageStatus.FAILED, error)
        if bounced:
            note_bounce(message, code=error.code, reason=str(error), is_permanent=error.code.startswith("5.1."))
    else:
        wait = error.retry_after or BACKOFF[min(message.attempts, len(BACKOFF)) - 1]
        _requeue(rows, error, timezone.now() + timedelta(seconds=wait), attempts=message.attempts)


def _end(rows: Any, status: MessageStatus, error: PluginError) -> None:
    rows.filter(status=MessageStatus.SENDING).update(
        status=status, error_code=error.code[:60], error_message=str(error)[:500], claimed_until=None
    )


def _requeue(rows: Any, error: PluginError, at: datetime, *, attempts: int) -> None:
    rows.filter(status=MessageStatus.SENDING).update(
        status=MessageStatus.QUEUED,
        scheduled_at=at,
        attempted_at=None,
        claimed_until=None,
        attempts=max(0, attempts),
        error_code=error.code[:60],
        error_message=str(error)[:500],
    )


def release(messages: Sequence[Communication]) -> None:
    """Queue again what was claimed and not attempted."""
    Communication.objects.filter(
        pk__in=[each.pk for each in messages], status=MessageStatus.SENDING, attempted_at__isnull=True
    ).update(status=MessageStatus.QUEUED, claimed_until=None, attempts=F("attempts") - 1)


def release_claims(account: ChannelAccount) -> None:
    """Queue again whatever is claimed of an account and not attempted: its only worker gives up."""
    Communication.objects.filter(account=account, status=MessageStatus.SENDING, attempted_at__isnull=True).update(
        status=MessageStatus.QUEUED, claimed_until=None, attempts=F("attempts") - 1
    )


def finish_batch(batch_id: uuid.UUID) -> bool:
    """Note that a batch is through, once it is queued and nothing of it waits; say whether that is so since now."""
    waiting = Communication.objects.filter(batch=batch_id, status__in=[MessageStatus.QUEUED, MessageStatus.SENDING])
    if waiting.exists():
        return False
    open_batch = MessageBatch.objects.filter(pk=batch_id, status="completed", finished_at=None)
    return bool(open_batch.update(finished_at=Now()))
