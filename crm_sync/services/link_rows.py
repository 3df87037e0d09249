"""Find and store many links at once.

Looked up as a probe of the index for each value (LATERAL with OFFSET 0, the organization hidden from the planner): one
without statistics takes a new organization's table for small and reads all of it, for every page. For the same reason
there is no index by state: it looks as good to the planner as the one by remote id, and finds everything.
"""

import uuid
from collections.abc import Iterable, Sequence

import orjson
from django.db import connection

from crm_sync.models import CrmIntegration, CrmLink
from crm_sync.models.links import POINTERS
from crm_sync.providers.values import Kind
from vocelio.db.copy import copy_to_temporary_table
from vocelio.organizations.scope import current_organization_id

_COLUMNS = {
    "id": "uuid",
    "integration_id": "uuid",
    "kind": "text",
    "contact_id": "uuid",
    "client_id": "uuid",
    "remote_id": "text",
    "state": "text",
    "local_base": "jsonb",
    "remote_base": "jsonb",
    "local_version": "timestamptz",
    "remote_version": "text",
    "remote_changed_at": "timestamptz",
    "is_due": "boolean",
    "has_conflict": "boolean",
    "attempted_at": "timestamptz",
    "attempts": "smallint",
    "code": "text",
    "reason": "text",
    "field": "text",
}
_NAMES = ", ".join(_COLUMNS)
_SET = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name not in ("id", "integration_id", "kind"))
_UPSERT = f"""
    INSERT INTO crm_record_links (organization_id, {_NAMES}) SELECT %s, {_NAMES} FROM staged_links
    ON CONFLICT (organization_id, id) DO UPDATE SET {_SET}
"""  # noqa: S608 - the names of columns are this module's own


_BY_REMOTE_ID = """
    SELECT link.id FROM unnest(%(values)s::text[]) AS wanted (value) CROSS JOIN LATERAL (
        SELECT id FROM crm_record_links WHERE organization_id = (SELECT %(organization)s::uuid)
        AND integration_id = %(integration)s AND kind = %(kind)s AND remote_id = wanted.value AND remote_id <> '' OFFSET 0
    ) AS link
"""
_BY_OURS = """
    SELECT link.id FROM unnest(%(values)s::uuid[]) AS wanted (value) CROSS JOIN LATERAL (
        SELECT id, integration_id FROM crm_record_links WHERE organization_id = (SELECT %(organization)s::uuid)
        AND {pointer} = wanted.value OFFSET 0
    ) AS link WHERE link.integration_id = %(integration)s
"""


def links_of_records(
    integration: CrmIntegration, kind: str, remote_ids: Iterable[str], *, lock: bool = False
) -> dict[str, CrmLink]:
    """Return the links of these records by remote id."""
    links = _found(_BY_REMOTE_ID, integration, kind, sorted(set(remote_ids)), lock=lock)
    return {link.remote_id: link for link in links}


def links_of_ours(integration: CrmIntegration, kind: Kind, record_ids: Iterable[uuid.UUID]) -> list[CrmLink]:
    """Return all links of these records of ours, tombstones included."""
    query = _BY_OURS.format(pointer=POINTERS[kind])
    return _found(query, integration, "", sorted(set(record_ids)))


def _found(
    query: str, integration: CrmIntegration, kind: str, values: Sequence[object], *, lock: bool = False
) -> list[CrmLink]:
    if not values:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            query,
            {
                "organization": current_organization_id(),
                "integration": integration.pk,
                "kind": kind,
                "values": list(values),
            },
        )
        ids = [row[0] for row in cursor.fetchall()]
    links = CrmLink.objects.filter(pk__in=ids).order_by("id")
    return list(links.select_for_update() if lock else links) if ids else []


def store_links(links: Sequence[CrmLink]) -> None:
    """Insert or overwrite links."""
    if not links:
        return
    copy_to_temporary_table("staged_links", _COLUMNS, ([_cell(link, name) for name in _COLUMNS] for link in links))
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [current_organization_id()])
        cursor.execute("DROP TABLE staged_links")


def _cell(link: CrmLink, name: str) -> object:
    value = getattr(link, name)
    return orjson.dumps(value).decode() if name in ("local_base", "remote_base") else value
