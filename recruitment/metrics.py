"""What reports can count of recruiting. Applications are counted from the events that stay when people are forgotten."""

from typing import Any

from django.db.models import Count, F, Q, QuerySet, Value
from django.db.models.functions import Concat

from contacts.models import Client
from recruitment.models import (
    ApplicationStage,
    CandidateFile,
    Interview,
    InterviewKind,
    InterviewStatus,
    JobOpening,
    Offer,
    OfferStatus,
    OpeningStatus,
    Placement,
    PlacementStatus,
    StageEvent,
    StageOutcome,
)
from vocelio.organizations.models import Role
from vocelio.reports.registry import (
    Asked,
    Metric,
    UsualTile,
    choice,
    count,
    mean,
    net,
    offer_tiles,
    person,
    record,
    register,
    share,
    text,
    total,
)


def events(asked: Asked) -> QuerySet[Any]:
    rows: Any = StageEvent.objects.get_queryset().visible_to(asked.principal)
    return rows  # type: ignore[no-any-return]


def of(model: Any, **conditions: Any) -> Any:
    """Return the reader of a table as the caller may see it."""

    def rows(asked: Asked) -> Any:
        return model.objects.get_queryset().visible_to(asked.principal).filter(**conditions)

    return rows


def became(outcome: str) -> Any:
    """Return the measure of how many ended so, less what was taken back."""
    return net(Q(to_outcome=outcome) & ~Q(from_outcome=outcome), Q(from_outcome=outcome) & ~Q(to_outcome=outcome))


IN_ORDER = ("process__name", "process_id", "position")
STAGE_NAME = Concat("process__name", Value(": "), "name")
RECRUITER = person("recruiter", "Recruiter", "assigned_to_id")
JOB = record("job", "Job", "job_id", JobOpening, "title")
CLIENT = record("client", "Client", "client_id", Client)
SOURCE = text("source", "Source", none="Not given")
OF_EVENTS = (
    JOB,
    CLIENT,
    RECRUITER,
    SOURCE,
    record("stage", "Stage", "to_stage_id", ApplicationStage, STAGE_NAME, order=IN_ORDER),
)
OF_OFFERS = (choice("status", "Status", OfferStatus.choices), JOB, RECRUITER)
OF_PLACEMENTS = (choice("status", "Status", PlacementStatus.choices), JOB, CLIENT, RECRUITER)
EVENTS: dict[str, Any] = {
    "permission": "applications:read",
    "rows": events,
    "date": "moved_at",
    "dimensions": OF_EVENTS,
    "events": ("applications",),
}
OFFERS: dict[str, Any] = {
    "permission": "offers:read",
    "rows": of(Offer, sent_at__isnull=False),
    "date": "sent_at",
    "dimensions": OF_OFFERS,
    "events": ("applications",),
}

