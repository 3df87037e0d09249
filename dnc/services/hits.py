"""Find everything that is known of many numbers in one statement: the set operation under every verdict.

What is found of a number becomes short texts, its hits; numbers of the same area with the same hits get the same
verdict, so that a million numbers need a few thousand decisions.

    R1                         listed in registry 1
    E2|call,sms|2026-05-03     on the second of the lists, for these channels, since that day
    P|consent|2026-05-03||all  a permission: kind, day, end, channel
    L|wireless|2026-01-02      line type, since
    S|yes|2024-03-01           the Reassigned Numbers Database's answer for a day
    A3                         attempts in the last 24 hours
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

# A registry's numbers have at most thirteen digits; longer ones would not fit a block's key.
REGISTRY = """
SELECT asked.number, 'R' || block.registry_id AS hit FROM {asked} AS asked
JOIN dnc_registry_blocks AS block ON block.registry_id = ANY(%(registries)s)
    AND block.block = CASE WHEN asked.number < 10000000000000 THEN (asked.number / 10000)::integer END
WHERE get_bit(block.bits, (asked.number %% 10000)::integer) = 1
"""
ENTRY = """
SELECT asked.number, concat('E', array_position(%(lists)s::uuid[], entry.list_id), '|',
    array_to_string(entry.channels, ','), '|', entry.created_at::date) AS hit
FROM {asked} AS asked JOIN dnc_entries AS entry ON {match}
WHERE entry.organization_id = %(organization)s AND entry.list_id = ANY(%(lists)s) AND entry.status = 'active'
    AND (entry.expiry_date IS NULL OR entry.expiry_date > %(at)s)
"""
BY_NUMBER = "entry.number = asked.number"
# One comparison for each length of beginnings there is.
BY_BEGINNING = (
    "entry.phone_number = ANY(ARRAY(SELECT left('+' || asked.number, length - 1) || '*'"
    " FROM unnest(%(lengths)s::integer[]) AS length))"
)
PERMISSION = """
SELECT asked.number, concat('P|', kind, '|', occurred_on, '|', expires_on, '|', channel) AS hit
FROM {asked} AS asked JOIN dnc_permissions AS permission ON permission.number = asked.number
WHERE permission.organization_id = %(organization)s
    AND (revoked_at IS NULL OR revoked_at > %(at)s) AND occurred_on <= %(at)s::date
"""
FACT = """
SELECT asked.number, concat(CASE kind WHEN 'line_type' THEN 'L|' ELSE 'S|' END, value, '|', since) AS hit
FROM {asked} AS asked JOIN dnc_number_facts AS fact ON fact.number = asked.number
WHERE fact.organization_id = %(organization)s
"""
ATTEMPT = """
SELECT asked.number, 'A' || count(*) AS hit
FROM {asked} AS asked JOIN dnc_contact_attempts AS attempt ON attempt.number = asked.number
WHERE attempt.organization_id = %(organization)s
    AND attempt.attempted_at > %(at)s - interval '24 hours' AND attempt.attempted_at <= %(at)s
GROUP BY asked.number
"""
KNOWN = """
SELECT EXISTS (SELECT FROM dnc_permissions WHERE organization_id = %(organization)s),
    EXISTS (SELECT FROM dnc_number_facts WHERE organization_id = %(organization)s),
    EXISTS (SELECT FROM dnc_contact_attempts WHERE organization_id = %(organization)s),
    ARRAY(SELECT DISTINCT length(phone_number) FROM dnc_entries
          WHERE organization_id = %(organization)s AND phone_number LIKE '%%*')
"""
GROUPED = (
    "SELECT number, string_agg(hit, ' ' ORDER BY hit COLLATE \"C\") AS hits FROM ({hits}) AS found GROUP BY number"
)


def hits_statement(
    *, asked: str, organization_id: uuid.UUID, list_ids: Sequence[uuid.UUID], registry_ids: Sequence[int], at: datetime
) -> tuple[str, dict[str, Any]]:
    """Return the statement that answers (number, hits) for those numbers of `asked` that have any, and its parameters.

    `asked` is a table, or a parenthesised query, with a column `number`; numbers must differ from each other.
    """
    parameters: dict[str, Any] = {
        "organization": organization_id,
        "lists": list(list_ids),
        "registries": list(registry_ids),
        "at": at,
    }
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, parameters)
        permissions, facts, attempts, lengths = cursor.fetchone()
    parts = []
    if registry_ids:
        parts.append(REGISTRY)
    if list_ids:
        parts.append(ENTRY.replace("{match}", BY_NUMBER))
        if lengths:
            parameters["lengths"] = lengths
            parts.append(ENTRY.replace("{match}", BY_BEGINNING))
    parts += [part for part, is_there in ((PERMISSION, permissions), (FACT, facts), (ATTEMPT, attempts)) if is_there]
    if not parts:
        parts = ["SELECT NULL::bigint AS number, ''::text AS hit WHERE false"]
    hits = " UNION ALL ".join(parts).replace("{asked}", asked)
    return GROUPED.replace("{hits}", hits), parameters


def hits_of(numbers: Sequence[int], **options: Any) -> dict[int, str]:
    """Return the hits of those of the numbers that have any."""
    statement, parameters = hits_statement(asked="(SELECT unnest(%(numbers)s::bigint[]) AS number)", **options)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters | {"numbers": list(numbers)})
        return dict(cursor.fetchall())
