"""A worker process that runs one Do-Not-Call job and kills itself by SIGKILL at its n-th SQL statement; 0 never.

python -m tests.dnc.dying_worker TASK ORGANIZATION_ID JOB_ID STATEMENT CHUNK_CONTACTS
"""

import os
import signal
import sys
from typing import Any

import django


def main(task: str, organization_id: str, job_id: str, statement: int, chunk_contacts: int) -> None:
    django.setup()
    from django.db import connection
    from django.utils.module_loading import import_string

    from dnc.services import scrubs

    executed = 0

    def count(execute: Any, *args: Any) -> Any:
        nonlocal executed
        executed += 1
        if executed == statement:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(*args)

    scrubs.CHUNK_CONTACTS = chunk_contacts
    with connection.execute_wrapper(count):
        import_string(task)(organization_id=organization_id, job_id=job_id)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
