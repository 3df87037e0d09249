"""What reports can count of contacts, clients, lists and imports."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import BigIntegerField, Count, F, Q, QuerySet, Sum, Value
from django.utils import timezone

from contacts.models import (
    Client,
    ClientStatus,
    Contact,
    ContactArrival,
    ContactExport,
    ContactImport,
    ContactList,
    ContactListMembership,
    ContactStatus,
    ContactTally,
)
from contacts.models.clients import Verification
from contacts.record_kinds import record_choices
from vocelio.jobs.models import JobStatus
from vocelio.organizations.models import Role
from vocelio.reports.periods import zone_of
from vocelio.reports.registry import (
    Asked,
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

SOURCE = text("source", "Source", none="Not given")
OWNER = person("owner", "Owner", "assigned_to_id")
COUNTRY = text("country", "Country", none="Not given")
STATE = text("state", "State", none="Not given")
OF_CONTACTS = (choice("status", "Status", ContactStatus.choices), SOURCE, OWNER, COUNTRY, STATE)
# What is counted as contacts come and go.
OF_ARRIVALS = {"status", "source"}
OF_CLIENTS = (
    choice("status", "Status", ClientStatus.choices),
    choice("verification", "Verification", Verification.choices),
    text("industry", "Industry", none="Not given"),
    SOURCE,
    OWNER,
    COUNTRY,
)
OF_IMPORTS = (
    choice("status", "Status", JobStatus.choices),
    choice("kind", "Kind of record", record_choices(), "record_type"),
    person("person", "Started by", "created_by_id"),
)
ONE = Value(1, BigIntegerField())
CONTACT_EVENTS = ("contacts", "import_progress")


def contacts_there(asked: Asked) -> QuerySet[Any]:
    """Return contacts outside the trash, of the kept tallies where those say all that is asked."""
    rows: QuerySet[Any]
    if asked.principal.sees_own_team_only or not asked.used <= OF_ARRIVALS:
        rows = _of(Contact.objects.alive(), asked).annotate(delta=ONE)
    elif asked.used <= {"status"}:
        rows = ContactTally.objects.filter(list__isnull=True)
    else:
        rows = ContactArrival.objects.get_queryset()
    return rows


def contacts_added(asked: Asked) -> QuerySet[Any]:
    """Return contacts outside the trash with when they came: hours with their numbers, where those say all."""
    rows: QuerySet[Any]
    if asked.principal.sees_own_team_only or not asked.used <= OF_ARRIVALS or not _days_begin_with_hours(asked):
        rows = _of(Contact.objects.alive(), asked).annotate(delta=ONE)
    else:
        rows = ContactArrival.objects.get_queryset()
    return rows


def _days_begin_with_hours(asked: Asked) -> bool:
    """Say whether midnight is a full hour of UTC where the organization lives, in summer and in winter."""
    zone, year = zone_of(asked.principal.organization_id), timezone.now().year
    offsets = [datetime(year, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)]
    return all(offset is not None and offset % timedelta(hours=1) == timedelta(0) for offset in offsets)


def on_lists(asked: Asked) -> QuerySet[Any]:
    """Return who is on lists: kept tallies, or the memberships of the contacts that the caller may see."""
    if not asked.principal.sees_own_team_only:
        rows: QuerySet[Any] = ContactTally.objects.filter(list__isnull=False)
        return rows
    seen = _of(Contact.objects.alive(), asked).order_by().values("pk")
    return ContactListMembership.objects.filter(contact__in=seen).annotate(delta=ONE)  # type: ignore[no-any-return]


def imports(asked: Asked) -> QuerySet[Any]:
    rows: QuerySet[Any] = ContactImport.objects.filter(is_draft=False)
    return rows


def _of(rows: Any, asked: Asked) -> Any:
    return rows.visible_to(asked.principal)


def exports(asked: Asked) -> QuerySet[Any]:
    rows: QuerySet[Any] = ContactExport.objects.get_queryset()
    return rows


register(
    Metric(
        "contacts.created",
        "Contacts added",
        "Contacts that were added in the period and are not in the trash.",
        permission="contacts:read",
        rows=contacts_added,
        measure=total("delta"),
        date="created_at",
        dimensions=OF_CONTACTS,
        events=CONTACT_EVENTS,
    ),
    Metric(
        "contacts.total",
        "Contacts",
        "Contacts outside the trash, as of now.",
        permission="contacts:read",
        rows=contacts_there,
        measure=total("delta"),
        dimensions=OF_CONTACTS,
        events=CONTACT_EVENTS,
    ),
    Metric(
        "contacts.on_lists",
        "Contacts on lists",
        "Places of contacts on static lists, as of now; who is on two lists counts twice.",
        permission="lists:read",
        rows=on_lists,
        measure=total("delta"),
        dimensions=(record("list", "List", "list_id", ContactList),),
        events=CONTACT_EVENTS,
    ),
    Metric(
        "contacts.deleted",
        "Contacts deleted",
        "Contacts that went to the trash in the period and are still there.",
        permission="contacts:read",
        rows=lambda asked: _of(Contact.objects.in_trash(), asked),
        measure=count(),
        date="deleted_at",
        dimensions=OF_CONTACTS,
        events=CONTACT_EVENTS,
    ),
    Metric(
        "contacts.reachable",
        "Contacts with phone and e-mail",
        "Share of the contacts added in the period that have both a phone number and an e-mail address.",
        permission="contacts:read",
        rows=lambda asked: _of(Contact.objects.alive(), asked),
        measure=share(Count("phone", filter=~Q(email="")), Count("pk")),
        date="created_at",
        dimensions=OF_CONTACTS,
        events=CONTACT_EVENTS,
    ),
    Metric(
        "clients.created",
        "Clients added",
        "Clients that were added in the period and are not in the trash.",
        permission="clients:read",
        rows=lambda asked: _of(Client.objects.alive(), asked),
        measure=count(),
        date="created_at",
        dimensions=OF_CLIENTS,
        events=("clients",),
    ),
    Metric(
        "clients.total",
        "Clients",
        "Clients outside the trash, as of now.",
        permission="clients:read",
        rows=lambda asked: _of(Client.objects.alive(), asked),
        measure=count(),
        dimensions=OF_CLIENTS,
        events=("clients",),
    ),
    Metric(
        "imports.runs",
        "Imports",
        "Files whose import was started in the period.",
        permission="contacts:import",
        rows=imports,
        measure=count(),
        date="created_at",
        dimensions=OF_IMPORTS,
        events=("import_progress",),
    ),
    Metric(
        "imports.rows",
        "Rows imported from files",
        "Rows of files that made or changed a record.",
        permission="contacts:import",
        rows=imports,
        measure=total(F("imported_contacts") + F("updated_contacts")),
        date="created_at",
        dimensions=OF_IMPORTS,
        events=("import_progress",),
    ),
    Metric(
        "imports.rejected_share",
        "Rows rejected",
        "Share of the rows of files that could not be taken.",
        permission="contacts:import",
        rows=imports,
        measure=share(Sum("invalid_contacts"), Sum("total_rows")),
        date="created_at",
        dimensions=OF_IMPORTS,
        events=("import_progress",),
    ),
    Metric(
        "imports.duration",
        "Time to import a file",
        "Seconds from the start to the end of an import, on average.",
        permission="contacts:import",
        rows=imports,
        measure=mean(F("completed_at") - F("started_at"), unit="seconds"),
        date="created_at",
        dimensions=OF_IMPORTS,
        events=("import_progress",),
    ),
    Metric(
        "imports.storage",
        "Files uploaded",
        "Size of the files of contacts, clients and deals that were uploaded in the period.",
        permission="contacts:import",
        rows=imports,
        measure=total("file_size", unit="bytes"),
        date="created_at",
        dimensions=OF_IMPORTS,
        events=("import_progress",),
    ),
    Metric(
        "exports.storage",
        "Files exported",
        "Size of the files of contacts and clients that were exported in the period.",
        permission="contacts:export",
        rows=exports,
        measure=total("file_size", unit="bytes"),
        date="created_at",
        dimensions=(person("person", "Started by", "created_by_id"),),
        events=("export_progress",),
    ),
)

EVERYBODY = tuple(Role.values)
LAST_30 = {"preset": "last_30_days"}

offer_tiles(
    UsualTile("Contacts", {"metrics": ["contacts.total"]}, "number", EVERYBODY, rank=10),
    UsualTile(
        "Contacts added",
        {"metrics": ["contacts.created"], "range": LAST_30, "granularity": "day", "compare": True},
        "line",
        EVERYBODY,
        width=2,
        rank=11,
    ),
    UsualTile(
        "Contacts by source",
        {"metrics": ["contacts.total"], "dimensions": ["source"], "limit": 8},
        "donut",
        (Role.MANAGER, Role.ADMIN),
        rank=40,
    ),
    UsualTile(
        "Rows imported",
        {"metrics": ["imports.rows"], "range": LAST_30, "granularity": "day"},
        "bar",
        (Role.ADMIN,),
        rank=41,
    ),
)
