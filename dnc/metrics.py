"""What reports can count of Do Not Call: runs, verdicts, entries and opt-outs."""

from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import CharField, F, Func, QuerySet, Sum, TextField, Value

from dnc.models import DncEntry, DncList, EmailOptOut, Scrub
from dnc.models.lists import ListType
from vocelio.jobs.models import JobStatus
from vocelio.organizations.models import Role
from vocelio.reports.registry import (
    Asked,
    Dimension,
    Metric,
    UsualTile,
    choice,
    count,
    mean,
    offer_tiles,
    person,
    record,
    register,
    share,
    text,
    total,
)


def scrubs(asked: Asked) -> QuerySet[Any]:
    rows: QuerySet[Any] = Scrub.objects.filter(status=JobStatus.COMPLETED)
    return rows


def entries(asked: Asked) -> QuerySet[Any]:
    rows: QuerySet[Any] = DncEntry.objects.get_queryset()
    return rows


def joined(column: str) -> Func:
    """Return the values of an array as one text."""
    cast = Func(F(column), function="", template="%(expressions)s::text[]", output_field=ArrayField(TextField()))
    return Func(cast, Value(", "), function="array_to_string", output_field=CharField())


OF_SCRUBS = (text("mode", "Mode"), person("person", "Started by", "created_by_id"))
CHANNEL = Dimension("channel", "Channel", joined("channels"), none="All channels")
OF_ENTRIES = (
    record("list", "List", "list_id", DncList),
    choice("type", "Kind of list", ListType.choices, "list__type"),
    CHANNEL,
    text("source", "Source", none="Not given"),
    text("reason", "Reason", none="Not given"),
)
SCRUB_EVENTS, LIST_EVENTS = ("scrub_progress",), ("dnc_lists", "dnc_upload_progress")

register(
    Metric(
        "dnc.scrubs",
        "Scrubs",
        "Runs that held contact lists against Do Not Call lists.",
        permission="dnc:manage",
        rows=scrubs,
        measure=count(),
        date="created_at",
        dimensions=OF_SCRUBS,
        events=SCRUB_EVENTS,
    ),
    Metric(
        "dnc.contacts_scrubbed",
        "Contacts scrubbed",
        "Contacts with a number that scrubs judged.",
        permission="dnc:manage",
        rows=scrubs,
        measure=total("total_contacts"),
        date="created_at",
        dimensions=OF_SCRUBS,
        events=SCRUB_EVENTS,
    ),
    Metric(
        "dnc.compliance_rate",
        "Compliance rate",
        "Share of the contacts scrubbed that may be called.",
        permission="dnc:manage",
        rows=scrubs,
        measure=share(Sum("clean_contacts"), Sum("total_contacts")),
        date="created_at",
        dimensions=OF_SCRUBS,
        events=SCRUB_EVENTS,
    ),
    Metric(
        "dnc.blocked_share",
        "Blocked",
        "Share of the contacts scrubbed that are listed or blocked.",
        permission="dnc:manage",
        rows=scrubs,
        measure=share(Sum(F("matched_dnc") + F("blocked_contacts")), Sum("total_contacts")),
        date="created_at",
        dimensions=OF_SCRUBS,
        events=SCRUB_EVENTS,
    ),
    Metric(
        "dnc.scrub_duration",
        "Time to scrub",
        "Seconds from the start to the end of a scrub, on average.",
        permission="dnc:manage",
        rows=scrubs,
        measure=mean(F("completed_at") - F("started_at"), unit="seconds"),
        date="created_at",
        dimensions=OF_SCRUBS,
        events=SCRUB_EVENTS,
    ),
    Metric(
        "dnc.entries_added",
        "DNC entries added",
        "Numbers that came to the organization's own Do Not Call lists in the period.",
        permission="dnc:manage",
        rows=entries,
        measure=count(),
        date="created_at",
        dimensions=OF_ENTRIES,
        events=LIST_EVENTS,
    ),
    Metric(
        "dnc.opt_outs",
        "Opt-outs by number",
        "Numbers that came to company lists in the period, by the channel they said no to.",
        permission="dnc:manage",
        rows=lambda asked: entries(asked).filter(list__in=DncList.objects.filter(type=ListType.COMPANY)),
        measure=count(),
        date="created_at",
        dimensions=OF_ENTRIES,
        events=LIST_EVENTS,
    ),
    Metric(
        "dnc.email_opt_outs",
        "Opt-outs by e-mail",
        "E-mail addresses whose owners said no in the period.",
        permission="dnc:manage",
        rows=lambda asked: EmailOptOut.objects.get_queryset(),
        measure=count(),
        date="created_at",
        dimensions=(text("source", "Source", none="Not given"), text("reason", "Reason", none="Not given")),
        events=LIST_EVENTS,
    ),
)

offer_tiles(
    UsualTile(
        "Compliance rate",
        {"metrics": ["dnc.compliance_rate"], "range": {"preset": "last_30_days"}, "compare": True},
        "number",
        (Role.MANAGER, Role.ADMIN),
        rank=15,
    )
)
