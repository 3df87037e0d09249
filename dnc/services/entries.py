"""Numbers on an organization's lists: add, change, remove, expire; and opt-outs by whatever channel."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from contacts.phones import PhoneProblem
from dnc.models import DncEntry, DncList, EmailOptOut
from dnc.models.lists import Channel, EntryStatus, ListType
from dnc.rules import area_of, rule_book
from dnc.rules.areas import DIGITS
from dnc.rules.hours import add_business_days
from dnc.services.lists import OPT_OUT_LIST, RegistryListKept, opt_out_list, touch_lists
from dnc.services.numbers import entry_numbers, region_of_organization
from dnc.signals import opt_outs_stored
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.copy import copy_to_temporary_table
from vocelio.db.ids import uuid7_series
from vocelio.errors import Conflict, Invalid
from vocelio.organizations.scope import current_organization_id
from vocelio.realtime.publish import publish

COLUMNS = {
    "id": "uuid",
    "list_id": "uuid",
    "phone_number": "text",
    "channels": "text[]",
    "source": "text",
    "reason": "text",
    "notes": "text",
    "expiry_date": "timestamptz",
    "honour_by": "date",
}


class DncEntryExists(Conflict):
    code = "DNC_ENTRY_EXISTS"
    message = "The number is on this list already."


def create_entry(*, dnc_list: DncList, phone_number: str, **fields: Any) -> DncEntry:
    """Put one number, or a beginning with *, on a list; raise DncEntryExists when it is there."""
    if dnc_list.registry_id is not None:
        raise RegistryListKept
    phone = _judged(phone_number)
    fields["expiry_date"] = fields.get("expiry_date") or expiry_of(dnc_list, phone, timezone.now())
    entry = DncEntry(
        list=dnc_list,
        phone_number=phone,
        added_by_id=current_actor().user_id,
        honour_by=honour_by(phone, timezone.now().date()) if dnc_list.type == "company" else None,
        **fields,
    )
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError as error:
        if "one_dnc_entry_per_phone" not in str(error):
            raise
        existing = DncEntry.objects.only("id").get(list=dnc_list, phone_number=phone)
        raise DncEntryExists(
            field="phoneNumber", value=phone, constraint="unique", existingId=str(existing.id)
        ) from None
    touch_lists({dnc_list.pk}, added=1)
    record("dnc_entry.created", "dncentry", entry.id, listId=str(dnc_list.pk))
    return _read(entry)


def update_entry(entry: DncEntry, **fields: Any) -> DncEntry:
    """Change what is known of an entry. Its number and list stay: another number is another entry."""
    for name, value in fields.items():
        setattr(entry, name, value)
    if "expiry_date" in fields:
        entry.status = EntryStatus.ACTIVE
        if entry.expiry_date is not None and entry.expiry_date <= timezone.now():
            entry.status = EntryStatus.EXPIRED
    entry.save(update_fields=[*fields, "status"])
    touch_lists({entry.list_id}, updated=1)
    record("dnc_entry.updated", "dncentry", entry.id, fields=sorted(fields))
    return _read(entry)


def delete_entry(entry: DncEntry) -> None:
    """Take a number off a list."""
    DncEntry.objects.filter(pk=entry.pk).delete()
    touch_lists({entry.list_id}, removed=1)
    record("dnc_entry.deleted", "dncentry", entry.pk, listId=str(entry.list_id))


def add_opt_outs(
    *,
    phone_numbers: Sequence[str] = (),
    emails: Sequence[str] = (),
    channel: str = Channel.ALL,
    source: str = "",
    reason: str = "",
    notes: str = "",
    user_id: uuid.UUID | None = None,
) -> dict[str, int]:
    """Store that people said no: by number and address, for good, at once. Return how many are new.

    The law gives ten business days; `honour_by` says so, and the verdict honours it from the commit on. A second no
    widens the channels of the first and never narrows them.
    """
    if not phone_numbers and not emails:
        raise Invalid.field("phoneNumbers", "Give phoneNumbers or emails.", constraint="required")
    region = region_of_organization()
    judged = entry_numbers(phone_numbers, region)
    errors = [
        {"field": f"phoneNumbers.{index}", "value": value[:50], "constraint": "phone", "message": phone.reason}
        for index, (value, phone) in enumerate(zip(phone_numbers, judged, strict=True))
        if isinstance(phone, PhoneProblem)
    ]
    errors += [
        {"field": f"emails.{index}", "value": email[:50], "constraint": "email", "message": "Not an e-mail address."}
        for index, email in enumerate(emails)
        if "@" not in email.strip() or "\0" in email or len(email) > 320
    ]
    if errors:
        raise Invalid("Some numbers or addresses are not valid.", errors=errors)
    counts = {"added": 0, "updated": 0, "emails": 0}
    today = timezone.now().date()
    if judged:
        dnc_list = opt_out_list()
        rows = [
            {
                "phone_number": phone,
                "channels": [channel],
                "source": source or "opt-out",
                "reason": reason or "Opt-out request",
                "notes": notes,
                "honour_by": honour_by(str(phone), today),
            }
            for phone in dict.fromkeys(judged)
        ]
        counts |= merge_entries(dnc_list, rows, user_id=user_id)
        touch_lists({dnc_list.pk}, added=counts["added"])
        record("dnc.opted_out", "dnclist", dnc_list.pk, numbers=len(rows), channel=channel, source=source)
    if emails:
        addresses = sorted({email.strip().lower() for email in emails})
        stored = EmailOptOut.objects.bulk_create(
            [
                EmailOptOut(
                    email=address,
                    source=source,
                    reason=reason,
                    added_by_id=user_id or current_actor().user_id,
                    organization_id=current_organization_id(),
                )
                for address in addresses
            ],
            ignore_conflicts=True,
        )
        counts["emails"] = len(stored)
        record("dnc.opted_out", "emailoptout", "", emails=len(addresses), source=source)
    told = {"channel": str(channel), "source": source, "numbers": len(judged), "emails": len(emails)}
    publish("dnc_lists", type="opted_out", data=told)
    opt_outs_stored.send(
        sender=DncEntry,
        phone_numbers=[str(phone) for phone in judged],
        emails=[email.strip().lower() for email in emails],
        channel=channel,
    )
    return counts


def take_back_email_opt_out(row: EmailOptOut) -> None:
    """Forget that an address said no, because its owner asked for mail again."""
    EmailOptOut.objects.filter(pk=row.pk).delete()
    record("dnc.opt_out_taken_back", "emailoptout", row.pk)


def share_opt_outs(*, phone_numbers: Sequence[str], emails: Sequence[str]) -> None:
    """Let a no to any of these numbers and addresses hold for all of them: they turned out to be one person's."""
    entries = DncEntry.objects.filter(
        list__name=OPT_OUT_LIST,
        list__type=ListType.COMPANY,
        list__registry__isnull=True,
        phone_number__in=phone_numbers,
        status=EntryStatus.ACTIVE,
    )
    reason = "Merged with a contact who opted out"
    channels = {channel for entry in entries for channel in entry.channels or [Channel.ALL]}
    for channel in sorted(channels):
        reaches = emails if channel in (Channel.ALL, Channel.EMAIL) else []
        add_opt_outs(phone_numbers=phone_numbers, emails=reaches, channel=channel, source="merge", reason=reason)
    if blocked_emails(emails):
        add_opt_outs(emails=emails, source="merge", reason=reason)


