"""A row of any tenant table, made from what its model says; so that tests over all tables grow by themselves."""

import uuid
from datetime import date, timedelta
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone

from contacts.models import Contact
from tests.factories import phone_number, unique
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantRow
from vocelio.users.models import User


def some_contact(*, late: bool = False) -> Contact:
    """Return a new contact; its id sorts behind all others when it is to be late."""
    values = {"id": uuid.UUID(int=0xFF << 120 | uuid.uuid4().int >> 8)} if late else {}
    contact: Contact = make_row(Contact, **values)
    return contact


# What a model's own rules ask for beyond its column types.
SPECIAL: dict[str, dict[str, Any]] = {
    "Contact": {"phone": phone_number},
    # In the order that the table asks for.
    "ContactDuplicate": {"first_id": lambda: some_contact().pk, "second_id": lambda: some_contact(late=True).pk},
    "SavedView": {
        "user": lambda: User.objects.create_user(f"{unique('owner')}@example.test"),
        "is_shared": lambda: True,
    },
    "Notification": {"user": lambda: somebody()},
    "NotificationPreference": {"user": lambda: somebody()},
    "IdentityProvider": {"allowed_domains": lambda: ["corp.example"], "newcomer_role": lambda: ""},
    "IdentityLink": {"user": lambda: somebody()},
    "HiringProcess": {"family": lambda: unique("family")},
    "JobOpening": {"public_slug": lambda: unique("job")},
    "Application": {"stage": lambda: None},
    "Interview": {"ends_at": lambda: timezone.now() + timedelta(days=2)},
    "Interviewer": {"user": lambda: somebody()},
    "Scorecard": {"user": lambda: somebody(), "verdict": lambda: 4, "submitted_at": timezone.now},
    "JobTeamMember": {"user": lambda: somebody()},
    "CandidateClaim": {"user": lambda: somebody()},
    "CvBatch": {"file": lambda: ""},
    "Deal": {"currency": lambda: "USD"},
    "Project": {"currency": lambda: "USD"},
    "ExchangeRate": {"currency": lambda: currency()},
    "ProjectMember": {"user": lambda: somebody()},
    "CalendarFeed": {"user": lambda: somebody()},
    "AssignmentRule": {"members": lambda: [somebody().pk]},
    "DncEntry": {"phone_number": phone_number},
    "Entitlement": {"registry_id": lambda: 1, "valid_from": lambda: date(2020, 1, 1)},
    "RegistryLoad": {"registry_id": lambda: 1},
    "Scrub": {"contact_list_ids": list},
    "ChannelAccount": {"provider": lambda: "linkedin"},
    "Communication": {"direction": lambda: "outbound"},
    "MessageBatch": {"account": lambda: make_row(apps.get_model("comms", "ChannelAccount"))},
    "CommunicationTemplate": {"account": lambda: None, "version": lambda: 1},
    "Source": {
        "kind": lambda: "https",
        "auto_update": lambda: False,
        "list": lambda: make_row(apps.get_model("dnc", "DncList")),
    },
    "Embedding": {
        "part": lambda: "title",
        "dimensions": lambda: 256,
        "vector": lambda: [1.0] + [0.0] * 1535,
    },
    "EmbeddingRun": {"kinds": lambda: ["job"]},
    "EnrichmentProposal": {
        "field": lambda: "title",
        "value": lambda: unique("title"),
        "confidence": lambda: 1,
    },
    "MatchedPerson": {"score": lambda: 50},
    "LeadScore": {"score": lambda: 50},
    "LeadScoreEntry": {"score": lambda: 50},
    "SavedReport": {
        "owner": lambda: somebody(),
        "definition": lambda: {"metrics": ["contacts.created"]},
        "is_shared": lambda: True,
    },
    "ReportSchedule": {
        "owner": lambda: somebody(),
        "recipients": lambda: [somebody().pk],
        "frequency": lambda: "daily",
    },
    "ReportDelivery": {"schedule": lambda: None},
    "Dashboard": {"owner": lambda: somebody(), "is_shared": lambda: True},
    "DashboardTile": {"definition": lambda: {"metrics": ["contacts.created"]}, "chart": lambda: "number"},
    "Certificate": {"content": lambda: {"numbers": 1, "outcomes": {"C": 1}}},
}


def currency() -> str:
    """Return a code that looks like one of ISO 4217, another one each time."""
    number = int(unique("c").rsplit("-", 1)[1])
    return "".join(chr(ord("A") + number // 26**place % 26) for place in range(3))


def somebody() -> User:
    return User.objects.create_user(f"{unique('somebody')}@example.test")


def tenant_models() -> list[type[TenantRow]]:
    """Return every concrete tenant model."""
    return [model for model in apps.get_models() if issubclass(model, TenantRow) and model._meta.managed]


def make_row(model: Any, **values: Any) -> Any:
    """Create a row in the open scope, with parents where the model needs them."""
    for name, value in SPECIAL.get(model.__name__, {}).items():
        if name not in values:
            values[name] = value()
    if model.__name__ == "Application" and values["stage"] is None:
        job = values.get("job") or make_row(apps.get_model("recruitment", "JobOpening"))
        stages = apps.get_model("recruitment", "ApplicationStage")
        values |= {"job": job, "stage": make_row(stages, process=job.process, outcome="open")}
    if model.__name__ == "ReportDelivery" and values["schedule"] is None:
        schedule = make_row(apps.get_model("reports", "ReportSchedule"))
        values |= {"report": schedule.report, "schedule": schedule}
    if model.__name__ == "DashboardTile" and not {"report", "report_id"}.isdisjoint(values):
        values["definition"] = None
    if model.__name__ == "Embedding":
        kinds = {"job": "job", "profile": "candidate", "contact": "contact"}
        of = next((name for name in kinds if not {name, f"{name}_id"}.isdisjoint(values)), "")
        if not of:
            of, values["job"] = "job", make_row(apps.get_model("recruitment", "JobOpening"))
        values.setdefault("kind", kinds[of])
    for field in model._meta.local_concrete_fields:
        if (
            {field.name, field.attname}.isdisjoint(values)
            and field.name not in ("id", "organization")
            and _is_required(field)
        ):
            values[field.name] = _value(field)
    return model.objects.create(**values)


def _is_required(field: Any) -> bool:
    return not (
        field.null
        or field.generated
        or field.has_default()
        or field.has_db_default()
        or isinstance(field, SearchVectorField)
    )


def _value(field: Any) -> Any:
    if isinstance(field, TenantForeignKey):
        return make_row(field.related_model)
    if isinstance(field, ArrayField):
        return []
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, models.UUIDField):
        return field.model._meta.pk.get_default()
    if isinstance(field, (models.DateTimeField, models.DateField)):
        return timezone.now() + timedelta(days=1)
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, (models.IntegerField, models.DecimalField, models.FloatField)):
        return int(unique("x").rsplit("-", 1)[1])
    if isinstance(field, models.BinaryField):
        return unique("b").encode()[-32:]
    text = field.choices[0][0] if field.choices else unique("t")
    return text[-field.max_length :] if field.max_length else text
