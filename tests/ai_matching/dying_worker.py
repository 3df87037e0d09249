"""A worker that makes vectors and kills itself at its n-th SQL statement; 0 never."""

from tests.mortal import dying_at_statement


def run_in_steps_of_two(organization_id: str, job_id: str, statement: int) -> None:
    from ai_matching import tasks
    from ai_matching.services import embeddings

    embeddings.STEP = 2
    with dying_at_statement(statement):
        tasks.run_embeddings(organization_id=organization_id, job_id=job_id)
