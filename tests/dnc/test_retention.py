"""What the law asks for no longer is forgotten; what proves remains."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from dnc import tasks
from dnc.models import Certificate, ContactAttempt, Permission, ScrubOutcome, ScrubResult
from dnc.services.retention import KEPT
from tests.dnc.registries import list_of
from tests.factories import phone_number, run_jobs
from vocelio.db.models import ScheduleTick
from vocelio.organizations.scope import organization_scope

pytestmark = pytest.mark.upkeep

NOW = timezone.now()


@pytest.mark.parametrize(("age", "stays"), [(KEPT - timedelta(days=1), True), (KEPT + timedelta(days=1), False)])
def test_records_go_after_five_years_and_certificates_stay(manager, age, stays):
    callees = list_of(manager, [phone_number()])
    manager.post("/v1/dnc/scrub-campaign", {"contactListIds": [str(callees.pk)]})
    run_jobs(manager.organization)
    at = NOW - age
    born = int(at.timestamp() * 1000) << 80
    with organization_scope(manager.organization.id):
        # As they would be had the run been then: their ids say when.
        for rows in (ScrubResult.objects, ScrubOutcome.objects):
            assert rows.update(id=uuid.UUID(int=born + 1)) == 1
        ContactAttempt.objects.create(number=12125550100, attempted_at=at)
        for fields in (
            {"kind": "consent", "occurred_on": at.date(), "expires_on": at.date()},
            {"kind": "consent", "occurred_on": at.date(), "revoked_at": at},
            {"kind": "purchase", "occurred_on": at.date() - timedelta(days=550)},
        ):
            Permission.objects.create(number=12125550100, **fields)
        Permission.objects.create(number=12125550100, kind="consent", occurred_on=at.date() - timedelta(days=900))
    ScheduleTick.objects.all().delete()
    tasks.purge_records()
    with organization_scope(manager.organization.id):
        left = [rows.objects.count() for rows in (ScrubResult, ScrubOutcome, ContactAttempt, Permission)]
        assert left == ([1, 1, 1, 4] if stays else [0, 0, 0, 1])
        assert Certificate.objects.count() == 1
