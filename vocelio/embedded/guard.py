"""Run one program in its own session, and end it when the process that asked for it is gone.

    guard.py STOP_SIGNAL GRACE_SECONDS UID GID PROGRAM [ARGUMENT ...]     (UID and GID: -1 keeps the caller's)

Standard input is the line to the owner. When it ends, because the owner closed it or died in whatever way, the program
is sent STOP_SIGNAL and, GRACE_SECONDS later, its whole process group SIGKILL. Exits with the program's code.

It is run by its path under `python -I -S`, one small process per program, so it imports nothing but the standard
library. Linux' PR_SET_PDEATHSIG alone would not do: it reaches the direct child, not uvicorn's or Celery's own children.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from types import FrameType

PR_SET_PDEATHSIG = 1


def main(stop_signal: signal.Signals, grace: float, uid: int, gid: int, command: list[str]) -> int:
    def die_with_guard() -> None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal)

    program = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        user=None if uid < 0 else uid,
        group=None if gid < 0 else gid,
        extra_groups=None if uid < 0 else [],
        # A guard killed by force takes the program with it; elsewhere than on Linux the program would stay.
        preexec_fn=die_with_guard if sys.platform == "linux" else None,
    )

    def kill_group() -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(program.pid, signal.SIGKILL)

    def stop(*_: int | FrameType | None) -> None:
        program.send_signal(stop_signal)

    def stop_at_end_of_input() -> None:
        while os.read(0, 1024):
            pass
        stop()
        try:
            program.wait(grace)
        except subprocess.TimeoutExpired:
            kill_group()

    # Handlers rather than SIG_IGN, and only now: an ignored signal would stay ignored in the program.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    threading.Thread(target=stop_at_end_of_input, daemon=True).start()
    code = program.wait()
    # What the program left behind: pool children, web workers.
    kill_group()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    number, grace, uid, gid, *command = sys.argv[1:]
    sys.exit(main(signal.Signals(int(number)), float(grace), int(uid), int(gid), command))
