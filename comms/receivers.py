"""Listens to contacts: whoever says no gets nothing that still waits; who was written to is not undone."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from comms.models import Communication
from comms.services.doubts import doubt
from comms.services.statuses import withdraw
from contacts.signals import contacts_in_use
from dnc.signals import opt_outs_stored
from vocelio.db.models import OutgoingHold
from vocelio.operations.signals import leaving_in_doubt


@receiver(opt_outs_stored)
def withdraw_messages(
    sender: Any,
    phone_numbers: Sequence[str] = (),
    emails: Sequence[str] = (),
    channel: str = "all",
    **kwargs: Any,
) -> None:
    """Cancel what waits for these people, in the transaction that stores their no."""
    withdraw(phone_numbers=list(phone_numbers), emails=list(emails), channel=channel or "all")


@receiver(contacts_in_use)
def contacts_written_to(sender: Any, contact_ids: Sequence[uuid.UUID], **kwargs: Any) -> set[uuid.UUID]:
    """Return those of the contacts that messages were sent to or came from."""
    return set(Communication.objects.filter(contact__in=contact_ids).values_list("contact_id", flat=True).distinct())


@receiver(leaving_in_doubt)
def doubt_messages(sender: Any, hold: OutgoingHold, **kwargs: Any) -> dict[str, int]:
    """Leave to people what a restored backup has queued and the installation before it may have sent."""
    return doubt(hold.held_at)
