"""Remove a person from every app, keep the suppression, prove it."""

import hashlib
import hmac
import uuid
from collections import Counter

from django.conf import settings
from django.db import connection
from django.db.models import CASCADE, Model, Q

from contacts.erasure import ErasedPerson, erasers, register
from contacts.merging import Pointer, all_pointers
from contacts.models import (
    BulkJob,
    Contact,
    ContactChange,
    ContactDuplicate,
    ContactExport,
    ContactMerge,
    Erasure,
    ListDeparture,
)
from contacts.services.announcements import announce_erasure, send_contacts_changed
from contacts.services.retention import erase_files
from contacts.signals import opted_out
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import VocelioError
from vocelio.notifications.models import FeedEntry, Notification
from vocelio.organizations.scope import current_organization_id
from vocelio.webhooks.services.deliveries import forget_records

# Shorter texts would be found in cells of other people.
SHORTEST_IDENTIFIER = 7


class ErasureIncomplete(VocelioError):
    """Something of the person was still found afterwards; nothing was erased then."""

    code = "ERASURE_INCOMPLETE"
    status = 409
    message = "Some data could not be erased, so nothing was. It is named in the details."


def erase_contact(*, contact: Contact, reason: str = "") -> Erasure:
    """Remove the person everywhere, for good, and return the certificate; their number and address stay suppressed.

    Everything happens in the open transaction: either all is gone and found gone, or nothing is.
    """
    person = _person(contact)
    # First, while the rows that tell of it are there.
    opted_out.send(
        sender=None,
        organization_id=contact.organization_id,
        phone_numbers=list(person.phone_numbers),
        emails=list(person.emails),
        channel="all",
        source="erasure",
        reason=reason or "The person was erased.",
        user_id=current_actor().user_id,
    )
    removed = Counter({name: eraser(person) for name, eraser in erasers().items()})
    for pointer in all_pointers():
        removed[pointer.table] += _count(pointer, person)
    for table in (ContactChange, ListDeparture):
        removed[table._meta.db_table] = table.objects.filter(contact_id__in=person.contact_ids).count()
    with connection.cursor() as cursor:
        # The foreign keys take everything along that points to them.
        cursor.execute(
            "DELETE FROM contacts WHERE organization_id = %s AND id = ANY(%s)",
            [contact.organization_id, list(person.contact_ids)],
        )
        removed["contacts"] = cursor.rowcount
    if left := _left_of(person):
        raise ErasureIncomplete(found=left)
    erasure = Erasure(
        id=uuid7(),
        contact_id=contact.pk,
        erased_by_id=current_actor().user_id,
        reason=reason,
        removed={name: number for name, number in sorted(removed.items()) if number},
        identifiers=[identifier_hash(each) for each in (*person.phone_numbers, *person.emails)],
        suppressed=len(person.phone_numbers) + len(person.emails),
        is_verified=True,
    )
    erasure.save(force_insert=True)
    record("contact.erased", "contact", contact.pk, erasureId=str(erasure.pk), removed=erasure.removed)
    announce_erasure(contact)
    send_contacts_changed(list(person.contact_ids))
    erasure.refresh_from_db()
    return erasure


def identifier_hash(identifier: str) -> str:
    """Return what a certificate holds of a number or address."""
    key = f"{settings.SECRET_KEY}|erasures|{current_organization_id()}".encode()
    return hmac.new(key, identifier.encode(), hashlib.sha256).hexdigest()


def _person(contact: Contact) -> ErasedPerson:
    """Return the contact with all that were merged into it, and the numbers and addresses any of them ever had."""
    ids: set[uuid.UUID] = {contact.pk}
    while True:
        merged = set(Contact.objects.filter(merged_into_id__in=ids).values_list("pk", flat=True)) - ids
        if not merged:
            break
        ids |= merged
    rows = list(Contact.objects.filter(pk__in=ids).values_list("phone", "email"))
    for change in ContactChange.objects.filter(contact_id__in=ids).filter(
        Q(before__has_key="phone") | Q(before__has_key="email")
    ):
        rows.append((change.before.get("phone"), change.before.get("email", "")))
    return ErasedPerson(
        tuple(sorted(ids)),
        tuple(sorted({phone for phone, _ in rows if phone})),
        tuple(sorted({email for _, email in rows if email})),
        tuple(sorted(_records_of(ids))),
    )


def _records_of(contact_ids: set[uuid.UUID]) -> set[uuid.UUID]:
    """Return the ids of rows that point to the contacts, and of those that go with these."""
    found: set[uuid.UUID] = set()
    waiting: list[tuple[type[Model], set[uuid.UUID]]] = [(Contact, contact_ids)]
    while waiting:
        model, ids = waiting.pop()
        for pointer in all_pointers(model):
            goes_along = pointer.on_delete is CASCADE or model is Contact
            if goes_along and not issubclass(pointer.model, Contact):
                manager = pointer.model._default_manager
                new = set(manager.filter(**{f"{pointer.column}__in": ids}).values_list("pk", flat=True)) - found
                found |= new
                if new:
                    waiting.append((pointer.model, new))
    return found


def _count(pointer: Pointer, person: ErasedPerson) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM {pointer.table} WHERE organization_id = %s AND {pointer.column} = ANY(%s)",  # noqa: S608
            [current_organization_id(), list(person.contact_ids)],
        )
        return int(cursor.fetchone()[0])


