"""One run per data folder."""

import fcntl
import os
import time
from pathlib import Path


class AlreadyRunning(Exception):
    """Another process holds the folder; the text names it."""


def lock(data: Path, seconds: float = 40.0) -> int:
    """Take the folder and return the descriptor that holds it, for this process and whoever inherits it.

    The guards of the children inherit it, so it is free only when the last server of a killed run has stopped; that is
    waited for, a run that is alive is refused.
    """
    descriptor = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.pread(descriptor, 20, 0).decode().strip()
            if not owner.isdigit() or _is_alive(int(owner)) or time.monotonic() > deadline:
                os.close(descriptor)
                raise AlreadyRunning(
                    f"Vocelio already runs on {data} (process {owner or 'unknown'}). Stop it with Ctrl-C there, "
                    "or start another one with VOCELIO_DATA and PORT set."
                ) from error
            time.sleep(0.1)
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            return descriptor


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