register(
    Metric(
        "applications.received",
        "Applications",
        "Applications that came in the period, whatever became of them.",
        measure=count(Q(from_outcome="")),
        **EVENTS,
    ),
    Metric(
        "applications.stage_entries",
        "Applications entering stages",
        "How often applications came to a stage in the period: the funnel.",
        measure=count(),
        **EVENTS,
    ),
    Metric(
        "applications.stage_conversion",
        "Went on to the next stage",
        "Share of the changes of stage in the period, from an open stage, that led on to an open stage or a hire.",
        permission="applications:read",
        rows=lambda asked: events(asked).filter(from_outcome=StageOutcome.OPEN),
        measure=share(
            Count(
                "pk",
                filter=Q(to_outcome=StageOutcome.HIRED)
                | Q(to_outcome=StageOutcome.OPEN, to_stage__position__gt=F("from_stage__position")),
            ),
            Count("pk"),
        ),
        date="moved_at",
        dimensions=(
            JOB,
            CLIENT,
            RECRUITER,
            SOURCE,
            record("stage", "From stage", "from_stage_id", ApplicationStage, STAGE_NAME, order=IN_ORDER),
        ),
        events=("applications",),
    ),
    Metric(
        "applications.hired",
        "Hires",
        "Applications that became hires in the period, less those taken back.",
        measure=became(StageOutcome.HIRED),
        **EVENTS,
    ),
    Metric(
        "applications.rejected",
        "Rejections",
        "Applications that were rejected in the period, less those taken back.",
        measure=became(StageOutcome.REJECTED),
        **EVENTS,
    ),
    Metric(
        "applications.time_to_fill",
        "Days to fill",
        "Days from the opening of the job to each hire, on average.",
        measure=mean("since_opened", unit="days", of=Q(to_outcome=StageOutcome.HIRED)),
        **EVENTS,
    ),
    Metric(
        "applications.time_to_hire",
        "Days to hire",
        "Days from the application to each hire, on average.",
        measure=mean("since_applied", unit="days", of=Q(to_outcome=StageOutcome.HIRED)),
        **EVENTS,
    ),
    Metric(
        "applications.time_in_stage",
        "Days in a stage",
        "Days that applications spent in the stage they left in the period, on average.",
        permission="applications:read",
        rows=events,
        measure=mean("seconds", unit="days"),
        date="moved_at",
        dimensions=(
            JOB,
            CLIENT,
            RECRUITER,
            record("stage", "Stage", "from_stage_id", ApplicationStage, STAGE_NAME, order=IN_ORDER, none="New"),
        ),
        events=("applications",),
    ),
    Metric(
        "jobs.opened",
        "Jobs opened",
        "Jobs that were first opened in the period.",
        permission="jobs:read",
        rows=of(JobOpening, deleted_at__isnull=True, opened_at__isnull=False),
        measure=count(),
        date="opened_at",
        dimensions=(
            choice("status", "Status", OpeningStatus.choices),
            CLIENT,
            RECRUITER,
            text("department", "Department", none="Not given"),
        ),
        events=("jobs",),
    ),
    Metric(
        "interviews.planned",
        "Interviews",
        "Interviews that take place in the period.",
        permission="applications:read",
        rows=of(Interview),
        measure=count(),
        date="starts_at",
        dimensions=(
            choice("status", "Status", InterviewStatus.choices),
            choice("kind", "Kind", InterviewKind.choices),
            person("recruiter", "Recruiter", "application__assigned_to_id"),
        ),
        events=("applications",),
    ),
    Metric("offers.sent", "Offers", "Offers that were sent in the period.", measure=count(), **OFFERS),
    Metric(
        "offers.acceptance",
        "Offers accepted",
        "Share of the offers sent in the period and answered that were accepted.",
        measure=share(
            Count("pk", filter=Q(status=OfferStatus.ACCEPTED)),
            Count("pk", filter=Q(status__in=[OfferStatus.ACCEPTED, OfferStatus.DECLINED])),
        ),
        **OFFERS,
    ),
    Metric(
        "candidates.storage",
        "Documents of candidates",
        "Size of the documents that were given to candidates in the period.",
        permission="profiles:read",
        rows=of(CandidateFile),
        measure=total("size", unit="bytes"),
        date="created_at",
        dimensions=(choice("kind", "Kind", CandidateFile.Kind.choices),),
        events=("contacts",),
    ),
    Metric(
        "placements.made",
        "Placements",
        "Placements that were agreed in the period and did not fall through.",
        permission="applications:read",
        rows=of(Placement),
        measure=count(~Q(status=PlacementStatus.FELL_THROUGH)),
        date="placed_at",
        dimensions=OF_PLACEMENTS,
        events=("applications",),
    ),
)

offer_tiles(
    UsualTile(
        "Applications",
        {
            "metrics": ["applications.received"],
            "range": {"preset": "last_90_days"},
            "granularity": "week",
            "compare": True,
        },
        "line",
        (Role.AGENT, Role.MANAGER),
        width=2,
        rank=30,
    ),
    UsualTile(
        "Applications by stage",
        {"metrics": ["applications.stage_entries"], "dimensions": ["stage"], "range": {"preset": "last_90_days"}},
        "funnel",
        (Role.MANAGER,),
        width=2,
        rank=31,
    ),
)
