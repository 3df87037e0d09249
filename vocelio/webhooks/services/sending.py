"""Send deliveries: claimed by SKIP LOCKED, posted outside any transaction, settled in one; a dead worker's go out again.

An endpoint has one worker at a time and WIDTH requests under way, so a slow one holds up itself alone; one that fails
rests before the next try.
"""

import random
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx
from django.db.models import Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from vocelio.errors import VocelioError
from vocelio.jobs.services import forget_task, postpone_task, ring
from vocelio.organizations.scope import current_organization_id, organization_scope
from vocelio.outbound import outbound_client
from vocelio.webhooks.models import DeliveryStatus, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from vocelio.webhooks.services.bodies import NOT_SHOWN, refill
from vocelio.webhooks.services.doorbells import TASK
from vocelio.webhooks.services.endpoints import disable_endpoint
from vocelio.webhooks.signatures import sign

WIDTH = 4
TIMEOUT = 10.0
# The whole of a request, also where every byte comes in time.
LONGEST = 20.0
CLAIMED_FOR = timedelta(seconds=60)
LEASE = timedelta(seconds=60)
SECONDS_A_RUN = 10.0
# The waits the Standard Webhooks specification proposes: three days and three hours in all.
DELAYS = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
JITTER = 0.2
LONGEST_WAIT = 86_400
REST = timedelta(seconds=30)
# An endpoint that failed for so long is switched off.
PATIENCE = timedelta(days=3)
KEPT_OF_ANSWER = 1000
GONE = 410


@dataclass(frozen=True)
class Call:
    """One request, ready to be sent without the database."""

    delivery: WebhookDelivery
    attempt: WebhookAttempt
    body: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Outcome:
    """What a request came to; no status where no answer came."""

    call: Call
    duration_ms: int
    status: int | None = None
    text: str = ""
    error: str = ""
    retry_after: str = ""

    @property
    def is_delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def send_deliveries(organization_id: uuid.UUID, endpoint_id: uuid.UUID, *, seconds: float = SECONDS_A_RUN) -> int:
    """Send what an endpoint has due; return how many were delivered. Nothing while another worker is at it."""
    with organization_scope(organization_id):
        endpoint = _take_lease(endpoint_id)
    if endpoint is None:
        return 0
    delivered, deadline, works = 0, time.monotonic() + seconds, True
    while works and time.monotonic() < deadline:
        with organization_scope(organization_id):
            calls = _claim(endpoint_id)
        if not calls:
            break
        outcomes = _post(endpoint.url, calls)
        with organization_scope(organization_id):
            works = _settle(endpoint_id, outcomes)
        delivered += sum(outcome.is_delivered for outcome in outcomes)
    with organization_scope(organization_id):
        _let_go(endpoint_id)
    return delivered


def headers_of(delivery: WebhookDelivery, at: datetime) -> dict[str, str]:
    """Return what a delivery's request says of itself, but for the signature."""
    return {
        "content-type": "application/json",
        "user-agent": "Vocelio-Webhooks/1.0",
        "webhook-id": str(delivery.event_id),
        "webhook-timestamp": str(int(at.timestamp())),
    }


def _take_lease(endpoint_id: uuid.UUID) -> WebhookEndpoint | None:
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=Now())
    rested = Q(resting_until__isnull=True) | Q(resting_until__lte=Now())
    rows = WebhookEndpoint.objects.filter(free, rested, pk=endpoint_id, is_enabled=True)
    if not rows.update(lease_until=Now() + LEASE):
        if not WebhookEndpoint.objects.filter(pk=endpoint_id, is_enabled=True).exists():
            forget_task(endpoint_id)
        return None
    endpoint: WebhookEndpoint = WebhookEndpoint.objects.get(pk=endpoint_id)
    return endpoint


def _claim(endpoint_id: uuid.UUID) -> list[Call]:
    """Take the next deliveries, and note the attempts before they are made."""
    endpoint: WebhookEndpoint = WebhookEndpoint.objects.get(pk=endpoint_id)
    if not endpoint.is_enabled:
        return []
    due = WebhookDelivery.objects.get_queryset().due().filter(endpoint_id=endpoint_id)
    rows: list[WebhookDelivery] = list(
        due.select_for_update(skip_locked=True, of=("self",))
        .select_related("event")
        .order_by("next_attempt_at")[:WIDTH]
    )
    WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=DeliveryStatus.SENDING, next_attempt_at=Now() + CLAIMED_FOR
    )
    now = timezone.now()
    keys = [endpoint.secret]
    if endpoint.previous_until is not None and endpoint.previous_until > now:
        keys.append(endpoint.previous_secret)
    calls = []
    for row in rows:
        if not (row.event.body or refill(row.event)):
            _set_aside(row, now)
            continue
        body, headers = row.event.body, headers_of(row, now)
        headers["webhook-signature"] = sign(str(row.event_id), int(now.timestamp()), body, keys)
        calls.append(Call(row, WebhookAttempt(delivery=row, started_at=now), body, headers))
    WebhookAttempt.objects.bulk_create([call.attempt for call in calls])
    return calls


def _set_aside(delivery: WebhookDelivery, now: datetime) -> None:
    """Note an attempt that could not be made; the next one is later, as of any that fails."""
    attempt: WebhookAttempt = WebhookAttempt.objects.create(delivery=delivery, started_at=now)
    _note(Outcome(Call(delivery, attempt, "", {}), 0, error=NOT_SHOWN))


