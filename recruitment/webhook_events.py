"""What webhooks tell of recruitment."""

from recruitment.models.jobs import ENDED, OpeningStatus
from vocelio.webhooks.events import Data, EventType, Shown, always, register

JOB = Shown("job", "jobId", "recruitment.views.jobs.JobViewSet")
APPLICATION = Shown("application", "applicationId", "recruitment.views.applications.ApplicationViewSet")
ID = "00000000-0000-0000-0000-000000000000"
OF_JOB = {"jobId": ID, "status": "open", "version": 1, "updatedBy": None}
OF_APPLICATION = {
    "applicationId": ID, "jobId": ID, "stageId": ID, "status": "open", "version": 1, "updatedBy": None
}  # fmt: skip


def is_open(data: Data) -> bool:
    return bool(data["status"] == OpeningStatus.OPEN)


def is_ended(data: Data) -> bool:
    return data["status"] in ENDED


for name, summary, on, when in (
    ("job.created", "A job was made.", "job_created", always),
    ("job.updated", "A job was changed.", "job_updated", always),
    ("job.status_changed", "A job has another status.", "job_status_changed", always),
    ("job.opened", "A job was opened; job.status_changed tells of it too.", "job_status_changed", is_open),
    ("job.closed", "A job was filled, closed or cancelled.", "job_status_changed", is_ended),
    ("job.deleted", "A job was deleted.", "job_deleted", always),
):
    register(EventType(name, summary, topic="jobs", on=on, shows=JOB, when=when, example=OF_JOB))
for on, summary in (
    ("created", "Somebody was put forward for a job, or applied."),
    ("updated", "An application was changed, an interview or an offer with it."),
    ("moved", "An application was moved to another stage."),
):
    register(
        EventType(
            f"application.{on}",
            summary,
            topic="applications",
            on=f"application_{on}",
            shows=APPLICATION,
            example=OF_APPLICATION,
        )
    )
register(
    EventType(
        "applications.changed",
        "Many applications for a job were changed at once: read them anew.",
        topic="applications",
        on="applications_changed",
        example={"action": "move", "count": 20, "jobId": ID, "updatedBy": None},
    )
)
