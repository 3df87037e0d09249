"""A worker that is killed by SIGKILL at every moment of a sync, one process for each, and then finishes it.

python -m tests.crm_sync.dying_worker ORGANIZATION_ID RUN_ID

Moments are before and after each kind of call to the CRM and each commit, in each phase. A life ends at the first
moment at which none has ended before; the next one takes the run over. Prints the moments.
"""

import os
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import django

MOST_LIVES = 200


def main(organization_id: str, run_id: str) -> None:
    django.setup()
    from django.db import connection

    from crm_sync.models import CrmSyncRun
    from crm_sync.providers.pipedrive import writing
    from crm_sync.tasks import run_sync
    from vocelio.organizations.scope import organization_scope

    ended: set[str] = set()
    # No call is under way when a life ends between two of them.
    writing.IN_FLIGHT = timedelta()  # type: ignore[attr-defined]
    watch(ended)
    for _ in range(MOST_LIVES):
        connection.close()
        reading, telling = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(telling, sys.stdout.fileno())
            os.close(reading)
            run_sync(organization_id=organization_id, job_id=run_id)
            os._exit(0)
        os.close(telling)
        with os.fdopen(reading) as told:
            moment = told.read().strip()
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))
        ended.add(moment)
        print(moment, flush=True)  # noqa: T201
        # Not waited for: the lease runs out.
        with organization_scope(uuid.UUID(organization_id)):
            CrmSyncRun.objects.filter(pk=run_id).update(lease_until=None)
    sys.exit("The run never ended.")


def watch(ended: set[str]) -> None:
    """Have every moment looked at in the processes that are forked from this one."""
    from crm_sync.services.calls import GuardedRemote
    from crm_sync.services.engine import Engine
    from vocelio.jobs.services import Run, Step

    phase = "beginning"
    commit, step, call = Step.commit, Run.step, GuardedRemote.call

    def moment(name: str) -> None:
        if f"{phase} {name}" not in ended:
            os.write(sys.stdout.fileno(), f"{phase} {name}".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    def dying_commit(self: Step[Any]) -> None:
        moment("before commit")
        commit(self)

    @contextmanager
    def dying_step(self: Run[Any]) -> Iterator[Step[Any]]:
        with step(self) as opened:
            yield opened
        moment("after commit")

    def dying_call(self: GuardedRemote, method: str, *args: Any, **kwargs: Any) -> Any:
        moment(f"before {method}")
        answer = call(self, method, *args, **kwargs)
        moment(f"after {method}")
        return answer

    def noted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any) -> Any:
            nonlocal phase
            phase = name
            return original(*args)

        return wrapped

    for name in ("fields", "gone", "pull", "hints", "ids", "missing", "changed", "trashed", "push", "end"):
        setattr(Engine, f"_{name}", noted(name, getattr(Engine, f"_{name}")))
    Step.commit, Run.step, GuardedRemote.call = dying_commit, dying_step, dying_call  # type: ignore[method-assign]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
