"""Count how often a person was spoken to, and when last."""

import uuid
from datetime import datetime

from django.db.models import F
from django.db.models.functions import Greatest

from contacts.models import Contact


def note_touch(*, contact_id: uuid.UUID, at: datetime) -> None:
    """Note that somebody spoke to the contact."""
    Contact.objects.filter(pk=contact_id).update(
        contact_count=F("contact_count") + 1, last_contacted_at=Greatest(F("last_contacted_at"), at)
    )
