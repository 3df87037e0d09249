"""Run what the Dockerfile and compose.yaml run, natively: `python -m tests.deploy.rehearse` as root.

Needs DATABASE_ADMIN_URL (a superuser with pgvector at hand) and REDIS_URL. The context that the image would get is
copied to a folder of root's; as root the build's commands run in it, then each container's command as `nobody`, who
can change nothing there. It makes the database `vocelio_rehearsal` with its roles and drops them.
"""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psycopg
import yaml

PROJECT = Path(__file__).resolve().parents[2]
PORT = os.environ.get("REHEARSAL_PORT") or "8145"
DATABASE = "vocelio_rehearsal"


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def copy_context(folder: Path) -> None:
    """Copy what .dockerignore lets through."""
    for line in (PROJECT / ".dockerignore").read_text().splitlines():
        if line.startswith("!"):
            source = PROJECT / line[1:]
            if source.is_dir():
                shutil.copytree(source, folder / line[1:], ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder)


def make_venv(folder: Path) -> Path:
    """Return a virtual environment that everybody may run, with the packages that are installed here."""
    # The interpreter of this one may lie where only root comes.
    python = shutil.which(f"python3.{sys.version_info.minor}", path="/usr/local/bin:/usr/bin") or sys.executable
    venv = folder / "venv"
    subprocess.run([python, "-m", "venv", "--without-pip", venv], check=True)
    packages = next(venv.glob("lib/python3*/site-packages"))
    (packages / "installed.pth").write_text(sysconfig.get_path("purelib"))
    for program in ("uvicorn", "celery"):
        script = venv / "bin" / program
        script.write_text(f'#!/bin/sh\nexec {venv}/bin/python -m {program} "$@"\n')
        script.chmod(0o755)
    return venv


def shell_of(instruction: str) -> str:
    """Return the first command of this kind in the Dockerfile that mentions the product, as one line."""
    text = (PROJECT / "Dockerfile").read_text().replace("\\\n", " ")
    found = re.search(instruction, text)
    assert found is not None, instruction
    return found[1]


def main() -> None:
    compose = yaml.safe_load((PROJECT / "compose.yaml").read_text())["services"]
    admin = os.environ["DATABASE_ADMIN_URL"]
    server = admin.partition("@")[2].partition("/")[0]
    folder = Path(tempfile.mkdtemp(prefix="vocelio-image-", dir="/var/tmp"))
    folder.chmod(0o755)
    app, data, metrics = folder / "app", folder / "data", folder / "metrics"
    app.mkdir()
    for each in (data, data / "files", metrics):
        each.mkdir()
        shutil.chown(each, "nobody")
    copy_context(app)
    owner_password, app_password = secrets.token_hex(8), secrets.token_hex(8)
    base = {
        "PATH": f"{make_venv(folder)}/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "STATIC_ROOT": f"{app}/static",
    }
    environment = base | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
        "VOCELIO_DATA": str(data),
        "DATABASE_URL": f"postgresql://{DATABASE}_app:{app_password}@{server}/{DATABASE}",
        "REDIS_URL": os.environ["REDIS_URL"],
        **{name: secrets.token_hex(32) for name in ("SECRET_KEY", "JWT_SECRET")},
        "MASTER_KEYS": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        "PUBLIC_URL": "https://localhost",
        "BEHIND_PROXY": "1",
    }
    owner = {
        "DATABASE_ADMIN_URL": admin,
        "DATABASE_OWNER_URL": f"postgresql://{DATABASE}_owner:{owner_password}@{server}/{DATABASE}",
    }
    started: list[tuple[str, subprocess.Popen[bytes]]] = []

    def native(command: str) -> str:
        return command.replace("/metrics", str(metrics)).replace("8000", PORT).replace("0.0.0.0", "127.0.0.1")

    def run(name: str, command: str, environment: dict[str, str], user: str | None = "nobody") -> None:
        began = time.monotonic()
        subprocess.run(["sh", "-ec", command], cwd=app, env=environment, user=user, check=True)
        say(f"{name}: done in {time.monotonic() - began:.1f} s")

    def start(name: str, command: str) -> None:
        process = subprocess.Popen(["sh", "-c", f"exec {command}"], cwd=app, env=environment, user="nobody")
        started.append((name, process))

    try:
        run(
            "build: requirements",
            shell_of(r"RUN (grep .*? > /tmp/runtime.txt)") + " && rm /tmp/runtime.txt",
            base,
            None,
        )
        run(
            "build: static files",
            native(shell_of(r"RUN (DEBUG=1 .*)")).replace("/app", str(app)).replace(f"{folder}{app}", str(app)),
            base,
            None,
        )
        writable = subprocess.run(
            ["find", str(app), "-writable"], user="nobody", capture_output=True, text=True, check=True
        )
        assert not writable.stdout, writable.stdout[:200]
        say("nobody can change nothing of the product")
        run(
            "migrate",
            compose["migrate"]["command"].removeprefix('sh -c "').removesuffix('"'),
            environment | owner | {"VOCELIO_DB_ROLE": "owner"},
        )
        start("web", native(shell_of(r'CMD \["sh", "-c", "rm -f /metrics/\* && exec (uvicorn .*?)"\]')))
        for name, service in compose.items():
            if name.startswith("worker-") or name == "beat":
                start(name, service["command"])
        check = native(shell_of(r'CMD \["python", "-c", "(import urllib.*?)"\]'))
        deadline = time.monotonic() + 300
        while subprocess.run(
            ["python", "-c", check], env=environment, user="nobody", capture_output=True, check=False
        ).returncode:
            assert time.monotonic() < deadline, "the health check does not pass"
            time.sleep(0.5)
        say("web: the health check passes")
        headers = {"X-Forwarded-Proto": "https", "Host": "localhost"}
        body = ""
        while '"status":"healthy"' not in body:
            try:
                asked = urllib.request.Request(f"http://127.0.0.1:{PORT}/health", headers=headers)
                body = urllib.request.urlopen(asked, timeout=5).read().decode()
            except urllib.error.HTTPError as error:
                body = error.read().decode()
            assert time.monotonic() < deadline, body
            time.sleep(0.5)
        say("workers and beat: /health says that every service is healthy, the queue's sweeper included")
        for name, process in started:
            assert process.poll() is None, f"{name} ended with {process.returncode}"
        for name, process in reversed(started):
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            say(
                f"{name}: ended by SIGTERM in {(process.wait(70), time.monotonic() - began)[1]:.1f} s, code {process.returncode}"
            )
    finally:
        for _, process in started:
            process.kill()
            process.wait()
        shutil.rmtree(folder)
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
            for role in ("owner", "app"):
                connection.execute(f"DROP ROLE IF EXISTS {DATABASE}_{role}")


if __name__ == "__main__":
    main()
