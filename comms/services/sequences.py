"""Sequences: who goes through them, what comes next, what ends them."""

import uuid
from collections.abc import Collection
from collections.abc import Sequence as Ordered
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from comms.models import (
    Communication,
    CommunicationTemplate,
    Enrolment,
    MessageStatus,
    Purpose,
    Sequence,
    SequenceStep,
)
from comms.services.accounts import account_for
from comms.services.addresses import address_of
from comms.services.templates import usable, version_of
from comms.services.writing import tried_out
from contacts.models import Contact
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid, VocelioError

# While the message before still waits, the next one is looked at again after this long.
LOOK_AGAIN = timedelta(minutes=15)
MAX_STEPS = 20


class SequenceExists(Conflict):
    code = "SEQUENCE_EXISTS"
    message = "There is a sequence of this name already."


def create_sequence(*, steps: Ordered[dict[str, Any]], **fields: Any) -> Sequence:
    """Add a sequence with its steps."""
    sequence = Sequence(created_by_id=current_actor().user_id, **fields)
    _save(sequence)
    _set_steps(sequence, steps)
    record("sequence.created", "sequence", sequence.pk, steps=len(steps))
    return _fresh(sequence)


def update_sequence(*, sequence: Sequence, steps: Ordered[dict[str, Any]] | None = None, **fields: Any) -> Sequence:
    """Change it; steps, when given, take the place of all. People under way go on with the step of their number."""
    sequence = Sequence.objects.select_for_update(of=("self",)).get(pk=sequence.pk)
    for name, value in fields.items():
        setattr(sequence, name, value)
    _save(sequence)
    if steps is not None:
        SequenceStep.objects.filter(sequence=sequence).delete()
        _set_steps(sequence, steps)
    record("sequence.updated", "sequence", sequence.pk, fields=sorted([*fields, *(["steps"] if steps else [])]))
    return _fresh(sequence)


def delete_sequence(sequence: Sequence) -> None:
    """Remove it; what it has queued is cancelled, what it sent stays."""
    waiting = Communication.objects.filter(enrolment__sequence=sequence, status=MessageStatus.QUEUED)
    waiting.update(
        status=MessageStatus.CANCELLED, error_code="SEQUENCE_GONE", error_message="The sequence was deleted."
    )
    Sequence.objects.filter(pk=sequence.pk).delete()
    record("sequence.deleted", "sequence", sequence.pk)


def enrol(*, sequence: Sequence, contacts: Ordered[Contact]) -> tuple[int, int]:
    """Send people through; return how many began and how many are under way already."""
    if not sequence.is_active:
        raise Conflict("The sequence is switched off.")
    first = SequenceStep.objects.filter(sequence=sequence, position=0).first()
    if first is None:
        raise Conflict("The sequence has no steps.")
    begun = Enrolment.objects.bulk_create(
        [
            Enrolment(
                sequence=sequence,
                contact=contact,
                next_at=timezone.now() + timedelta(hours=first.wait_hours),
                created_by_id=current_actor().user_id,
            )
            for contact in contacts
        ],
        ignore_conflicts=True,
    )
    there = set(Enrolment.objects.filter(pk__in=[each.pk for each in begun]).values_list("pk", flat=True))
    record("sequence.enrolled", "sequence", sequence.pk, count=len(there))
    return len(there), len(contacts) - len(there)


def stop_enrolments(contact_ids: Collection[uuid.UUID], *, by: str) -> int:
    """End every sequence of these people, and cancel what it has queued for them."""
    if not contact_ids:
        return 0
    active = Enrolment.objects.filter(contact__in=list(contact_ids), status=Enrolment.Status.ACTIVE)
    ids = list(active.values_list("pk", flat=True))
    if ids:
        Enrolment.objects.filter(pk__in=ids).update(status=Enrolment.Status.STOPPED, stopped_by=by, next_at=None)
        Communication.objects.filter(enrolment__in=ids, status=MessageStatus.QUEUED).update(
            status=MessageStatus.CANCELLED, error_code="SEQUENCE_STOPPED", error_message=f"The sequence ended: {by}."
        )
    return len(ids)


