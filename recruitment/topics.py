"""What sockets may follow of recruitment."""

from collections.abc import Mapping
from typing import Any

from contacts.topics import job_exists
from recruitment.models import CvBatch
from vocelio.jobs.shapes import progress
from vocelio.realtime.shapes import ID, NUMBER, OPTIONAL_ID, TEXT, bulk, shape
from vocelio.realtime.topics import Topic, register


def of_job(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "jobId" not in filters or filters["jobId"] == data.get("jobId")


JOB = shape(jobId=ID, status=TEXT, version=NUMBER, updatedBy=OPTIONAL_ID)
APPLICATION = {
    "applicationId": ID, "jobId": ID, "stageId": ID, "status": TEXT, "version": NUMBER, "updatedBy": OPTIONAL_ID
}  # fmt: skip
CV_BATCH = f"{CvBatch.noun}_progress"

register(
    Topic(
        "jobs",
        "Jobs as they are made, opened, changed and closed.",
        permission="jobs:read",
        owned=True,
        events={f"job_{what}": JOB for what in ("created", "updated", "status_changed", "deleted")},
    )
)
register(
    Topic(
        "applications",
        "Applications as they come and move on the boards of their jobs.",
        permission="applications:read",
        owned=True,
        filters=("jobId",),
        matches=of_job,
        events={
            "application_created": shape(**APPLICATION),
            "application_updated": shape(**APPLICATION),
            "application_moved": shape(fromStageId=ID, **APPLICATION),
            "applications_changed": bulk(jobId=ID),
        },
    )
)
register(
    Topic(
        CV_BATCH,
        "A batch of CVs as it is read.",
        permission="candidates:import",
        key="jobId",
        exists=job_exists(CvBatch),
        events={CV_BATCH: progress()},
    )
)
