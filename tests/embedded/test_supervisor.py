"""What a person sees of bin/up when it cannot or need not start."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.factories import wait_until
from vocelio.embedded.lock import AlreadyRunning, lock
from vocelio.embedded.process import Process, Program
from vocelio.embedded.state import read_state, with_keys, write_state
from vocelio.embedded.supervisor import PROJECT, GaveUp, StartFailed, Supervised, check_port


def python(code: str, folder: Path, grace: float = 10.0) -> Program:
    return Program("child", [sys.executable, "-c", code], {"PYTHONUNBUFFERED": "1"}, folder, grace=grace)


def silent(name: str, line: str) -> None:
    pass


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    # A zombie that nobody has waited for yet is dead enough.
    status = Path(f"/proc/{process}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_says_so(taken_port: int) -> None:
    with pytest.raises(StartFailed, match=f"Port {taken_port} is taken.*PORT={taken_port + 1}"):
        check_port("127.0.0.1", taken_port)


def test_a_second_run_on_the_same_data_names_the_first(tmp_path: Path) -> None:
    descriptor = lock(tmp_path)
    with pytest.raises(AlreadyRunning, match=rf"process {os.getpid()}\)"):
        lock(tmp_path)
    os.close(descriptor)
    os.close(lock(tmp_path))


KILLED_RUN = """
import os, sys
from pathlib import Path
from vocelio.embedded.lock import lock
from vocelio.embedded.process import Process, Program

folder = Path(sys.argv[1])
slow_to_stop = "import signal, time; signal.signal(15, lambda *_: (time.sleep(0.3), exit())); print(1); time.sleep(60)"
program = Program("child", [sys.executable, "-uc", slow_to_stop], {}, folder)
Process(program, lambda name, line: os.kill(os.getpid(), 9), [lock(folder)]).wait()
"""


def test_the_lock_outlives_a_killed_run_until_its_children_are_gone(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED_RUN, str(tmp_path)]
    killed = subprocess.run(command, check=False, cwd=PROJECT)  # noqa: S603
    assert killed.returncode == -signal.SIGKILL
    began = time.monotonic()
    os.close(lock(tmp_path))
    assert time.monotonic() - began > 0.1


def test_stopping_takes_the_children_of_a_program_along(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; c = subprocess.Popen(['sleep', '60']); print(c.pid); time.sleep(60)"
    process = Process(python(code, tmp_path), silent)
    wait_until(lambda: process.output)
    grandchild = int(process.output[0])
    assert is_alive(grandchild)
    process.stop()
    wait_until(lambda: not is_alive(grandchild))


def test_a_program_that_ignores_its_signal_is_killed_after_its_grace(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1); time.sleep(60)"
    process = Process(python(code, tmp_path, grace=0.1), silent)
    wait_until(lambda: process.output)
    process.stop()
    assert process.exit_code() == 128 + signal.SIGKILL


def test_a_program_that_keeps_dying_stops_everything_with_its_last_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    child = Supervised(python("print('no such table'); exit(3)", tmp_path), descriptor)
    with pytest.raises(GaveUp):
        wait_until(child.check)
    os.close(descriptor)
    said = capsys.readouterr().out
    assert said.count("child ended with code 3; starting it again") == 4
    assert "child died 5 times within 60 s" in said
    assert said.rstrip().endswith("no such table")


def test_the_state_file_is_for_its_user_alone_and_keys_stay(tmp_path: Path) -> None:
    write_state(tmp_path, with_keys({"SECRET_KEY": "kept"}))
    first = read_state(tmp_path)
    write_state(tmp_path, with_keys(first))
    assert read_state(tmp_path) == first
    assert first["SECRET_KEY"] == "kept"
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
