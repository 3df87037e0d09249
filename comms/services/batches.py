"""Messages to many: how many it would be, queue them by a job, pause, go on, call off."""

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from comms.channels.texts import segments
from comms.models import (
    ChannelAccount,
    Communication,
    CommunicationTemplate,
    Medium,
    MessageBatch,
    MessageStatus,
    TemplateVersion,
)
from comms.services.accounts import account_for
from comms.services.announcements import announce_batch
from comms.services.outbox import finish_batch, wake
from comms.services.templates import usable, version_of
from contacts.models.live import LiveContactQuerySet
from vocelio.access.principal import Principal, principal_of_member
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden, Invalid
from vocelio.jobs.services import cancel_job, enqueue_job, forget_task, promise_task, running
from vocelio.organizations.scope import organization_scope

CHUNK = 5_000
CANCEL_CHUNK = 10_000
CANCEL_TASK = "comms.tasks.call_off_batch"
Select = Callable[[Mapping[str, Any], Principal], LiveContactQuerySet]


def preview_batch(
    *, found: LiveContactQuerySet, template: CommunicationTemplate, account: ChannelAccount | None
) -> dict[str, Any]:
    """Return how many people a batch would reach and about what it would cost. Whoever said no is left out when it is sent."""
    account = account_for(template.channel, account or template.account)
    total = found.count()
    with_address = reachable(found, template.channel).count()
    version = version_of(template, template.version)
    parts = segments(version.body_text) if account.medium == Medium.SMS else 1
    return {
        "total": total,
        "with_address": with_address,
        "without_address": total - with_address,
        "parts": parts,
        "cost": str((account.price * parts * with_address).quantize(Decimal("0.01"))),
        "currency": account.currency,
    }


def reachable(found: LiveContactQuerySet, medium: str) -> LiveContactQuerySet:
    """Keep the people who have an address on a medium."""
    return found.exclude(email="") if medium == Medium.EMAIL else found.filter(phone__isnull=False)


def start_batch(
    *,
    found: LiveContactQuerySet,
    filter: Mapping[str, Any],
    template: CommunicationTemplate,
    name: str = "",
    account: ChannelAccount | None = None,
    version_b: int | None = None,
    share_a: int = 50,
    variables: Mapping[str, Any] | None = None,
    scheduled_at: datetime | None = None,
    spread_minutes: int = 0,
    in_window: bool = True,
) -> MessageBatch:
    """Promise a message to everybody the filter finds when the job gets to them."""
    usable(template)
    if template.channel == Medium.LINKEDIN:
        raise Invalid.field(
            "templateId", "Messages that a person sends by hand go to one contact each.", constraint="medium"
        )
    if version_b is not None:
        if version_b == template.version:
            raise Invalid.field("versionB", "Compare two different versions.", constraint="same")
        if not TemplateVersion.objects.filter(template=template, number=version_b).exists():
            raise Invalid.field("versionB", "There is no such version.", value=version_b, constraint="choice")
    batch = MessageBatch(
        name=name or f"{template.name}, {timezone.now():%Y-%m-%d %H:%M}",
        template=template,
        version_a=template.version,
        version_b=version_b,
        share_a=share_a,
        account=account_for(template.channel, account or template.account),
        filter=dict(filter),
        variables=dict(variables or {}),
        scheduled_at=scheduled_at or timezone.now(),
        spread_minutes=spread_minutes,
        in_window=in_window,
        total=found.count(),
    )
    batch.save()
    record("batch.started", batch.resource, batch.pk, filter=sorted(filter), expected=batch.total)
    enqueue_job(batch)
    return batch


def run_batch(job: MessageBatch, *, select: Select) -> None:
    """Queue the messages chunk by chunk, as the person who asked for them; a killed worker's successor goes on."""
    with running(job) as run:
        batch = run.job
        principal = principal_of_member(batch.created_by_id, batch.organization_id) if batch.created_by_id else None
        if principal is None or not principal.may("messages:bulk"):
            raise Forbidden("Who started this may not do it any more.")
        last = uuid.UUID(batch.checkpoint.get("last", str(uuid.UUID(int=0))))
        # People added since are not meant. Ids rise with time.
        end = uuid.UUID(int=int(batch.created_at.timestamp() * 1000) + 1 << 80)
        while True:
            with run.step() as step:
                if batch.stopped_at is None:
                    batch.stopped_at = MessageBatch.objects.values_list("stopped_at", flat=True).get(pk=batch.pk)
                found = select(batch.filter, principal).filter(id__gt=last, id__lt=end).order_by("id")
                ids = [] if batch.stopped_at else list(found.values_list("id", flat=True)[:CHUNK])
                if not ids:
                    step.set(total=batch.processed)
                    break
                queued = _queue(batch, ids)
                last = ids[-1]
                step.advance(len(ids), checkpoint={"last": str(last)}, queued=queued, skipped=len(ids) - queued)
                wake(batch.account_id)
    with organization_scope(job.organization_id):
        # Everything may have been sent before the job knew that it had queued everything.
        finish_batch(job.pk)


