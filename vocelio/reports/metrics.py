"""What reports can count of the platform itself: who works with it, and what is done by which door."""

from typing import Any

from django.db.models import Q, QuerySet

from vocelio.audit.models import AuditEntry
from vocelio.organizations.models import Membership, Role
from vocelio.reports.registry import Asked, Metric, UsualTile, choice, count, offer_tiles, person, register, text

REFUSED = Q(action="access.refused")


def entries(asked: Asked) -> QuerySet[Any]:
    rows: QuerySet[Any] = AuditEntry.objects.get_queryset()
    return rows


OF_ENTRIES = (
    text("action", "Action"),
    text("resource", "Record"),
    text("door", "Door"),
    person("person", "Person", "user_id", none="The system"),
)

register(
    Metric(
        "usage.changes",
        "Changes made",
        "What the audit log tells of in the period, refusals aside.",
        permission="audit:read",
        rows=lambda asked: entries(asked).exclude(REFUSED),
        measure=count(),
        date="created_at",
        dimensions=OF_ENTRIES,
    ),
    Metric(
        "usage.refusals",
        "Refusals",
        "What people or programs tried in the period and may not do.",
        permission="audit:read",
        rows=lambda asked: entries(asked).filter(REFUSED),
        measure=count(),
        date="created_at",
        dimensions=OF_ENTRIES,
    ),
    Metric(
        "usage.members_active",
        "Members active",
        "Members who changed something in the period.",
        permission="audit:read",
        rows=lambda asked: entries(asked).filter(user_id__isnull=False),
        measure=count(distinct="user_id"),
        date="created_at",
        dimensions=OF_ENTRIES,
    ),
    Metric(
        "members.total",
        "Members",
        "Members who may sign in, as of now.",
        permission="members:read",
        rows=lambda asked: Membership.objects.visible_to(asked.principal).active(),
        measure=count(),
        dimensions=(choice("role", "Role", Role.choices), text("team", "Team", none="No team")),
    ),
)

offer_tiles(
    UsualTile(
        "Members active",
        {"metrics": ["usage.members_active"], "range": {"preset": "last_30_days"}, "granularity": "day"},
        "bar",
        (Role.ADMIN,),
        width=2,
        rank=43,
    )
)
