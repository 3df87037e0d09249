"""Programs that never outlive the process that started them."""

import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GUARD = Path(__file__).with_name("guard.py")

Echo = Callable[[str, str], None]


@dataclass(frozen=True)
class Account:
    """The user a server runs as when the caller is root, which PostgreSQL refuses to be."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Program:
    """What to run, as whom, and how to stop it: `stop_signal`, then SIGKILL after `grace` seconds."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0


class Process:
    """A running Program behind its guard. Its lines go to `echo(name, line)` and the last ones are kept."""

    def __init__(self, program: Program, echo: Echo, keep_open: Sequence[int] = ()) -> None:
        """Start it; `keep_open` are file descriptors the guard holds for as long as the program runs."""
        self.program = program
        self.output: deque[str] = deque(maxlen=40)
        uid, gid = (program.account.uid, program.account.gid) if program.account else (-1, -1)
        self._guard = subprocess.Popen(  # noqa: S603
            [
                *(sys.executable, "-I", "-S", str(GUARD)),
                *(str(int(program.stop_signal)), str(program.grace), str(uid), str(gid)),
                *program.command,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=program.folder,
            env=dict(program.environment),
            start_new_session=True,
            pass_fds=keep_open,
        )
        self._reader = threading.Thread(target=self._read, args=(echo,), daemon=True)
        self._reader.start()

    def _read(self, echo: Echo) -> None:
        assert self._guard.stdout is not None  # noqa: S101
        with self._guard.stdout as lines:
            for line in lines:
                text = line.decode(errors="replace").rstrip()
                self.output.append(text)
                echo(self.program.name, text)

    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._guard.poll()

    def wait(self) -> int:
        """Wait for the program to end by itself, and for the last of its output."""
        code = self._guard.wait()
        self._let_go()
        self._reader.join(1)
        return code

    def stop(self) -> None:
        """Stop the program and everything it started; return when all of it is gone."""
        self._let_go()
        self.wait()

    def _let_go(self) -> None:
        """End the guard's input, which is its order to stop."""
        assert self._guard.stdin is not None  # noqa: S101
        self._guard.stdin.close()
