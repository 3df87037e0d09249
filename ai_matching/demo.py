"""The demo's vectors and lead scores: everything is ready to be matched at once."""

from ai_matching.models import Embedding, EmbeddingRun, SubjectKind
from ai_matching.services.embeddings import run_embeddings, start_run
from ai_matching.services.leads import score_next
from vocelio.audit.context import Actor, acting
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope


def load(organization: Organization) -> None:
    """Make vectors of jobs and candidates, and score the leads, unless there are some."""
    with organization_scope(organization.pk):
        if Embedding.objects.exists() or EmbeddingRun.objects.exists():
            return
    admin = Membership.objects.get(organization=organization, role=Role.ADMIN).user_id
    with acting(Actor(user_id=admin, door="demo")):
        with organization_scope(organization.pk):
            run = start_run(kinds=[SubjectKind.JOB, SubjectKind.CANDIDATE])
            score_next(None)
        run_embeddings(run)
