"""The queue's and the schedule's door to reports."""

import uuid

from celery import shared_task
from django.db import connection

from vocelio.db.holds import outgoing
from vocelio.db.ticks import once_per
from vocelio.jobs.tasks import JobTask, load_job
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope
from vocelio.reports.models import ReportDelivery
from vocelio.reports.services import deliveries, schedules


@shared_task(base=JobTask)
@outgoing
def run_delivery(*, organization_id: str, job_id: str) -> None:
    """Mail one report."""
    deliveries.run_delivery(load_job(ReportDelivery, organization_id, job_id))


@shared_task
@once_per(seconds=60)
def start_due_deliveries() -> int:
    """Begin every organization's mailings that are due."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM organizations_with_due_reports()")
        organization_ids: list[uuid.UUID] = [row[0] for row in cursor.fetchall()]
    total = 0
    for organization_id in organization_ids:
        with organization_scope(organization_id):
            total += schedules.start_due()
    return total


@shared_task
@once_per(seconds=3600)
def purge_deliveries() -> int:
    """Forget mailings past their time, of every organization."""
    total = 0
    for organization_id in Organization.objects.values_list("pk", flat=True):
        with organization_scope(organization_id):
            total += schedules.purge_deliveries()
    return total
