"""Celery's door to matching."""

from celery import shared_task

from ai_matching.models import EmbeddingRun
from ai_matching.services import embeddings, leads
from vocelio.db.ticks import once_per
from vocelio.jobs.tasks import JobTask, load_job
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


@shared_task(base=JobTask)
def run_embeddings(*, organization_id: str, job_id: str) -> None:
    """Carry on making vectors."""
    embeddings.run_embeddings(load_job(EmbeddingRun, organization_id, job_id))


@shared_task
@once_per(seconds=10)
def start_marked_runs() -> int:
    """Start runs over what changed, of every organization."""
    active = Organization.objects.filter(is_active=True).values_list("pk", flat=True)
    return sum(embeddings.start_marked_runs(organization_id) for organization_id in active)


@shared_task
@once_per(seconds=86400)
def score_leads() -> int:
    """Score every lead anew, of every organization."""
    total = 0
    for organization_id in Organization.objects.filter(is_active=True).values_list("pk", flat=True):
        after = None
        while True:
            with organization_scope(organization_id):
                scored = leads.score_next(after)
            if not scored:
                break
            after, total = scored[-1], total + len(scored)
    return total
