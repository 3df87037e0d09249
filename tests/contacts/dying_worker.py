"""A worker process that runs one import and kills itself by SIGKILL at its n-th SQL statement; 0 never.

python -m tests.contacts.dying_worker ORGANIZATION_ID JOB_ID STATEMENT CHUNK_ROWS
"""

import os
import signal
import sys
from typing import Any

import django


def main(organization_id: str, job_id: str, statement: int, chunk_rows: int) -> None:
    django.setup()
    from django.db import connection

    from contacts.services import import_files
    from contacts.tasks import run_import

    executed = 0

    def count(execute: Any, *args: Any) -> Any:
        nonlocal executed
        executed += 1
        if executed == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*args)

    import_files.CHUNK_ROWS = chunk_rows
    with connection.execute_wrapper(count):
        run_import(organization_id=organization_id, job_id=job_id)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
