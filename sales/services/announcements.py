"""What sockets hear of sales."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.db import transaction

from sales.models import Activity, Deal, Pipeline, Project
from sales.signals import activities_changed
from vocelio.audit.context import current_actor
from vocelio.realtime.publish import publish


def actor_id() -> str | None:
    user_id = current_actor().user_id
    return str(user_id) if user_id else None


def announce_deal(event: str, deal: Deal, owners: Iterable[uuid.UUID | None] = (), **data: Any) -> None:
    """Publish `deal_created`, `deal_updated`, `deal_moved` or `deal_deleted`; `owners` were responsible before."""
    publish(
        "deals",
        type=event,
        data={
            "dealId": str(deal.pk),
            "pipelineId": str(deal.pipeline_id),
            "stageId": str(deal.stage_id),
            "status": deal.status,
            "version": deal.version,
            "updatedBy": actor_id(),
            **data,
        },
        owners=[deal.assigned_to_id, *owners],
    )


def announce_deals(action: str, deals: Iterable[Deal], owners: Iterable[uuid.UUID | None] = ()) -> None:
    """Publish one `deals_changed` for many deals, whose followers then read them anew."""
    deals = list(deals)
    for pipeline_id in {deal.pipeline_id for deal in deals}:
        changed = [deal for deal in deals if deal.pipeline_id == pipeline_id]
        publish(
            "deals",
            type="deals_changed",
            data={
                "action": action,
                "count": len(changed),
                "pipelineId": str(pipeline_id),
                "updatedBy": actor_id(),
            },
            owners=[*(deal.assigned_to_id for deal in changed), *owners],
        )


def announce_pipeline(pipeline: Pipeline) -> None:
    publish(
        "pipelines",
        type="pipeline_changed",
        data={"pipelineId": str(pipeline.pk), "version": pipeline.version, "updatedBy": actor_id()},
    )


def announce_project(event: str, project: Project, owners: Iterable[uuid.UUID | None] = (), **data: Any) -> None:
    publish(
        "projects",
        type=event,
        data={"projectId": str(project.pk), "status": project.status, "updatedBy": actor_id(), **data},
        owners=[project.assigned_to_id, *owners],
    )


def announce_activity(event: str, activity: Activity, owners: Iterable[uuid.UUID | None] = ()) -> None:
    linked = {"dealId": activity.deal_id, "contactId": activity.contact_id, "projectId": activity.project_id}
    publish(
        "activities",
        type=event,
        data={
            "activityId": str(activity.pk),
            "kind": activity.kind,
            "subject": activity.subject,
            "dueAt": activity.due_at.isoformat() if activity.due_at else None,
            "updatedBy": actor_id(),
            **{name: str(value) if value else None for name, value in linked.items()},
        },
        owners=[activity.assigned_to_id, *owners],
    )
    if activity.contact_id is not None:
        heard = {"organization_id": activity.organization_id, "contact_ids": [activity.contact_id]}
        transaction.on_commit(lambda: activities_changed.send(sender=None, **heard))
