"""What webhooks tell of sales."""

from typing import Any

from vocelio.webhooks.events import Data, EventType, Shown, register

DEAL = Shown("deal", "dealId", "sales.views.deals.DealViewSet")
ACTIVITY = Shown("activity", "activityId", "sales.views.activities.ActivityViewSet")
PROJECT = Shown("project", "projectId", "sales.views.projects.ProjectViewSet")
ID = "00000000-0000-0000-0000-000000000000"
OF_DEAL = {"dealId": ID, "pipelineId": ID, "stageId": ID, "status": "open", "version": 1, "updatedBy": None}


def is_won(data: Data) -> bool:
    return bool(data["status"] == "won")


def is_lost(data: Data) -> bool:
    return bool(data["status"] == "lost")


def is_conversion(data: Data) -> bool:
    return bool(data["kind"] == "lead.converted")


def conversion(data: Data) -> dict[str, Any]:
    return {"contactId": data["resourceId"], **data["data"], "updatedBy": data["userId"]}


for name, summary, on in (
    ("deal.created", "A deal was made, or came back from the trash.", "deal_created"),
    ("deal.updated", "A deal was changed; `changedFields` names what.", "deal_updated"),
    ("deal.moved", "A deal was moved to another stage.", "deal_moved"),
    ("deal.deleted", "A deal was moved to the trash.", "deal_deleted"),
):
    register(EventType(name, summary, topic="deals", on=on, shows=DEAL, example=OF_DEAL))
for name, summary, when in (
    ("deal.won", "A deal was won; deal.moved tells of it too.", is_won),
    ("deal.lost", "A deal was lost; deal.moved tells of it too.", is_lost),
):
    example = OF_DEAL | {"status": name.partition(".")[2]}
    register(EventType(name, summary, topic="deals", on="deal_moved", shows=DEAL, when=when, example=example))
register(
    EventType(
        "deals.changed",
        "Many deals of a pipeline were changed at once: read them anew.",
        topic="deals",
        on="deals_changed",
        example={"action": "imported", "count": 20, "pipelineId": ID, "updatedBy": None},
    )
)
register(
    EventType(
        "lead.converted",
        "A lead became a client's contact, with a deal or without.",
        topic="feed",
        on="feed_entry",
        shows=Shown("contact", "resourceId", "contacts.views.contacts.ContactViewSet"),
        when=is_conversion,
        shape=conversion,
        example={"resourceId": ID, "data": {"dealId": ID, "clientId": ID}, "userId": ID},
    )
)
for on, summary in (
    ("created", "An activity was planned or noted."),
    ("updated", "An activity was changed."),
    ("completed", "An activity was completed."),
    ("deleted", "An activity was deleted."),
):
    example = {"activityId": ID, "kind": "call", "subject": "Call back", "dueAt": None, "updatedBy": None}
    register(
        EventType(f"activity.{on}", summary, topic="activities", on=f"activity_{on}", shows=ACTIVITY, example=example)
    )
for on, summary in (
    ("created", "A project was made."),
    ("updated", "A project was changed."),
    ("deleted", "A project was deleted."),
):
    example = {"projectId": ID, "status": "planning", "updatedBy": None}
    register(EventType(f"project.{on}", summary, topic="projects", on=f"project_{on}", shows=PROJECT, example=example))
