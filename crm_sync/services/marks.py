"""Find what has changed on our side since the last run, in chunks, without reading what has not."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from crm_sync.models import CrmLink
from crm_sync.services.comparison import Comparison

CHUNK = 5_000

# Rows bear the time of their statement, new ones of their transaction; either is not before the transaction began. So
# whatever is not visible yet was stored after this moment, and the next run finds it.
_WATERMARK = """
    SELECT least(min(xact_start), now()) FROM pg_stat_activity
    WHERE datname = current_database() AND xact_start IS NOT NULL
"""
_ALIVE = """
    SELECT id, updated_at FROM {table} WHERE organization_id = %(organization)s AND deleted_at IS NULL
    AND (updated_at, id) > (%(at)s, %(id)s) ORDER BY updated_at, id LIMIT %(chunk)s
"""
_TRASHED = """
    SELECT id, deleted_at FROM {table} WHERE organization_id = %(organization)s AND deleted_at IS NOT NULL
    AND (deleted_at, id) > (%(at)s, %(id)s) ORDER BY deleted_at, id LIMIT %(chunk)s
"""
# Probes of the index for each record, as in link_rows.py; by nothing but the record, or another index looks as good.
_NEW = """
    INSERT INTO crm_record_links (id, organization_id, integration_id, kind, {pointer}, remote_id, state, local_base,
        remote_base, remote_version, is_due, has_conflict, attempts, code, reason, field)
    SELECT uuid7(), %(organization)s, %(integration)s, %(kind)s, wanted.id, '', 'new', '{{}}', '{{}}', '', true, false,
        0, '', '', ''
    FROM unnest(%(ids)s::uuid[]) AS wanted (id) LEFT JOIN LATERAL (
        SELECT integration_id FROM crm_record_links
        WHERE organization_id = (SELECT %(organization)s::uuid) AND {pointer} = wanted.id OFFSET 0
    ) AS link ON link.integration_id = %(integration)s
    WHERE link.integration_id IS NULL
    ON CONFLICT DO NOTHING
"""
_LINKS = """
    WITH wanted AS MATERIALIZED (
        SELECT link.id FROM unnest(%(ids)s::uuid[]) AS wanted (id) CROSS JOIN LATERAL (
            SELECT id, integration_id, kind, {pointer}, state, code, remote_id, local_version, is_due
            FROM crm_record_links
            WHERE organization_id = (SELECT %(organization)s::uuid) AND {pointer} = wanted.id OFFSET 0
        ) AS link CROSS JOIN LATERAL (
            SELECT updated_at FROM {table} WHERE organization_id = (SELECT %(organization)s::uuid)
            AND id = link.{pointer} OFFSET 0
        ) AS ours
"""
_CHANGED = (
    _LINKS
    + """
        WHERE link.integration_id = %(integration)s AND link.kind = %(kind)s AND NOT link.is_due
        AND link.local_version IS DISTINCT FROM ours.updated_at
        AND (link.state <> 'tombstoned' OR (link.code = 'LOCAL_DELETED' AND link.remote_id <> '' AND %(revives)s))
    )
    UPDATE crm_record_links SET is_due = true,
        state = CASE WHEN state = 'tombstoned' THEN 'linked' ELSE state END,
        code = CASE WHEN state = 'tombstoned' THEN '' ELSE code END
    WHERE organization_id = %(organization)s AND id = ANY(ARRAY(SELECT id FROM wanted))
"""
)
_GONE = (
    _LINKS
    + """
        WHERE link.integration_id = %(integration)s AND link.kind = %(kind)s AND NOT link.is_due
        AND link.state <> 'tombstoned'
    )
    UPDATE crm_record_links SET is_due = true
    WHERE organization_id = %(organization)s AND id = ANY(ARRAY(SELECT id FROM wanted))