def blocked_emails(emails: Iterable[str]) -> set[str]:
    """Return those of the addresses, in lower case, whose owners said no. Runs in the caller's transaction."""
    wanted = [email.strip().lower() for email in emails]
    return set(EmailOptOut.objects.filter(email__in=wanted).values_list("email", flat=True))


def merge_entries(dnc_list: DncList, rows: list[dict[str, Any]], *, user_id: uuid.UUID | None = None) -> dict[str, int]:
    """Put many numbers, each named once, on a list; return how many came anew and how many changed.

    A number that is there keeps its day, gains channels, and takes the later expiry; none is the latest.
    """
    organization_id = current_organization_id()
    table = "dnc_merged_entries"
    copy_to_temporary_table(
        table,
        COLUMNS,
        (
            (
                entry_id,
                dnc_list.pk,
                row["phone_number"],
                row.get("channels") or [],
                row.get("source", ""),
                row.get("reason", ""),
                row.get("notes", ""),
                row.get("expiry_date"),
                row.get("honour_by"),
            )
            for entry_id, row in zip(uuid7_series(len(rows)), rows, strict=True)
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dnc_entries AS entry (organization_id, id, list_id, phone_number, channels, source, reason,"
            " notes, expiry_date, status, honour_by, added_by_id)"
            " SELECT %s, id, list_id, phone_number, channels, source, reason, notes, expiry_date,"
            " CASE WHEN expiry_date <= now() THEN 'expired' ELSE 'active' END, honour_by, %s FROM dnc_merged_entries"
            " ON CONFLICT (organization_id, list_id, phone_number) DO UPDATE SET"
            " channels = CASE WHEN entry.channels = '{}' OR excluded.channels = '{}' THEN '{}'"
            "   ELSE ARRAY(SELECT DISTINCT unnest(entry.channels || excluded.channels) ORDER BY 1) END,"
            " source = coalesce(nullif(excluded.source, ''), entry.source),"
            " reason = coalesce(nullif(excluded.reason, ''), entry.reason),"
            " notes = coalesce(nullif(excluded.notes, ''), entry.notes),"
            " expiry_date = CASE WHEN entry.expiry_date IS NULL OR excluded.expiry_date IS NULL THEN NULL"
            "   ELSE greatest(entry.expiry_date, excluded.expiry_date) END,"
            " status = CASE WHEN entry.status = 'active' THEN 'active' ELSE excluded.status END,"
            " honour_by = coalesce(entry.honour_by, excluded.honour_by)"
            " WHERE (entry.channels, entry.expiry_date, entry.status, entry.reason, entry.source, entry.notes)"
            " IS DISTINCT FROM (CASE WHEN entry.channels = '{}' OR excluded.channels = '{}' THEN '{}'::text[]"
            "   ELSE ARRAY(SELECT DISTINCT unnest(entry.channels || excluded.channels) ORDER BY 1) END,"
            " CASE WHEN entry.expiry_date IS NULL OR excluded.expiry_date IS NULL THEN NULL"
            "   ELSE greatest(entry.expiry_date, excluded.expiry_date) END,"
            " CASE WHEN entry.status = 'active' THEN 'active' ELSE excluded.status END,"
            " coalesce(nullif(excluded.reason, ''), entry.reason), coalesce(nullif(excluded.source, ''), entry.source),"
            " coalesce(nullif(excluded.notes, ''), entry.notes))"
            " RETURNING (xmax = 0)",
            [organization_id, user_id or current_actor().user_id],
        )
        new = [row[0] for row in cursor.fetchall()]
        cursor.execute("DROP TABLE dnc_merged_entries")
    return {"added": sum(new), "updated": len(new) - sum(new)}


def remove_entries(dnc_list: DncList, phone_numbers: Sequence[str]) -> int:
    """Take many numbers off a list; return how many were on it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM dnc_entries WHERE organization_id = %s AND list_id = %s AND phone_number = ANY(%s)",
            [current_organization_id(), dnc_list.pk, list(phone_numbers)],
        )
        return int(cursor.rowcount)


def expire_entries() -> int:
    """Mark the open scope's entries that have run out; the verdict did not heed them from that moment on."""
    due = DncEntry.objects.filter(status=EntryStatus.ACTIVE, expiry_date__lte=timezone.now())
    lists = set(due.values_list("list_id", flat=True))
    count: int = due.update(status=EntryStatus.EXPIRED)
    if lists:
        touch_lists(lists, expired=count)
        record("dnc_entry.expired", "dncentry", "", count=count)
    return count


def honour_by(phone_number: str, day: date) -> date | None:
    """Return the last day the law gives to honour a request made on this day."""
    area = area_of(phone_number[1 : DIGITS + 1])
    rule = rule_book(day).rule("company_dnc", area.jurisdictions)
    if rule is None:
        return None
    if "businessDays" in rule.value:
        return add_business_days(day, area, rule.value["businessDays"])
    return day + timedelta(days=rule.value["days"])


def expiry_of(dnc_list: DncList, phone_number: str, since: datetime) -> datetime | None:
    """Return when an entry of a state's list runs out by that state's law; None when it never does."""
    if dnc_list.type != "state" or not dnc_list.state:
        return None
    rule = rule_book(since.date()).rule("entry_years", (f"US-{dnc_list.state}",))
    if rule is None:
        return None
    try:
        return since.replace(year=since.year + rule.value["years"])
    except ValueError:
        # The 29th of February.
        return since.replace(year=since.year + rule.value["years"], day=28)


def _judged(phone_number: str) -> str:
    (phone,) = entry_numbers([phone_number], region_of_organization())
    if isinstance(phone, PhoneProblem):
        raise Invalid.field(
            "phoneNumber", f"Not a number: {phone.reason}.", value=phone_number[:50], constraint="phone"
        )
    return phone


def _read(entry: DncEntry) -> DncEntry:
    fresh: DncEntry = DncEntry.objects.select_related("list", "added_by").get(pk=entry.pk)
    return fresh
