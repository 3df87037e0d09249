"""What reports can count of CRM syncs."""

from typing import Any

from django.db.models import F, QuerySet

from crm_sync.models import CrmConflict, CrmIntegration, CrmSyncRun
from vocelio.jobs.models import JobStatus
from vocelio.organizations.models import Role
from vocelio.reports.registry import Asked, Metric, UsualTile, choice, count, mean, offer_tiles, record, register, total


def runs(asked: Asked) -> QuerySet[Any]:
    rows: QuerySet[Any] = CrmSyncRun.objects.filter(is_dry=False)
    return rows


OF_RUNS = (
    record("connection", "Connection", "integration_id", CrmIntegration),
    choice("type", "Kind of run", CrmSyncRun.Type.choices, "sync_type"),
    choice("status", "Status", JobStatus.choices),
)
COMMON: dict[str, Any] = {
    "permission": "crm:manage",
    "rows": runs,
    "date": "created_at",
    "dimensions": OF_RUNS,
    "events": ("crm_sync_update",),
}

register(
    Metric("crm.runs", "CRM syncs", "Runs of the sync that were started in the period.", measure=count(), **COMMON),
    Metric(
        "crm.records_added",
        "Records added by CRM sync",
        "Records that runs added, here and in the CRM.",
        measure=total("contacts_added"),
        **COMMON,
    ),
    Metric(
        "crm.records_updated",
        "Records updated by CRM sync",
        "Records that runs changed, here and in the CRM.",
        measure=total("contacts_updated"),
        **COMMON,
    ),
    Metric(
        "crm.errors",
        "CRM sync errors",
        "Records that runs could not write or read.",
        measure=total("error_count"),
        **COMMON,
    ),
    Metric(
        "crm.duration",
        "Time to sync",
        "Seconds from the start to the end of a run, on average.",
        measure=mean(F("completed_at") - F("started_at"), unit="seconds"),
        **COMMON,
    ),
    Metric(
        "crm.conflicts",
        "CRM conflicts",
        "Fields that both sides changed and that a person was asked about.",
        permission="crm:manage",
        rows=lambda asked: CrmConflict.objects.get_queryset(),
        measure=count(),
        date="created_at",
        dimensions=(
            record("connection", "Connection", "integration_id", CrmIntegration),
            choice("status", "Status", CrmConflict.Status.choices),
        ),
        events=("crm_sync_update",),
    ),
)

offer_tiles(
    UsualTile(
        "CRM syncs",
        {"metrics": ["crm.runs", "crm.errors"], "range": {"preset": "last_30_days"}, "granularity": "day"},
        "bar",
        (Role.ADMIN,),
        width=2,
        rank=42,
    )
)
