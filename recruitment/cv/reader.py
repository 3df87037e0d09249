"""Text out of CVs, by children that open them."""

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

CHILD = Path(__file__).with_name("child.py")


class Reading(NamedTuple):
    """The text of a file, or the code and reason why it was refused."""

    text: str = ""
    error: str = ""
    message: str = ""


class CvReader:
    """A child that reads one file after another; use it as a context. Files are refused within ten seconds."""

    def __enter__(self) -> Self:
        self._child = subprocess.Popen(  # noqa: S603 - this interpreter and this package's own file
            [sys.executable, "-I", str(CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # Nothing of the server's secrets is in a process that strangers' files run in.
            env={"PYTHONUTF8": "1"},
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                pipe.close()

    def read(self, path: str, kind: str) -> Reading:
        """Return what a file on the local disk holds; `kind` is `pdf` or `docx`."""
        assert self._child.stdin is not None  # noqa: S101 - it was started with pipes
        assert self._child.stdout is not None  # noqa: S101 - as above
        try:
            self._child.stdin.write(json.dumps({"path": path, "kind": kind}) + "\n")
            self._child.stdin.flush()
            line = self._child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            return Reading(error="UNREADABLE", message="The file could not be opened.")
        return Reading(**json.loads(line))
