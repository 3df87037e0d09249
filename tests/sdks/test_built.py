"""The SDKs as bin/sdks built them in VOCELIO_SDKS: type-checked, and run against a server. `.ci/run` gathers this file."""

import os
import subprocess
from pathlib import Path

from tests.factories import Person
from tests.sdks.guide import commands, worker
from tests.sdks.test_api_guide import run
from tests.webhooks.receiver import Receiver

TYPESCRIPT = Path(os.environ["VOCELIO_SDKS"]) / "typescript"
HEAD = 'const { URL = "", EMAIL = "", PASSWORD = "" } = process.env;\n'


def test_the_typescript_sdk_does_the_main_job(environment: dict[str, str], tmp_path: Path, admin: Person):
    signing_in = {f"VOCELIO_{name}": environment[name] for name in ("URL", "EMAIL", "PASSWORD")}
    environment |= {**signing_in, "CONTACTS": str(tmp_path / "contacts.csv")}
    with worker(admin):
        told = run(["node", str(TYPESCRIPT / "dist" / "main-job.js")], environment, tmp_path)
    # A new organization has paid for no registry, and what is not covered is never clean.
    assert told == "20 contacts, 0 clean of 20\n"


def test_every_typescript_command_of_the_guide_compiles_and_runs(
    environment: dict[str, str], tmp_path: Path, hook: Receiver, admin: Person
):
    (TYPESCRIPT / "guide.ts").write_text(HEAD + commands("typescript", hook.url))
    subprocess.run(["npx", "tsc"], cwd=TYPESCRIPT, check=True, timeout=120)  # noqa: S607 - of the lock file
    with worker(admin):
        told = run(["node", str(TYPESCRIPT / "dist" / "guide.js")], environment, tmp_path)
    assert "422 VALIDATION_ERROR" in told
    assert told.count("Ada +1") == 20
