"""Listens to what other apps announce: whoever said no to one of them is not contacted by any."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.dispatch import receiver

from contacts.signals import contacts_merged, opted_out
from dnc.services.entries import add_opt_outs, share_opt_outs


@receiver(opted_out)
def store_opt_outs(
    sender: Any,
    phone_numbers: Sequence[str] = (),
    emails: Sequence[str] = (),
    channel: str = "all",
    source: str = "",
    reason: str = "",
    user_id: uuid.UUID | None = None,
    **kwargs: Any,
) -> None:
    """Store them in the transaction that learned it."""
    if phone_numbers or emails:
        add_opt_outs(
            phone_numbers=list(phone_numbers),
            emails=list(emails),
            channel=channel or "all",
            source=source,
            reason=reason,
            user_id=user_id,
        )


@receiver(contacts_merged)
def keep_opt_outs(sender: Any, phone_numbers: Sequence[str] = (), emails: Sequence[str] = (), **kwargs: Any) -> None:
    """Let the no of one contact hold for all numbers and addresses of the person they became."""
    share_opt_outs(phone_numbers=list(phone_numbers), emails=list(emails))
