"""Facts from other apps that the sync acts on."""

import uuid
from typing import Any

from django.dispatch import receiver

from contacts.signals import opted_out
from crm_sync.services.opt_outs import note_opt_out
from vocelio.organizations.scope import organization_scope


@receiver(opted_out)
def tell_crms(
    sender: Any, *, organization_id: uuid.UUID, phone_numbers: list[str], emails: list[str], channel: str, **kwargs: Any
) -> None:
    with organization_scope(organization_id):
        note_opt_out(phone_numbers=phone_numbers, emails=emails, channel=channel)