def _left_of(person: ErasedPerson) -> list[str]:
    """Return the tables in which the person is still found."""
    tables = {pointer.table for pointer in all_pointers() if _count(pointer, person)}
    ids = person.contact_ids
    for model in (ContactChange, ListDeparture):
        if model.objects.filter(contact_id__in=ids).exists():
            tables.add(model._meta.db_table)
    if Contact.objects.filter(pk__in=ids).exists():
        tables.add("contacts")
    return sorted(tables)


def erase_duplicates(person: ErasedPerson) -> int:
    of_person = Q(first_id__in=person.contact_ids) | Q(second_id__in=person.contact_ids)
    return int(ContactDuplicate.objects.filter(of_person).delete()[0])


def erase_traces_of_merges(person: ErasedPerson) -> int:
    """Forget what merges, taken back since, left of the person in the history of others."""
    merges = ContactMerge.objects.filter(Q(survivor__in=person.contact_ids) | Q(absorbed__in=person.contact_ids))
    changes = ContactChange.objects.filter(cause__in=["merge", "unmerge"], cause_id__in=merges.values("pk"))
    return int(changes.exclude(contact_id__in=person.contact_ids).delete()[0])


def erase_rejections(person: ErasedPerson) -> int:
    """Remove rejected rows of imports that hold a number or address of the person in any spelling of digits."""
    digits = [phone.lstrip("+")[-10:] for phone in person.phone_numbers]
    texts = [email.lower() for email in person.emails if len(email) >= SHORTEST_IDENTIFIER]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM import_rejections WHERE organization_id = %(organization)s AND EXISTS ("
            " SELECT FROM jsonb_array_elements_text(cells) AS cell WHERE lower(btrim(cell)) = ANY(%(texts)s)"
            " OR right(regexp_replace(cell, '[^0-9]', '', 'g'), 10) = ANY(%(digits)s))",
            {"organization": current_organization_id(), "texts": texts, "digits": digits},
        )
        return int(cursor.rowcount)


def erase_events(person: ErasedPerson) -> int:
    """Blank what sockets may still be told again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE events SET data = data || '{\"changes\": {}}' WHERE organization_id = %s AND topic = 'contacts'"
            " AND data ->> 'contactId' = ANY(%s) AND data -> 'changes' <> '{}'",
            [current_organization_id(), [str(each) for each in person.contact_ids]],
        )
        blanked = cursor.rowcount
        cursor.execute(
            "UPDATE events SET data = data || (SELECT jsonb_object_agg(key, '') FROM jsonb_object_keys(data) AS key"
            " WHERE key IN ('subject', 'title', 'body'))"
            " WHERE organization_id = %s AND data ?| '{subject,title,body}'"
            " AND EXISTS (SELECT FROM jsonb_each_text(data) WHERE value = ANY(%s))",
            [current_organization_id(), [str(each) for each in (*person.contact_ids, *person.record_ids)]],
        )
        blanked += cursor.rowcount
        # The newest rejected rows that the progress of an import told of.
        cursor.execute(
            "UPDATE events SET data = data || '{\"errors\": []}' WHERE organization_id = %s AND topic = 'import_progress'"
            " AND data -> 'errors' <> '[]' AND EXISTS (SELECT FROM unnest(%s::text[]) AS text"
            " WHERE strpos(lower(data ->> 'errors'), text) > 0"
            " OR (text ~ '^[0-9]+$' AND strpos(regexp_replace(data ->> 'errors', '[^0-9]', '', 'g'), text) > 0))",
            [current_organization_id(), [*person.emails, *(phone[-10:] for phone in person.phone_numbers)]],
        )
        return int(blanked + cursor.rowcount)


def erase_kept_answers(person: ErasedPerson) -> int:
    """Forget answers kept for repeated requests that show the person, or a record about them."""
    texts = [*map(str, (*person.contact_ids, *person.record_ids)), *person.phone_numbers, *person.emails]
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM idempotency_keys WHERE organization_id = %s"
            " AND EXISTS (SELECT FROM unnest(%s::text[]) AS text WHERE strpos(body, text) > 0)",
            [current_organization_id(), texts],
        )
        return int(cursor.rowcount)


def erase_notices(person: ErasedPerson) -> int:
    """Delete what colleagues were told of the person: notices and feeds name them in their titles."""
    ids = [*person.contact_ids, *person.record_ids]
    return sum(int(model.objects.filter(resource_id__in=ids).delete()[0]) for model in (Notification, FeedEntry))


def erase_searches(person: ErasedPerson) -> int:
    """Empty the filters of exports and bulk changes that looked for a number or address of the person."""
    texts = [*(phone[-10:] for phone in person.phone_numbers), *(email.lower() for email in person.emails)]
    blanked = 0
    with connection.cursor() as cursor:
        for model in (ContactExport, BulkJob):
            cursor.execute(
                f"UPDATE {model._meta.db_table} SET filter = '{{}}' WHERE organization_id = %s"  # noqa: S608
                " AND EXISTS (SELECT FROM unnest(%s::text[]) AS text WHERE strpos(lower(filter::text), text) > 0)",
                [current_organization_id(), texts],
            )
            blanked += cursor.rowcount
    return blanked


def erase_webhooks(person: ErasedPerson) -> int:
    """Delete what other systems were told of the person, or are still to be told."""
    return forget_records(person.contact_ids)


def register_erasers() -> None:
    """Put what contacts and the kernel know of people into the registry, at start."""
    register("contact_duplicates", erase_duplicates)
    register("contact_changes of others", erase_traces_of_merges)
    register("import_rejections", erase_rejections)
    register("files", erase_files)
    register("events", erase_events)
    register("idempotency_keys", erase_kept_answers)
    register("webhook_events", erase_webhooks)
    register("notices", erase_notices)
    register("searches", erase_searches)
