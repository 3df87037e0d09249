"""What is kept how long: one table of settings, documented, and carried out by upkeep."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import timezone

from comms.models import Communication
from comms.tasks import purge_bodies
from tests.factories import Person
from tests.rows import make_row
from vocelio.db.models import ScheduleTick
from vocelio.notifications.tasks import purge_notifications
from vocelio.organizations.retention import all_kept, kept_for
from vocelio.organizations.scope import organization_scope
from vocelio.reports.models import ReportDelivery
from vocelio.reports.tasks import purge_deliveries

pytestmark = pytest.mark.upkeep

DOCUMENT = (Path(__file__).resolve().parent.parent.parent / "docs/operations.md").read_text()


def test_every_duration_is_documented_with_its_default():
    told = {
        name.lower(): int(days)
        for days, name in re.findall(r"^\| .+ \| (\d+) days?.* \| `RETENTION_(\w+)` \|$", DOCUMENT, re.MULTILINE)
    }
    assert told == {name: kept.days for name, kept in settings.RETENTION.items()}


@pytest.mark.parametrize("name", ["notifications.Notification", "notifications.FeedEntry"])
def test_what_people_were_told_is_forgotten_in_time(name: str, admin: Person):
    model: Any = apps.get_model(name)
    kept = settings.RETENTION["notifications"]
    with organization_scope(admin.organization.id):
        old, young = make_row(model), make_row(model)
        model.objects.filter(pk=old.pk).update(created_at=timezone.now() - kept - timedelta(minutes=1))
    ScheduleTick.objects.filter(schedule__endswith="purge_notifications").delete()
    purge_notifications()
    with organization_scope(admin.organization.id):
        assert set(model.objects.filter(pk__in=[old.pk, young.pk]).values_list("pk", flat=True)) == {young.pk}


def test_an_organization_chooses_within_bounds(admin: Person, manager: Person, outsider: Person):
    kinds = {kind["name"]: kind for kind in admin.get("/v1/organization/retention").data["kinds"]}
    assert set(kinds) == {kind.name for kind in all_kept()}
    assert kinds["exports"] == {
        "name": "exports",
        "title": "Exported files",
        "days": 7,
        "default": 7,
        "shortest": 1,
        "longest": 90,
    }
    assert (kinds["message_bodies"]["days"], kinds["audit"]["default"]) == (None, None)
    changed = admin.put("/v1/organization/retention", {"days": {"exports": 2, "message_bodies": 365}}).data["kinds"]
    assert {kind["name"]: kind["days"] for kind in changed if kind["days"] != kinds[kind["name"]]["days"]} == {
        "exports": 2,
        "message_bodies": 365,
    }
    answer = admin.put("/v1/organization/retention", {"days": {"exports": 91, "audit": 30, "dreams": 1}})
    assert answer.status == 422
    assert {each["field"] for each in answer.error["details"]["errors"]} == {
        "days.exports",
        "days.audit",
        "days.dreams",
    }
    assert admin.put("/v1/organization/retention", {"days": {"exports": None}}).status == 200
    assert manager.get("/v1/organization/retention").status == 403
    with organization_scope(admin.organization.id):
        assert kept_for("exports") == settings.RETENTION["exports"]
        assert kept_for("message_bodies") == timedelta(days=365)
    with organization_scope(outsider.organization.id):
        assert kept_for("message_bodies") is None


def test_upkeep_goes_by_what_the_organization_chose(admin: Person, outsider: Person):
    admin.put("/v1/organization/retention", {"days": {"message_bodies": 30, "report_deliveries": 7}})
    ScheduleTick.objects.filter(schedule__regex="purge_bodies|purge_deliveries").delete()
    for person in (admin, outsider):
        with organization_scope(person.organization.id):
            message = make_row(Communication, status="sent", subject="Hello", body_text="There", variables={"a": 1})
            mailing = make_row(ReportDelivery, status="completed")
            ago = timezone.now() - timedelta(days=31)
            for row in (message, mailing):
                type(row).objects.filter(pk=row.pk).update(created_at=ago)
            make_row(Communication, status="queued", subject="Waits")
    purge_bodies()
    purge_deliveries()
    for person, subjects, mailings in ((admin, ["", "Waits"], 0), (outsider, ["Hello", "Waits"], 1)):
        with organization_scope(person.organization.id):
            assert sorted(Communication.objects.values_list("subject", flat=True)) == subjects
            assert ReportDelivery.objects.count() == mailings