def stop_enrolment(enrolment: Enrolment) -> Enrolment:
    """End one person's way, as a person decided."""
    if enrolment.status != Enrolment.Status.ACTIVE:
        raise Conflict("This has ended already.", status=enrolment.status)
    Enrolment.objects.filter(pk=enrolment.pk).update(status=Enrolment.Status.STOPPED, stopped_by="person", next_at=None)
    Communication.objects.filter(enrolment=enrolment, status=MessageStatus.QUEUED).update(
        status=MessageStatus.CANCELLED, error_code="SEQUENCE_STOPPED", error_message="The sequence ended: person."
    )
    record("sequence.stopped", "enrolment", enrolment.pk)
    enrolment.refresh_from_db()
    return enrolment


def advance_enrolments(limit: int = 200) -> int:
    """Queue the next message of those whose time has come; return how many were looked at."""
    due = list(
        Enrolment.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(status=Enrolment.Status.ACTIVE, next_at__lte=Now(), sequence__is_active=True)
        .select_related("sequence", "contact")
        .defer("contact__search")
        .order_by("next_at")[:limit]
    )
    for enrolment in due:
        _advance(enrolment)
    return len(due)


def _advance(enrolment: Enrolment) -> None:
    before = Communication.objects.filter(enrolment=enrolment).order_by("-created_at").first()
    if before is not None and before.status in (MessageStatus.QUEUED, MessageStatus.SENDING):
        enrolment.next_at = timezone.now() + LOOK_AGAIN
        enrolment.save(update_fields=["next_at"])
        return
    rows = SequenceStep.objects.filter(sequence=enrolment.sequence).order_by("position")
    steps = [step for step in rows for _ in range(step.times)]
    if enrolment.position < len(steps):
        _queue(enrolment, steps[enrolment.position])
        enrolment.position += 1
    if enrolment.position < len(steps):
        enrolment.next_at = timezone.now() + timedelta(hours=steps[enrolment.position].wait_hours)
    else:
        enrolment.status, enrolment.next_at = Enrolment.Status.FINISHED, None
    enrolment.save(update_fields=["position", "next_at", "status"])


def _queue(enrolment: Enrolment, step: SequenceStep) -> None:
    template: CommunicationTemplate = CommunicationTemplate.objects.get(pk=step.template_id)
    key = f"s:{enrolment.pk}:{enrolment.position}"
    message = Communication(
        channel=template.channel,
        purpose=Purpose.BULK,
        contact=enrolment.contact,
        address=address_of(enrolment.contact, template.channel),
        version=version_of(template, template.version),
        enrolment=enrolment,
        idempotency_key=key,
        in_window=enrolment.sequence.in_window,
        created_by_id=enrolment.created_by_id,
    )
    try:
        message.account = account_for(template.channel, template.account)
        usable(template)
        if not message.address:
            raise Invalid.field("contactId", f"The contact has no address for {template.channel}.")
        if message.has_its_text:
            message.body_text = tried_out(message, enrolment.contact).text
    except VocelioError as error:
        message.status, message.error_code = MessageStatus.CANCELLED, "STEP_SKIPPED"
        message.error_message = error.message[:500]
    if not Communication.objects.filter(idempotency_key=key).exists():
        message.save(force_insert=True)


def _set_steps(sequence: Sequence, steps: Ordered[dict[str, Any]]) -> None:
    if not 1 <= len(steps) <= MAX_STEPS:
        raise Invalid.field("steps", f"A sequence has 1 to {MAX_STEPS} steps.", constraint="length")
    SequenceStep.objects.bulk_create(
        SequenceStep(
            sequence=sequence,
            position=position,
            template=usable(step["template"], f"steps.{position}.templateId"),
            wait_hours=step.get("wait_hours", 0),
            times=step.get("times", 1),
        )
        for position, step in enumerate(steps)
    )


def _save(sequence: Sequence) -> None:
    try:
        with transaction.atomic():
            sequence.save()
    except IntegrityError as error:
        if "one_sequence_per_name" not in str(error):
            raise
        raise SequenceExists(field="name", value=sequence.name, constraint="unique") from None


def _fresh(sequence: Sequence) -> Sequence:
    found: Sequence = Sequence.objects.select_related("created_by").get(pk=sequence.pk)
    return found
