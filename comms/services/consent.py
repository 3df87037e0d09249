"""May this message go out now? Asked in the transaction that claims it, so that a no committed before is always heard."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Max, Q

from comms.models import (
    BouncedAddress,
    ChannelAccount,
    CommsSettings,
    Communication,
    Direction,
    Medium,
    MessageStatus,
    Purpose,
)
from comms.services.schedule import next_open, zones_of
from contacts.models import Contact
from dnc.models import Permission
from dnc.models.ledger import PermissionKind
from dnc.models.lists import Channel as DncChannel
from dnc.services.entries import blocked_emails
from dnc.services.verdict import Verdict, judge

# The one confirmation of an opt-out that the law allows goes out within this time or never.
CONFIRM_WITHIN = timedelta(minutes=5)
# Somebody who wrote to us this recently is answered, whatever registry the number stands in; not if they opted out.
ANSWER_WITHIN = timedelta(hours=24)
# How often it is asked whether the day in which the law counts contacts has passed.
ASK_AGAIN = timedelta(hours=1)
DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True)
class Refused:
    """It will never go out."""

    code: str
    reason: str


@dataclass(frozen=True)
class Later:
    """It may go out then."""

    until: datetime
    code: str


Answer = Refused | Later | None


def judge_messages(
    messages: Sequence[Communication],
    contacts: Mapping[uuid.UUID, Contact],
    account: ChannelAccount,
    rules: CommsSettings,
    at: datetime,
) -> dict[uuid.UUID, Answer]:
    """Return for each message of one account why it may not go out now; None where it may.

    Every question is one statement for all of them, begun in this transaction.
    """
    case = _Case(messages, contacts, account, rules, at)
    return {message.pk: case.answer(message) for message in messages}


class _Case:
    def __init__(
        self,
        messages: Sequence[Communication],
        contacts: Mapping[uuid.UUID, Contact],
        account: ChannelAccount,
        rules: CommsSettings,
        at: datetime,
    ) -> None:
        self.contacts, self.rules, self.at = contacts, rules, at
        self.medium, self.channel = account.medium, account.channel
        addresses = sorted({message.address for message in messages})
        bounced = BouncedAddress.objects.filter(medium=self.medium, address__in=addresses, is_suppressed=True)
        self.bounced = dict(bounced.values_list("address", "reason"))
        self.blocked = blocked_emails(addresses) if self.medium == Medium.EMAIL else set()
        self.verdicts: dict[str, Verdict] = {}
        self.wrote_at: dict[str, datetime] = {}
        self.agreed: set[str] = set()
        if self.channel.dnc_mode:
            self.verdicts = {verdict.input: verdict for verdict in judge(addresses, at=at)}
            self.wrote_at = self._wrote(messages)
            self.agreed = self._agreed(addresses) if self.channel.service_window_hours else set()
        self.sent = self._sent([each for each in messages if each.purpose == Purpose.BULK])

    def _wrote(self, messages: Sequence[Communication]) -> dict[str, datetime]:
        """Return when the people last wrote to us on this medium, as far as that is recent."""
        rows = Communication.objects.filter(
            contact__in={message.contact_id for message in messages if message.contact_id},
            direction=Direction.INBOUND,
            channel=self.medium,
            created_at__gt=self.at - ANSWER_WITHIN,
        )
        return dict(rows.order_by().values_list("address").annotate(Max("created_at")))

    def _agreed(self, addresses: Sequence[str]) -> set[str]:
        """Return the numbers whose owners agreed in writing to be written to on WhatsApp."""
        numbers = {int(address[1:]): address for address in addresses if address[1:].isdigit()}
        consents = (
            Permission.objects.get_queryset()
            .standing()
            .filter(
                number__in=list(numbers), kind=PermissionKind.CONSENT, channel__in=[DncChannel.ALL, DncChannel.WHATSAPP]
            )
        )
        today = self.at.date()
        return {
            numbers[number]
            for number, expires in consents.values_list("number", "expires_on")
            if expires is None or expires >= today
        }

    def _sent(self, messages: Sequence[Communication]) -> dict[uuid.UUID, list[datetime]]:
        """Return when the people were last written to in bulk, the newest first; what is claimed counts from now."""
        sent: dict[uuid.UUID, list[datetime]] = defaultdict(list)
        if not messages or (self.rules.cap_day is None and self.rules.cap_week is None):
            return sent
        rows = Communication.objects.filter(
            Q(attempted_at__gt=self.at - WEEK) | Q(status=MessageStatus.SENDING, attempted_at=None),
            contact__in={message.contact_id for message in messages if message.contact_id},
            purpose=Purpose.BULK,
        )
        for contact_id, moment in rows.order_by(F("attempted_at").desc()).values_list("contact_id", "attempted_at"):
            sent[contact_id].append(moment or self.at)
        return sent

    def answer(self, message: Communication) -> Answer:
        if message.contact_id and message.contact_id not in self.contacts:
            return Refused("CONTACT_GONE", "The contact is in the trash.")
        if message.address in self.bounced:
            return Refused("ADDRESS_BOUNCED", self.bounced[message.address] or "The address takes no messages.")
        if message.purpose == Purpose.CONFIRMATION:
            if message.created_at < self.at - CONFIRM_WITHIN:
                return Refused("TOO_LATE", "A confirmation of an opt-out goes out within five minutes.")
            return None
        refused = self._email(message) if self.medium == Medium.EMAIL else self._number(message)
        return refused or self._when(message)

    def _email(self, message: Communication) -> Refused | None:
        if message.address.lower() in self.blocked:
            return Refused("OPTED_OUT", "The person asked for no more e-mail.")
        return None

    def _number(self, message: Communication) -> Refused | None:
        verdict = self.verdicts.get(message.address)
        if verdict is None:
            return None
        mode = self.channel.dnc_mode
        is_answer = message.address in self.wrote_at
        if is_answer:
            for reason in verdict.decision.reasons:
                if reason["code"] == "company_list" and mode in reason["modes"]:
                    return Refused("OPTED_OUT", str(reason["message"]))
        elif not verdict.allows(mode) and not verdict.waits_for_cap(mode):
            return Refused("DNC", verdict.why_not(mode))
        return self._conversation(message) if self.channel.service_window_hours else None

    def _conversation(self, message: Communication) -> Refused | None:
        """Hold to what the provider asks: a template and a proof of opt-in to begin, anything within its window."""
        wrote = self.wrote_at.get(message.address)
        if wrote is not None and wrote > self.at - timedelta(hours=self.channel.service_window_hours):
            return None
        if message.version_id is None or not message.version.template.is_remote:
            return Refused(
                "OUTSIDE_WINDOW",
                f"The person has not written within {self.channel.service_window_hours} hours: use an approved template.",
            )
        if message.version.template.remote_status != "approved":
            return Refused("NOT_APPROVED", "The provider has not approved the template.")
        if message.address not in self.agreed:
            return Refused("NO_OPT_IN", "There is no proof that the person agreed to be written to here.")
        return None

    def _when(self, message: Communication) -> Later | None:
        contact = self.contacts.get(message.contact_id) if message.contact_id else None
        verdict = self.verdicts.get(message.address)
        if (
            verdict is not None
            and message.address not in self.wrote_at
            and not verdict.allows_now(self.channel.dnc_mode)
        ):
            if verdict.waits_for_cap(self.channel.dnc_mode):
                return Later(self.at + ASK_AGAIN, "FREQUENCY_LAW")
            seconds = verdict.decision.modes[self.channel.dnc_mode]["secondsUntil"]
            return Later(self.at + timedelta(seconds=seconds if seconds else 3600), "QUIET_HOURS")
        if message.in_window:
            phone = message.address if verdict is not None else (contact.phone if contact else None)
            opens = next_open(zones_of(phone or "", self.rules), self.rules, self.at)
            if opens > self.at:
                return Later(opens, "OUTSIDE_WINDOW")
        if message.purpose == Purpose.BULK and message.contact_id:
            return self._capped(message.contact_id)
        return None

    def _capped(self, contact_id: uuid.UUID) -> Later | None:
        moments = self.sent[contact_id]
        for cap, period in ((self.rules.cap_day, DAY), (self.rules.cap_week, WEEK)):
            within = [moment for moment in moments if moment > self.at - period]
            if cap is not None and len(within) >= cap:
                # When the oldest that is one too many has fallen out of the period.
                return Later((within[cap - 1] + period) if cap else self.at + period, "FREQUENCY_CAP")
        # Of several in one claim, each counts for the next.
        moments.insert(0, self.at)
        return None
