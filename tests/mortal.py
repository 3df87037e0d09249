"""Worker processes that die in the middle of their work, by SIGKILL.

Each is forked from a process that has loaded the product and nothing else, since loading it takes seconds.
"""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.loaded"])


def run_mortal(work: Callable[..., None], *arguments: Any) -> bool:
    """Run the work in a process of its own and say whether that was killed; fail when it ended by an error."""
    process = _processes.Process(target=work, args=arguments)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL), f"{work.__module__} ended with {process.exitcode}; see its output"
    return process.exitcode != 0


@contextmanager
def dying_at(moment: int) -> Iterator[Callable[[], None]]:
    """Give a function that kills this process when it is called for the `moment`-th time; 0 never."""
    called = 0

    def count() -> None:
        nonlocal called
        called += 1
        if called == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    yield count


@contextmanager
def dying_at_statement(moment: int) -> Iterator[None]:
    """Kill this process at its `moment`-th SQL statement; 0 never."""
    from django.db import connection

    def execute_counted(execute: Any, *args: Any) -> Any:
        count()
        return execute(*args)

    with dying_at(moment) as count, connection.execute_wrapper(execute_counted):
        yield
