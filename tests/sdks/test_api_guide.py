"""The guide's commands run: curl, and the Python SDK made from the description of what the guide uses."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.factories import Person
from tests.sdks.guide import SOURCES, commands, worker
from tests.webhooks.receiver import Receiver

CURL = Path(__file__).parent / "curl.py"


@pytest.fixture(scope="session")
def description() -> Any:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Return a folder with those of the commands' tools that the machine has not: curl, python3."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, arguments in (("curl", f'"{CURL}" "$@"'), ("python3", '"$@"')):
        if shutil.which(name):
            continue
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}\n')
        (folder / name).chmod(0o755)
    return folder


def run(command: list[str], environment: dict[str, str], folder: Path) -> str:
    ended = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    return ended.stdout


def test_every_curl_command_runs(
    environment: dict[str, str], tools: Path, tmp_path: Path, hook: Receiver, admin: Person
):
    script = re.sub(r"^(URL|EMAIL|PASSWORD)=.*\n", "", commands("bash", hook.url), flags=re.MULTILINE)
    environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
    with worker(admin):
        told = run(["bash", "-euo", "pipefail", "-c", script], environment, tmp_path)
    assert "VALIDATION_ERROR" in told
    # The two answers of one Idempotency-Key.
    first, second = re.findall(r"^[0-9a-f-]{36}$", told, re.MULTILINE)
    assert first == second
    assert "RateLimit-Remaining".lower() in told.lower()
    assert "BEGIN:VCALENDAR" in told


def test_every_python_command_runs_with_the_generated_sdk(
    environment: dict[str, str], description: Any, tmp_path: Path, hook: Receiver, admin: Person
):
    script = commands("python", hook.url)
    sources = script + (SOURCES / "python" / "vocelio.py").read_text()
    used = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", sources))
    paths = {}
    for path, operations in description["paths"].items():
        if named := {method: each for method, each in operations.items() if each["operationId"] in used}:
            paths[path] = named
    (tmp_path / "openapi.json").write_text(json.dumps({**description, "paths": paths}, default=str))
    generator = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    generator += ["--path", "openapi.json", "--config", str(SOURCES / "python" / "generator.yml")]
    run([*generator, "--output-path", "vocelio_client"], environment, tmp_path)
    (tmp_path / "vocelio_client" / "vocelio.py").write_bytes((SOURCES / "python" / "vocelio.py").read_bytes())
    head = "import os\n\nURL, EMAIL, PASSWORD = (os.environ[name] for name in ('URL', 'EMAIL', 'PASSWORD'))\n"
    (tmp_path / "guide.py").write_text(head + script)
    with worker(admin):
        told = run([sys.executable, "guide.py"], environment, tmp_path)
    assert "422 VALIDATION_ERROR" in told
    assert told.count("Ada +1") == 20
