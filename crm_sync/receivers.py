"""Facts from other apps that the sync acts on."""

import uuid
from typing import Any

from django.dispatch import receiver

from contacts.signals import opted_out
from crm_sync.models import CrmIntegration
from crm_sync.services.opt_outs import note_opt_out
from vocelio.operations.signals import leaving_in_doubt
from vocelio.organizations.scope import organization_scope


@receiver(opted_out)
def tell_crms(
    sender: Any, *, organization_id: uuid.UUID, phone_numbers: list[str], emails: list[str], channel: str, **kwargs: Any
) -> None:
    with organization_scope(organization_id):
        note_opt_out(phone_numbers=phone_numbers, emails=emails, channel=channel)


@receiver(leaving_in_doubt)
def have_syncs_confirmed(sender: Any, **kwargs: Any) -> dict[str, int]:
    """Let a person look before the first sync from a restored backup: the CRM knows more than this side does."""
    connected = CrmIntegration.objects.filter(status=CrmIntegration.Status.CONNECTED)
    return {"CRM connections (to be confirmed)": connected.update(needs_confirmation=True)}
