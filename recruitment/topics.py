"""What sockets may follow of recruitment."""

from collections.abc import Mapping
from typing import Any

from contacts.topics import job_exists
from recruitment.models import CvBatch
from vocelio.realtime.topics import Topic, register


def of_job(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "jobId" not in filters or filters["jobId"] == data.get("jobId")


register(Topic("jobs", permission="jobs:read", owned=True))
register(Topic("applications", permission="applications:read", owned=True, filters=("jobId",), matches=of_job))
register(Topic(f"{CvBatch.noun}_progress", permission="candidates:import", key="jobId", exists=job_exists(CvBatch)))
