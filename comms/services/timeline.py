"""What messages add to the timeline of a contact, and what is erased with a person."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q

from comms.models import BouncedAddress, Communication
from comms.services.communications import attached
from contacts.erasure import ErasedPerson
from contacts.timeline import Entry


def messages_of(contact_id: uuid.UUID, before: datetime | None, limit: int) -> Iterable[Entry]:
    rows = Communication.objects.filter(contact_id=contact_id)
    if before is not None:
        rows = rows.filter(created_at__lte=before)
    return [_entry(row) for row in rows.order_by("-created_at", "-id")[:limit]]


def _entry(row: Communication) -> Entry:
    verb = "from" if row.direction == "inbound" else "to"
    title = f"{row.get_channel_display()} {verb} the contact: {row}"[:200]
    details = {
        "channel": row.channel,
        "direction": row.direction,
        "status": row.status,
        "batchId": str(row.batch_id) if row.batch_id else None,
    }
    return Entry(row.created_at, "message", str(row.pk), title, row.created_by_id, details)


def erase_messages(person: ErasedPerson) -> int:
    """Remove what knows the person by address: messages of nobody's contact, and bounces. The rest goes by cascade."""
    addresses = [*person.phone_numbers, *(email.lower() for email in person.emails)]
    bounced, _ = BouncedAddress.objects.filter(address__in=addresses).delete()
    strays = Q(Q(contact__isnull=True) | Q(contact__in=person.contact_ids), address__in=addresses)
    theirs = Q(contact__in=person.contact_ids) | strays
    messages = Communication.objects.filter(theirs).exclude(attachments=[])
    files = {each["file"] for attachments in messages.values_list("attachments", flat=True) for each in attachments}
    for file in files - attached(files, Communication.objects.exclude(theirs)):
        transaction.on_commit(partial(default_storage.delete, file))
    return int(bounced) + int(Communication.objects.filter(strays).delete()[0])
