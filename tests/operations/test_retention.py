"""What is kept how long: one table of settings, documented, and carried out by upkeep."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.utils import timezone

from tests.factories import Person
from tests.rows import make_row
from vocelio.db.models import ScheduleTick
from vocelio.notifications.tasks import purge_notifications
from vocelio.organizations.scope import organization_scope

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
