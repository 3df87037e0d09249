"""Remember who said no, so that every CRM learns of it."""

import uuid
from collections.abc import Iterable

from django.db.models import Q

from contacts.models import Contact
from crm_sync.models import CrmLink, CrmOptOut


def note_opt_out(*, phone_numbers: Iterable[str], emails: Iterable[str], channel: str) -> None:
    """Keep the addresses and make the records of these people due, in the transaction that learned of it."""
    found: dict[str, set[str]] = {"call": set(), "email": set()}
    if channel in ("call", "all"):
        found["call"] = set(filter(None, phone_numbers))
    if channel in ("email", "all"):
        found["email"] = {email.lower() for email in emails if email}
    rows = [CrmOptOut(channel=name, address=address) for name in found for address in sorted(found[name])]
    if not rows:
        return
    CrmOptOut.objects.bulk_create(rows, ignore_conflicts=True)
    people: list[uuid.UUID] = list(
        Contact.objects.alive()
        .filter(Q(phone__in=found["call"]) | Q(email__in=found["email"]))
        .values_list("pk", flat=True)
    )
    CrmLink.objects.linked().filter(contact_id__in=people).update(is_due=True)