def _post(url: str, calls: Sequence[Call]) -> list[Outcome]:
    """Send all of them at once; whoever has not answered in LONGEST seconds has not answered."""
    began = time.monotonic()
    pool = ThreadPoolExecutor(WIDTH)
    try:
        # What it may take and how large it may be is bound; of an answer the beginning is read alone.
        with outbound_client([urlsplit(url).hostname or ""], timeout=TIMEOUT, max_seconds=LONGEST) as client:
            futures: list[Future[Outcome]] = [pool.submit(_send, client, url, call) for call in calls]
            wait(futures, timeout=LONGEST)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    spent = int((time.monotonic() - began) * 1000)
    return [
        future.result() if future.done() else Outcome(call, spent, error="No answer in time.")
        for call, future in zip(calls, futures, strict=True)
    ]


def _send(client: httpx.Client, url: str, call: Call) -> Outcome:
    began = time.monotonic()

    def spent() -> int:
        return int((time.monotonic() - began) * 1000)

    try:
        with client.stream("POST", url, content=call.body, headers=call.headers) as answer:
            text = b""
            for chunk in answer.iter_bytes():
                text += chunk
                if len(text) >= KEPT_OF_ANSWER:
                    break
            shown = text[:KEPT_OF_ANSWER].decode(errors="replace").replace("\0", "")
            error = "" if 200 <= answer.status_code < 300 else f"Answered {answer.status_code}."
            if 300 <= answer.status_code < 400:
                error = f"Answered {answer.status_code}; redirects are not followed."
            return Outcome(call, spent(), answer.status_code, shown, error, answer.headers.get("retry-after", ""))
    except httpx.TimeoutException:
        return Outcome(call, spent(), error=f"No answer in {TIMEOUT:.0f} seconds.")
    except (httpx.HTTPError, VocelioError) as problem:
        reason = problem.message if isinstance(problem, VocelioError) else str(problem)
        return Outcome(call, spent(), error=f"{type(problem).__name__}: {reason}"[:300])


def _settle(endpoint_id: uuid.UUID, outcomes: Sequence[Outcome]) -> bool:
    """Note what became of the requests; say whether the endpoint works."""
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
    if endpoint is None:
        # Deleted meanwhile, and its deliveries with it.
        return False
    for outcome in outcomes:
        _note(outcome)
    works = any(outcome.is_delivered for outcome in outcomes)
    if works:
        WebhookEndpoint.objects.filter(pk=endpoint_id).update(failing_since=None)
        return True
    now = timezone.now()
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.resting_until = now + max([REST, *(timedelta(seconds=_asked_wait(each)) for each in outcomes)])
    endpoint.save(update_fields=["failing_since", "resting_until"])
    if any(outcome.status == GONE for outcome in outcomes):
        disable_endpoint(endpoint, "The receiver answered 410 Gone.")
    elif now - endpoint.failing_since >= PATIENCE:
        disable_endpoint(endpoint, f"Every delivery has failed for {PATIENCE.days} days.")
    return False


def _note(outcome: Outcome) -> None:
    attempt, delivery = outcome.call.attempt, outcome.call.delivery
    WebhookAttempt.objects.filter(pk=attempt.pk).update(
        duration_ms=outcome.duration_ms,
        response_status=outcome.status,
        response_body=outcome.text,
        error=outcome.error,
    )
    # Unless the claim ran out and another worker settled it.
    held = WebhookDelivery.objects.filter(pk=delivery.pk, status=DeliveryStatus.SENDING)
    attempts = delivery.attempts + 1
    said = {"attempts": attempts, "response_status": outcome.status, "error": outcome.error}
    if outcome.is_delivered:
        held.update(status=DeliveryStatus.DELIVERED, delivered_at=Now(), next_attempt_at=None, **said)
    elif attempts > len(DELAYS) or outcome.status == GONE:
        held.update(status=DeliveryStatus.FAILED, next_attempt_at=None, **said)
    else:
        delay = DELAYS[attempts - 1] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - jitter, no secret
        at = timezone.now() + timedelta(seconds=max(delay, _asked_wait(outcome)))
        held.update(status=DeliveryStatus.PENDING, next_attempt_at=at, **said)


def _asked_wait(outcome: Outcome) -> int:
    """Return the seconds of a Retry-After; dates are not taken up."""
    return min(int(outcome.retry_after), LONGEST_WAIT) if outcome.retry_after.isdecimal() else 0


def _let_go(endpoint_id: uuid.UUID) -> None:
    """Give the endpoint back and set its doorbell to when something is due; forget it when nothing waits."""
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
    waiting = WebhookDelivery.objects.get_queryset().waiting().filter(endpoint_id=endpoint_id)
    due = waiting.aggregate(at=Min("next_attempt_at"))["at"]
    if endpoint is None or not endpoint.is_enabled or due is None:
        forget_task(endpoint_id)
    else:
        if endpoint.resting_until is not None:
            due = max(due, endpoint.resting_until)
        postpone_task(endpoint_id, due)
        if due <= timezone.now():
            # Behind what waits in the queue already: others' turns come first.
            ring(current_organization_id(), endpoint_id, TASK)
    WebhookEndpoint.objects.filter(pk=endpoint_id).update(lease_until=None)