"""
)
# Before any record there can be.
BEGINNING = "0001-01-01T00:00:00+00:00"
LOWEST = uuid.UUID(int=0)


class Place(NamedTuple):
    """How far our records have been looked through, in the order of their changes."""

    at: str
    id: str

    @classmethod
    def start(cls, since: datetime | None) -> "Place":
        return cls(since.isoformat() if since else BEGINNING, str(LOWEST))


def watermark() -> datetime:
    """Return the moment up to which every change of ours can be seen now."""
    with connection.cursor() as cursor:
        cursor.execute(_WATERMARK)
        moment: datetime = cursor.fetchone()[0]
    return moment


def mark_changed(comparison: Comparison, place: Place) -> Place | None:
    """Make the next chunk of changed records due, new ones included; return where to go on, None at the end."""
    ids, following = _chunk(_ALIVE, comparison, place)
    if not ids:
        return None
    values = _values(comparison) | {"ids": ids, "revives": comparison.settings.local_deletes == "keep"}
    with connection.cursor() as cursor:
        if comparison.settings.pushes and comparison.settings.create_remote:
            cursor.execute(_of(comparison, _NEW), values)
        cursor.execute(_of(comparison, _CHANGED), values)
    return following


def mark_trashed(comparison: Comparison, place: Place) -> Place | None:
    """Make the links of records that went to the trash due."""
    ids, following = _chunk(_TRASHED, comparison, place)
    if not ids:
        return None
    with connection.cursor() as cursor:
        cursor.execute(_of(comparison, _GONE), _values(comparison) | {"ids": ids})
    return following


def changed_links(comparison: Comparison, place: Place, *, trashed: bool) -> tuple[list[CrmLink], Place | None]:
    """Return the links that the two above would make due, without making or marking any: for a dry run."""
    ids, following = _chunk(_TRASHED if trashed else _ALIVE, comparison, place)
    if not ids:
        return [], None
    pointer = comparison.records.pointer
    links = list(
        CrmLink.objects.filter(
            integration=comparison.integration, kind=comparison.kind.value, **{f"{pointer}__in": ids}
        )
    )
    found = [link for link in links if link.state != CrmLink.State.TOMBSTONED]
    if not trashed and comparison.settings.pushes and comparison.settings.create_remote:
        known = {link.record_id for link in links}
        found += [
            CrmLink(integration=comparison.integration, kind=comparison.kind.value, **{pointer: record_id})
            for record_id in ids
            if record_id not in known
        ]
    return found, following


def count_deletes(comparison: Comparison) -> int:
    """Return how many records are due to be deleted in the CRM."""
    if comparison.settings.local_deletes != "delete" or not comparison.settings.pushes:
        return 0
    due = CrmLink.objects.due().filter(integration=comparison.integration, kind=comparison.kind.value)
    sent = due.exclude(remote_id="").values(comparison.records.pointer)
    gone = comparison.records.model.objects.in_trash().filter(pk__in=sent)
    return int(gone.count())


def _of(comparison: Comparison, query: str) -> str:
    """Return the statement for the kind's table and the column that points to it."""
    return query.format(table=comparison.records.model._meta.db_table, pointer=comparison.records.pointer)


def _chunk(query: str, comparison: Comparison, place: Place) -> tuple[list[uuid.UUID], Place | None]:
    with connection.cursor() as cursor:
        cursor.execute(_of(comparison, query), _values(comparison) | {"at": place.at, "id": place.id, "chunk": CHUNK})
        rows: Sequence[tuple[uuid.UUID, datetime]] = cursor.fetchall()
    if not rows:
        return [], None
    last_id, last_at = rows[-1]
    following = Place(last_at.isoformat(), str(last_id)) if len(rows) == CHUNK else None
    return [row[0] for row in rows], following


def _values(comparison: Comparison) -> dict[str, Any]:
    return {
        "organization": comparison.run.organization_id,
        "integration": comparison.integration.pk,
        "kind": comparison.kind.value,
    }
