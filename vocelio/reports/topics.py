"""What sockets may follow of reports."""

import uuid

from vocelio.jobs.shapes import progress
from vocelio.realtime.topics import Topic, register
from vocelio.realtime.viewers import Viewer
from vocelio.reports.models import ReportDelivery


def delivery_exists(viewer: Viewer, job_id: uuid.UUID) -> bool:
    return bool(ReportDelivery.objects.get_queryset().visible_to(viewer.principal).filter(pk=job_id).exists())


NAME = f"{ReportDelivery.noun}_progress"
register(
    Topic(
        NAME,
        "One mailing of a report as it goes on.",
        permission="reports:read",
        key="jobId",
        exists=delivery_exists,
        events={NAME: progress()},
    )
)
