"""The organization's contacts in figures."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import connection

from contacts.models import ContactList, ContactTally
from vocelio.errors import Invalid
from vocelio.organizations.scope import current_organization_id

LONGEST = timedelta(days=366)
MOST_SHOWN = 20

_GROWTH = """
    SELECT day::date, coalesce(added, 0), coalesce(deleted, 0)
    FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day
    LEFT JOIN (
        SELECT (created_at AT TIME ZONE 'UTC')::date AS day, count(*) AS added FROM contacts
        WHERE organization_id = %(organization)s AND created_at >= %(start)s AND created_at < %(end)s
            AND merged_into_id IS NULL GROUP BY 1
    ) AS additions USING (day)
    LEFT JOIN (
        SELECT (deleted_at AT TIME ZONE 'UTC')::date AS day, count(*) AS deleted FROM contacts
        WHERE organization_id = %(organization)s AND deleted_at >= %(start)s AND deleted_at < %(end)s
            AND merged_into_id IS NULL GROUP BY 1
    ) AS deletions USING (day)
    ORDER BY 1
"""
_QUALITY = """
    SELECT count(*), count(phone), count(*) FILTER (WHERE email <> ''), count(phone) FILTER (WHERE email <> ''),
        count(*) FILTER (WHERE first_name <> '' OR last_name <> ''), count(*) FILTER (WHERE company <> ''),
        count(*) FILTER (WHERE last_contacted_at IS NOT NULL)
    FROM contacts WHERE organization_id = %(organization)s AND deleted_at IS NULL
        AND created_at >= %(start)s AND created_at < %(end)s
"""
_SOURCES = """
    SELECT source, count(*) FROM contacts WHERE organization_id = %(organization)s AND deleted_at IS NULL
        AND created_at >= %(start)s AND created_at < %(end)s GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %(most)s
"""
_IMPORTS = """
    SELECT count(*), count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed'),
        count(*) FILTER (WHERE status = 'cancelled'), coalesce(sum(total_rows), 0)::bigint,
        coalesce(sum(imported_contacts), 0)::bigint, coalesce(sum(updated_contacts), 0)::bigint,
        coalesce(sum(duplicates), 0)::bigint, coalesce(sum(invalid_contacts), 0)::bigint
    FROM import_jobs WHERE organization_id = %(organization)s AND created_at >= %(start)s AND created_at < %(end)s
"""
_DUPLICATES = """
    SELECT (SELECT count(*) FROM contact_duplicates WHERE organization_id = %(organization)s AND status = 'open'),
        (SELECT count(*) FROM contact_duplicates WHERE organization_id = %(organization)s AND status = 'dismissed'
            AND dismissed_at >= %(start)s AND dismissed_at < %(end)s),
        (SELECT count(*) FROM contact_merges WHERE organization_id = %(organization)s AND unmerged_at IS NULL
            AND merged_at >= %(start)s AND merged_at < %(end)s)
"""


def describe_contacts(*, first: date, last: date) -> dict[str, Any]:
    """Return growth, sources, quality, duplicates, lists and imports from the first to the last day (UTC)."""
    if last < first or last - first > LONGEST:
        raise Invalid.field("to", "Give from and to, at most a year apart.", value=str(last), constraint="range")
    start = datetime.combine(first, time(), UTC)
    values = {
        "organization": current_organization_id(),
        "first": first,
        "last": last,
        "start": start,
        "end": datetime.combine(last + timedelta(days=1), time(), UTC),
        "most": MOST_SHOWN,
    }
    by_status = ContactTally.objects.by_status()
    quality = _read(_QUALITY, values)[0]
    imports = _read(_IMPORTS, values)[0]
    duplicates = _read(_DUPLICATES, values)[0]
    sizes = (
        ContactList.objects.with_counts().filter(filter__isnull=True).order_by("-contact_count", "name")[:MOST_SHOWN]
    )
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "totals": {"contacts": sum(by_status.values()), **by_status},
        "growth": [
            {"day": day.isoformat(), "added": added, "deleted": gone} for day, added, gone in _read(_GROWTH, values)
        ],
        "sources": [{"source": source or "unknown", "contacts": number} for source, number in _read(_SOURCES, values)],
        "validity": _named(
            "added", "withPhone", "withEmail", "withBoth", "withName", "withCompany", "contacted", values=quality
        ),
        "duplicates": _named("open", "dismissed", "merged", values=duplicates),
        "lists": [{"id": str(each.pk), "name": each.name, "contacts": each.contact_count} for each in sizes],
        "imports": _named(
            "files",
            "completed",
            "failed",
            "cancelled",
            "rows",
            "imported",
            "updated",
            "duplicates",
            "invalid",
            values=imports,
        ),
    }


def flat_rows(figures: dict[str, Any]) -> list[list[Any]]:
    """Return the figures as rows of section, name and value, for a file."""
    rows: list[list[Any]] = [["section", "name", "value"]]
    for section, content in figures.items():
        if isinstance(content, dict):
            rows += [[section, name, value] for name, value in content.items()]
        elif section == "growth":
            rows += [[name, day["day"], day[name]] for day in content for name in ("added", "deleted")]
        elif isinstance(content, list):
            rows += [[section, each.get("name", each.get("source")), each["contacts"]] for each in content]
        else:
            rows.append(["range", section, content])
    return rows


def _read(sql: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return list(cursor.fetchall())


def _named(*names: str, values: tuple[Any, ...]) -> dict[str, int]:
    return dict(zip(names, map(int, values), strict=True))
