"""What sockets may follow of sales."""

from collections.abc import Mapping
from typing import Any

from vocelio.realtime.shapes import FREE, ID, NUMBER, OPTIONAL_ID, OPTIONAL_TIME, TEXT, bulk, shape
from vocelio.realtime.topics import Topic, register


def of_pipeline(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "pipelineId" not in filters or filters["pipelineId"] == data.get("pipelineId")


DEAL = {"dealId": ID, "pipelineId": ID, "stageId": ID, "status": TEXT, "version": NUMBER, "updatedBy": OPTIONAL_ID}
PROJECT = shape(projectId=ID, status=TEXT, updatedBy=OPTIONAL_ID)
ACTIVITY = shape(
    activityId=ID,
    kind=TEXT,
    subject=TEXT,
    dueAt=OPTIONAL_TIME,
    updatedBy=OPTIONAL_ID,
    dealId=OPTIONAL_ID,
    contactId=OPTIONAL_ID,
    projectId=OPTIONAL_ID,
)

register(
    Topic(
        "deals",
        "Deals as they are made, changed and moved on their boards.",
        permission="deals:read",
        owned=True,
        filters=("pipelineId",),
        matches=of_pipeline,
        events={
            "deal_created": shape(**DEAL),
            "deal_updated": shape(optional=["changes"], changes=FREE, **DEAL),
            "deal_moved": shape(fromStageId=ID, name=TEXT, **DEAL),
            "deal_deleted": shape(**DEAL),
            "deals_changed": bulk(pipelineId=ID),
        },
    )
)
register(
    Topic(
        "pipelines",
        "Pipelines whose stages or rules change.",
        permission="pipelines:read",
        events={"pipeline_changed": shape(pipelineId=ID, version=NUMBER, updatedBy=OPTIONAL_ID)},
    )
)
register(
    Topic(
        "projects",
        "Projects, their members and milestones.",
        permission="projects:read",
        owned=True,
        events=dict.fromkeys(("project_created", "project_updated", "project_deleted"), PROJECT),
    )
)
register(
    Topic(
        "activities",
        "Calls, meetings, tasks and notes.",
        permission="activities:read",
        owned=True,
        events={f"activity_{what}": ACTIVITY for what in ("created", "updated", "completed", "deleted")},
    )
)
