"""What sockets may follow of matching."""

from ai_matching.models import EmbeddingRun
from contacts.topics import job_exists
from vocelio.jobs.shapes import progress
from vocelio.realtime.topics import Topic, register

NAME = f"{EmbeddingRun.noun}_progress"

register(
    Topic(
        NAME,
        "A run that makes vectors.",
        permission="profiles:read",
        key="jobId",
        exists=job_exists(EmbeddingRun),
        events={NAME: progress()},
    )
)
