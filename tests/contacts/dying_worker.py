"""A worker that runs one import and kills itself at its n-th SQL statement; 0 never."""

from tests.mortal import dying_at_statement


def run_import(organization_id: str, job_id: str, statement: int, chunk_rows: int) -> None:
    from contacts import tasks
    from contacts.services import import_files

    import_files.CHUNK_ROWS = chunk_rows
    with dying_at_statement(statement):
        tasks.run_import(organization_id=organization_id, job_id=job_id)