def _queue(batch: MessageBatch, ids: list[uuid.UUID]) -> int:
    """Insert the messages of these contacts; an address that has one of this batch already gets no second."""
    versions = {
        number: TemplateVersion.objects.get(template_id=batch.template_id, number=number).pk
        for number in (batch.version_a, batch.version_b)
        if number is not None
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO communications (organization_id, id, direction, channel, purpose, status, account_id, contact_id,"
            " address, subject, body_text, body_html, subject_type, version_id, variables, batch_id, idempotency_key,"
            " scheduled_at, in_window, provider_id, error_code, error_message, created_by_id)"
            " SELECT contact.organization_id, uuid7(), 'outbound', %(channel)s, 'bulk', 'queued', %(account)s, contact.id,"
            " place.address, '', '', '', '',"
            # The same share of people whoever they are; the batch is mixed in, so that not the same people are always A.
            " CASE WHEN %(b)s::uuid IS NULL OR mod(abs(hashtext(contact.id::text || %(batch)s::text)::bigint), 100) < %(share)s"
            " THEN %(a)s::uuid ELSE %(b)s::uuid END, %(variables)s::jsonb, %(batch)s::uuid,"
            " 'b:' || %(batch)s::text || ':' || md5(place.address),"
            " %(at)s::timestamptz + %(spread)s * ((%(before)s + row_number() OVER (ORDER BY contact.id) - 1)"
            " / greatest(%(total)s, 1)::float8) * interval '1 minute', %(in_window)s, '', '', '', %(user)s"
            " FROM contacts AS contact CROSS JOIN LATERAL"
            " (SELECT CASE WHEN %(channel)s = 'email' THEN contact.email ELSE contact.phone END AS address) AS place"
            " WHERE contact.organization_id = %(organization)s AND contact.id = ANY(%(ids)s)"
            " AND place.address <> '' AND contact.deleted_at IS NULL"
            " ON CONFLICT (organization_id, idempotency_key) WHERE idempotency_key <> '' DO NOTHING",
            {
                "organization": batch.organization_id,
                "channel": batch.account.medium,
                "account": batch.account_id,
                "a": versions[batch.version_a],
                "b": versions.get(batch.version_b) if batch.version_b is not None else None,
                "share": batch.share_a,
                "variables": orjson.dumps(batch.variables).decode(),
                "batch": batch.pk,
                "at": batch.scheduled_at,
                "spread": batch.spread_minutes,
                "before": batch.processed,
                "total": batch.total or 1,
                "in_window": batch.in_window,
                "user": batch.created_by_id,
                "ids": ids,
            },
        )
        return int(cursor.rowcount)


def pause_batch(batch: MessageBatch) -> MessageBatch:
    """Hold what is not sent; what a worker holds already goes out."""
    batch = _open(batch)
    if batch.paused_at is None:
        batch.paused_at = timezone.now()
        batch.save(update_fields=["paused_at"])
        record("batch.paused", batch.resource, batch.pk)
        announce_batch(batch)
    return batch


def resume_batch(batch: MessageBatch) -> MessageBatch:
    """Go on with a paused batch."""
    batch = _open(batch)
    if batch.paused_at is not None:
        batch.paused_at = None
        batch.save(update_fields=["paused_at"])
        record("batch.resumed", batch.resource, batch.pk)
        announce_batch(batch)
        wake(batch.account_id)
    return batch


def stop_batch(batch: MessageBatch) -> MessageBatch:
    """Call off whatever is not sent: at once for workers, row by row soon after."""
    batch = _open(batch)
    if batch.status in ("pending", "processing"):
        cancel_job(batch)
        batch.refresh_from_db()
    batch.stopped_at, batch.paused_at = timezone.now(), None
    batch.save(update_fields=["stopped_at", "paused_at"])
    record("batch.stopped", batch.resource, batch.pk)
    announce_batch(batch)
    promise_task(CANCEL_TASK, organization_id=batch.organization_id, row_id=cancel_id(batch.pk))
    return batch


def cancel_id(batch_id: uuid.UUID) -> uuid.UUID:
    """Return the id of the promise to call a batch off: the job has a doorbell of its own. Its own inverse."""
    return uuid.UUID(int=batch_id.int ^ (1 << 127))


def call_off(organization_id: uuid.UUID, promise_id: uuid.UUID) -> int:
    """Cancel what a stopped batch still has queued; return how many messages."""
    total: int = 0
    batch_id = cancel_id(promise_id)
    while True:
        with organization_scope(organization_id):
            waiting = Communication.objects.filter(batch=batch_id, status=MessageStatus.QUEUED)
            ids = list(waiting.values_list("pk", flat=True)[:CANCEL_CHUNK])
            total += Communication.objects.filter(pk__in=ids, status=MessageStatus.QUEUED).update(
                status=MessageStatus.CANCELLED, error_code="BATCH_CANCELLED", error_message="The batch was called off."
            )
            if not ids:
                MessageBatch.objects.filter(pk=batch_id).update(finished_at=timezone.now())
                batch = MessageBatch.objects.filter(pk=batch_id).first()
                if batch is not None:
                    announce_batch(batch)
                forget_task(promise_id)
                return total


def _open(batch: MessageBatch) -> MessageBatch:
    found: MessageBatch = MessageBatch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    if found.state in ("cancelled", "finished", "failed"):
        raise Conflict(f"The batch is {found.state}.", status=found.state)
    return found
