"""A worker that runs one Do-Not-Call job and kills itself at its n-th SQL statement; 0 never."""

from tests.mortal import dying_at_statement


def run_task(task: str, organization_id: str, job_id: str, statement: int, chunk_contacts: int) -> None:
    from django.utils.module_loading import import_string

    from dnc.services import scrubs

    scrubs.CHUNK_CONTACTS = chunk_contacts
    with dying_at_statement(statement):
        import_string(task)(organization_id=organization_id, job_id=job_id)
