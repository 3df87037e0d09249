"""Make two contacts one, and bring both back."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from contacts.models import Contact, ContactChange, ContactDuplicate, ContactMerge, ContactStatus
from contacts.services.announcements import announce_bulk
from contacts.services.contacts import phone_taken
from contacts.services.custom_fields import seal_values, unseal_values
from contacts.services.followers import CAUSE, bring_followers_back, merge_to_undo, move_followers
from contacts.services.history import change_cause
from contacts.services.merge_values import check_choices, joined_values, kept_value, lock_records, put_fields_back
from contacts.signals import contacts_merged
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import NotFound

# Fields with a value to choose, by their API names. The other fields are joined: tags, custom fields, counts.
CHOICES = {
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email",
    "phone": "phone",
    "phoneExtension": "phone_extension",
    "company": "company",
    "title": "title",
    "address": "address",
    "city": "city",
    "state": "state",
    "zip": "zip",
    "country": "country",
    "status": "status",
    "source": "source",
    "notes": "notes",
    "privateNotes": "private_notes",
    "assignedTo": "assigned_to_id",
}
# Texts are joined unless one was chosen.
TEXTS = ("notes", "privateNotes")


def merge_contacts(
    *,
    survivor: Contact,
    others: Sequence[Contact],
    principal: Principal | None,
    choices: Mapping[str, str] | None = None,
) -> Contact:
    """Make one contact of several, and return it.

    `choices` names for a field the id of the contact whose value is kept (or `both`, for notes); otherwise the
    survivor's holds, blanks are filled from the others, tags and custom fields are joined. The stricter status always
    holds: no merge makes somebody callable who said no. A job that merges on nobody's behalf has no `principal`.
    """
    chosen = dict(choices or {})
    check_choices(chosen, [survivor, *others], fields=CHOICES, texts=TEXTS)
    locked = lock_records(survivor, others)
    owners = {each.assigned_to_id for each in locked.values()}
    for other in others:
        _merge(locked[survivor.pk], locked[other.pk], chosen, principal)
    fresh: Contact = Contact.objects.get(pk=survivor.pk)
    announce_bulk(
        "merged",
        list(locked),
        owners=owners,
        survivorId=str(survivor.pk),
        absorbedIds=[str(other.pk) for other in others],
    )
    return fresh


def unmerge_contact(
    *, contact: Contact, principal: Principal | None, merge_id: uuid.UUID | None = None
) -> ContactMerge:
    """Bring back the contact that was merged in last, or the one of the given merge; return the merge.

    `contact` is the survivor or the absorbed one. Fields that were changed since the merge keep their new values, and
    rows that came since stay with the survivor; everything else is as it was.
    """
    merge: ContactMerge = merge_to_undo(ContactMerge, contact, merge_id)
    people = list(
        Contact.objects.select_for_update().filter(pk__in=[merge.survivor_id, merge.absorbed_id]).order_by("pk")
    )
    seen = Contact.objects.alive() if principal is None else Contact.objects.alive().visible_to(principal)
    if not seen.filter(pk=merge.survivor_id).exists():
        raise NotFound
    with change_cause("unmerge", merge.pk):
        changes = ContactChange.objects.caused_by(CAUSE, merge.pk).reverse()
        if hindered := put_fields_back(merge, [(each.contact_id, each) for each in changes]):
            phone = next((each.before["phone"] for each in hindered if "phone" in each.before), None)
            absorbed = next(each for each in people if each.pk == merge.absorbed_id)
            raise phone_taken(phone or absorbed.phone, principal)
        bring_followers_back(merge)
    ContactMerge.objects.filter(pk=merge.pk).update(unmerged_at=Now(), unmerged_by_id=current_actor().user_id)
    record("contact.unmerged", "contact", merge.survivor_id, mergeId=str(merge.pk), absorbedId=str(merge.absorbed_id))
    announce_bulk(
        "unmerged",
        [merge.survivor_id, merge.absorbed_id],
        owners={each.assigned_to_id for each in people},
    )
    merge.refresh_from_db()
    return merge


def _merge(survivor: Contact, absorbed: Contact, choices: dict[str, str], principal: Principal | None) -> None:
    merge = ContactMerge(
        id=uuid7(), survivor=survivor, absorbed=absorbed, merged_by_id=current_actor().user_id, choices=choices
    )
    merge.save(force_insert=True)
    with change_cause(CAUSE, merge.pk):
        moved = move_followers(merge)
        values = _merged_values(survivor, absorbed, choices)
        aside = Contact.objects.filter(pk=absorbed.pk)
        # First, so that its phone is free.
        aside.update(deleted_at=Now(), deleted_by_id=current_actor().user_id, merged_into_id=survivor.pk)
        for name, value in values.items():
            setattr(survivor, name, value)
        if values:
            try:
                with transaction.atomic():
                    survivor.save(update_fields=list(values))
            except IntegrityError:
                raise phone_taken(survivor.phone, principal) from None
    ContactMerge.objects.filter(pk=merge.pk).update(moved=moved)
    contacts_merged.send(
        sender=None,
        organization_id=survivor.organization_id,
        survivor_id=survivor.pk,
        absorbed_id=absorbed.pk,
        phone_numbers=sorted({each for each in (survivor.phone, absorbed.phone) if each}),
        emails=sorted({each for each in (survivor.email, absorbed.email) if each}),
    )
    pair = sorted([survivor.pk, absorbed.pk])
    ContactDuplicate.objects.filter(first_id=pair[0], second_id=pair[1]).delete()
    record("contact.merged", "contact", survivor.pk, absorbedId=str(absorbed.pk), mergeId=str(merge.pk), moved=moved)


def _merged_values(survivor: Contact, absorbed: Contact, choices: dict[str, str]) -> dict[str, Any]:
    """Return what changes of the survivor."""
    values: dict[str, Any] = {}
    for name, column in CHOICES.items():
        kept, other = getattr(survivor, column), getattr(absorbed, column)
        choice = choices.get(name)
        value = kept_value(kept, other, choice=choice, absorbed=absorbed, is_text=name in TEXTS)
        if column == "phone_extension" and choice is None:
            # It belongs to the number.
            value = other if choices.get("phone", str(survivor.pk)) == str(absorbed.pk) or not survivor.phone else kept
        if value != kept:
            values[column] = value
    values |= _strictest(survivor, absorbed)
    values |= joined_values(survivor, absorbed, choices)
    if missing := {key: text for key, text in absorbed.private_fields.items() if key not in survivor.private_fields}:
        opened = unseal_values(absorbed.pk, missing)
        values["private_fields"] = seal_values(survivor.pk, opened, survivor.private_fields)
    if absorbed.contact_count:
        values["contact_count"] = survivor.contact_count + absorbed.contact_count
    latest = max(filter(None, [survivor.last_contacted_at, absorbed.last_contacted_at]), default=None)
    if latest != survivor.last_contacted_at:
        values["last_contacted_at"] = latest
    return values


def _strictest(survivor: Contact, absorbed: Contact) -> dict[str, str]:
    """Return the status of whom may be called less; the later in ContactStatus, the stricter."""
    order = list(ContactStatus.values)
    status = max(survivor.status, absorbed.status, key=order.index)
    return {"status": status} if status != survivor.status else {}
