"""Contacts: a number belongs to one of them, and who said no is never forgotten."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from contacts.models import Contact
from contacts.services import batches
from contacts.services.announcements import announce_bulk, owners_of
from contacts.services.merges import merge_contacts, unmerge_contact
from contacts.signals import opted_out
from crm_sync.models import CrmOptOut
from crm_sync.providers.values import Kind
from crm_sync.services.fields import TIGHTENING, Fields, Refused, Unusable
from crm_sync.services.kinds.kind import Ours, RecordKind
from vocelio.errors import Conflict, Invalid

if TYPE_CHECKING:
    from crm_sync.services.comparison import Comparison, Row

PHONE_TAKEN = "The phone number belongs to another contact."


class ContactKind(RecordKind):
    kind = Kind.CONTACTS
    noun = "contact"
    model = Contact
    mappings = "field_mappings"
    fields = Fields(
        texts={
            "firstName": ("first_name", 100),
            "lastName": ("last_name", 100),
            "email": ("email", 320),
            "phoneExtension": ("phone_extension", 20),
            "company": ("company", 255),
            "title": ("title", 100),
            "address": ("address", 1_000),
            "city": ("city", 100),
            "state": ("state", 50),
            "zip": ("zip", 20),
            "country": ("country", 2),
            "notes": ("notes", 20_000),
        },
        others=("phone", "tags", *TIGHTENING),
        needed=("email", "phone"),
        identity=("phone",),
        no_phone=None,
    )
    need = "Map email or phone: a contact needs one of them."
    writer = batches.CONTACTS

    def locked(self, record_ids: Iterable[uuid.UUID]) -> Mapping[uuid.UUID, Ours]:
        return batches.locked_contacts(record_ids)

    def blank(self, row: "Row") -> Ours:
        return Contact(phone=row.text("phone") or None, email=row.text("email"))

    def refused(self, records: Iterable[Ours], names: Iterable[str]) -> Refused:
        found: dict[str, set[str]] = {"call": set(), "email": set()}
        people = list(records)
        if not people or not TIGHTENING.keys() & set(names):
            return found
        condition = Q(channel="call", address__in=[each.phone for each in people if each.phone]) | Q(
            channel="email", address__in=[each.email for each in people if each.email]
        )
        for channel, address in CrmOptOut.objects.filter(condition).values_list("channel", "address"):
            found[channel].add(address)
        return found

    def choices(self, rows: Sequence["Row"]) -> list[list[uuid.UUID]]:
        """Take the contact with the phone, else the only one with the e-mail address."""
        new = [row for row in rows if row.is_first]
        phones = batches.owners_of_phones(filter(None, (row.text("phone") for row in new)))
        emails = batches.contacts_with_emails(filter(None, (row.text("email") for row in new)))
        found = []
        for row in rows:
            owner = phones.get(row.text("phone"))
            namesakes = emails.get(row.text("email"), [])
            found.append([*([owner] if owner else []), *(namesakes if len(namesakes) == 1 else [])])
        return found

    def check_paired(self, rows: Sequence["Row"]) -> None:
        """A number belongs to one contact; who shares it, a switchboard's say, goes without."""
        phones = batches.owners_of_phones(filter(None, (row.text("phone") for row in rows)))
        in_page: dict[str, Row] = {}
        for row in rows:
            phone = row.text("phone")
            if not phone:
                continue
            owner = phones.get(phone)
            is_own = row.ours is not None and (owner == row.ours.pk or row.ours.phone == phone)
            other = in_page.setdefault(phone, row)
            if (owner is not None and not is_own) or (other is not row and not is_own):
                row.remote["phone"] = Unusable(PHONE_TAKEN)

    def settle(self, comparison: "Comparison", rows: Sequence["Row"]) -> None:
        for row in rows:
            after = {**row.local, **row.merge.to_local}
            has_address = after.get("phone") or after.get("email")
            if row.ours is None:
                if not has_address:
                    reason = "; ".join(row.notes) or "Neither a phone number nor an e-mail address."
                    row.problem = ("NO_ADDRESS", "phone", reason)
                continue
            has_address = has_address or ("phone" not in after and row.ours.phone)
            has_address = has_address or ("email" not in after and row.ours.email)
            if not has_address:
                # Emptied in the CRM: the contact keeps what it has.
                for name in ("phone", "email"):
                    row.withhold(name, "The contact has no other address.")

    def free_to_restore(self, records: Sequence[Ours]) -> list[uuid.UUID]:
        taken = batches.owners_of_phones(each.phone for each in records if each.phone)
        return [each.pk for each in records if each.phone not in taken]

    def tell(self, comparison: "Comparison", rows: Sequence["Row"]) -> None:
        """Announce the people who said no in the CRM."""
        for name, channel in TIGHTENING.items():
            said_no = [row for row in rows if row.problem is None and row.merge.to_local.get(name) is True]
            phones, emails = [], []
            for row in said_no:
                if row.ours is None:
                    continue
                phone = row.merge.to_local.get("phone", row.ours.phone)
                email = row.merge.to_local.get("email", row.ours.email)
                if channel == "call" and phone:
                    phones.append(str(phone))
                if channel == "email" and email:
                    emails.append(str(email))
            if phones or emails:
                opted_out.send(
                    sender=None,
                    organization_id=comparison.run.organization_id,
                    phone_numbers=phones,
                    emails=emails,
                    channel=channel,
                    source="crm",
                    reason=f"Opted out in {comparison.integration.name}",
                    user_id=None,
                )

    def announce(self, action: str, record_ids: Iterable[uuid.UUID], *, owners_of_ids: Iterable[uuid.UUID]) -> None:
        announce_bulk(action, record_ids, owners={None} | owners_of(owners_of_ids))

    def merge(self, survivor: Ours, absorbed: Ours) -> None:
        assert isinstance(survivor, Contact)  # noqa: S101 - of this kind
        assert isinstance(absorbed, Contact)  # noqa: S101 - of this kind
        merge_contacts(survivor=survivor, others=[absorbed], principal=None)

    def unmerge(self, absorbed: Ours) -> None:
        assert isinstance(absorbed, Contact)  # noqa: S101 - of this kind
        unmerge_contact(contact=absorbed, principal=None)

    def check_value(self, record_id: uuid.UUID, name: str, row: Mapping[str, Any]) -> None:
        if name == "phone" and row["phone"] and batches.owners_of_phones([row["phone"]]):
            raise Conflict("There is already a contact with this phone number.", field="value", constraint="unique")
        if not row["phone"] and not row["email"]:
            raise Invalid.field("value", "A contact needs a phone number or an e-mail address.", constraint="required")
