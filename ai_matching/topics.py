"""What sockets may follow of matching."""

from ai_matching.models import EmbeddingRun
from contacts.topics import job_exists
from vocelio.realtime.topics import Topic, register

register(
    Topic(f"{EmbeddingRun.noun}_progress", permission="profiles:read", key="jobId", exists=job_exists(EmbeddingRun))
)
