"""The commands of docs/api-guide.md, and a server with a worker to run them against."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from tests.factories import Person, run_jobs

PROJECT = Path(__file__).resolve().parent.parent.parent
SOURCES = PROJECT / "deploy" / "sdks"
GUIDE = PROJECT / "docs" / "api-guide.md"
# Nobody's, so it is replaced by the receiver of the test.
HOOK = "https://hooks.example.com/vocelio"


def commands(language: str, hook: str) -> str:
    """Return the guide's blocks of a language, one after the other."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    return "\n".join(blocks).replace(HOOK, hook)


@contextmanager
def worker(person: Person) -> Iterator[None]:
    """Run the organization's jobs as they come."""
    over = threading.Event()

    def work() -> None:
        while not over.wait(0.1):
            run_jobs(person.organization)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
