"""Boards: the applications to a job by stage, the jobs by status."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import Count, F

from recruitment.models import Application, ApplicationStage, JobOpening, OpeningStatus
from recruitment.models.applications import ApplicationQuerySet
from recruitment.services.processes import stages_of
from vocelio.access.principal import Principal

# What a column is ordered by: {API name: columns}, each served by an index of its own.
ORDERS: dict[str, list[str]] = {"-stageEnteredAt": ["-stage_entered_at", "-id"]}
DEFAULT_ORDER = "-stageEnteredAt"
JOB_ORDERS: dict[str, list[str]] = {"-createdAt": ["-created_at", "-id"]}

Narrow = Callable[[Any], Any]


def read_columns(
    *, job: JobOpening, principal: Principal, narrow: Narrow, order: str, limit: int
) -> list[dict[str, Any]]:
    """Return the stages of a job with totals and the first cards, one more than `limit` where there are more."""
    # The job is there and visible: what is left of `alive` is the contact's part.
    visible: ApplicationQuerySet = narrow(Application.objects.without_trash().visible_to(principal).filter(job=job))
    totals = dict(visible.order_by().values_list("stage_id").annotate(number=Count("pk")))
    return [
        {
            "stage": stage,
            "count": totals.get(stage.pk, 0),
            "cards": list(read_cards(visible, stage, order)[: limit + 1]) if totals.get(stage.pk) else [],
        }
        for stage in stages_of(job.process_id)
    ]


def read_cards(visible: ApplicationQuerySet, stage: ApplicationStage, order: str) -> Any:
    """Return the cards of one column in the board's order, to be cut into pages."""
    return visible.filter(stage=stage).order_by(*ORDERS[order]).cards()


def shown(cards: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return cards as the API shows them."""
    return [
        {
            "id": card["id"],
            "name": f"{card['first_name']} {card['last_name']}".strip() or card["email"] or card["phone"] or "",
            "contactId": card["contact_id"],
            "job": {"id": card["job_id"], "name": card["job_title"]},
            "stageId": card["stage_id"],
            "stageEnteredAt": card["stage_entered_at"],
            "appliedAt": card["applied_at"],
            "status": card["status"],
            "rating": card["rating"],
            "source": card["source"],
            "tags": card["tags"],
            "assignedTo": {"id": card["assigned_to_id"], "name": card["assignee_name"]}
            if card["assigned_to_id"]
            else None,
            "version": card["version"],
        }
        for card in cards
    ]


def read_job_columns(*, visible: Any, order: str, limit: int) -> list[dict[str, Any]]:
    """Return the jobs by status: totals and the first cards."""
    totals = dict(visible.order_by().values_list("status").annotate(number=Count("pk")))
    return [
        {
            "status": status,
            "label": label,
            "count": totals.get(status, 0),
            "cards": list(read_job_cards(visible, status, order)[: limit + 1]) if totals.get(status) else [],
        }
        for status, label in OpeningStatus.choices
    ]


def read_job_cards(visible: Any, status: str, order: str) -> Any:
    cards = visible.filter(status=status).order_by(*JOB_ORDERS[order]).with_numbers()
    return cards.values(
        "id", "title", "status", "priority", "openings", "created_at", "fill_by", "version", "client_id",
        "open_applications", "hires", client_name=F("client__name"),
    )  # fmt: skip


def shown_jobs(cards: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "id": card["id"],
            "title": card["title"],
            "status": card["status"],
            "priority": card["priority"],
            "openings": card["openings"],
            "hires": card["hires"],
            "openApplications": card["open_applications"],
            "createdAt": card["created_at"],
            "fillBy": card["fill_by"],
            "client": {"id": card["client_id"], "name": card["client_name"]} if card["client_id"] else None,
            "version": card["version"],
        }
        for card in cards
    ]
