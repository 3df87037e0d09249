"""Measure what the documents promise, each for less than a minute, and print figure, goal and ratio.

    apt-get install wrk; .venv/bin/python -m benchmarks.load [creation import sync requests sockets workers ...]

Each starts an installation of its own (embedded servers, 2 web processes, a worker of 2), with the clients on the same
cores. Ratios above 1 are better than the goal.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.installation import PROJECT, Import, Installation, Writer, installation, say, wait_until


def tell(what: str, figure: str, goal: str, ratio: float) -> None:
    load = os.getloadavg()[0]
    say(f"| {what} | {figure} | {goal} | {ratio:.1f} | {load:.1f} |")


def creation() -> None:
    """1,000 contacts a minute, each below 200 ms."""
    with installation() as run:
        with Writer(run, 1000 / 60).writing() as writer:
            began = time.monotonic()
            time.sleep(30)
            seconds = time.monotonic() - began
        rate = writer.answers["201"] / seconds * 60
        assert not writer.lost()
        p95 = sorted(writer.seconds)[int(len(writer.seconds) * 0.95)] * 1000
        tell("contacts created at the documents' rate", f"{rate:,.0f} a minute", "1,000 a minute", rate / 1000)
        tell("the same, p95", f"{p95:.0f} ms", "200 ms", 200 / p95)
        rate, p95 = wrk(run, "/v1/contacts", script="create.lua")
        tell(
            "contacts created as fast as it goes, 16 clients",
            f"{rate * 60:,.0f} a minute",
            "1,000 a minute",
            rate * 0.06,
        )
        tell("the same, p95", f"{p95:.0f} ms", "200 ms", 200 / p95)


def imports() -> None:
    """50,000 rows in five minutes."""
    with installation() as run:
        work = Import(run, 50_000).start()
        seconds = work.wait(300)
        work.check()
        tell("import of 50,000 rows", f"{seconds:.1f} s", "300 s", 300 / seconds)


def sync() -> None:
    """10,000 records of a vendor's fake in two minutes."""
    with installation() as run:
        command = [sys.executable, "-m", "benchmarks.crm_sync", "vendors", "--vendors", "hubspot"]
        found = subprocess.run(
            command, cwd=PROJECT, env={**run.variables, **run.state}, capture_output=True, text=True, check=True
        )
        for line in found.stdout.splitlines():
            say(f"  {line}")


def requests() -> None:
    """1,000 requests a second, below 200 ms."""
    with installation() as run:
        Import(run, 20_000).start().wait(300)
        with run.client() as client:
            contact = client.get("/v1/contacts", params={"limit": 1}).json()["data"][0]["id"]
        for what, path in (
            ("GET /contacts/{id}", f"/v1/contacts/{contact}"),
            ("GET /contacts?limit=20", "/v1/contacts?limit=20"),
            ("GET /health", "/health"),
        ):
            rate, p95 = wrk(run, path)
            tell(f"{what}, 16 clients", f"{rate:,.0f} a second", "1,000 a second", rate / 1000)
            tell("the same, p95", f"{p95:.0f} ms", "200 ms", 200 / p95)


def sockets() -> None:
    """1,000 sockets hear of the progress of an import."""
    with installation() as run:
        command = [sys.executable, "benchmarks/websocket.py", "--sockets", "1000", "--events", "20"]
        found = subprocess.run(
            command, cwd=PROJECT, env={**run.variables, **run.state}, capture_output=True, text=True, check=True
        )
        for line in found.stdout.splitlines():
            say(f"  {line}")


def workers() -> None:
    """Four imports of four organizations' size, by one worker process and by two."""
    seconds: dict[int, float] = {}
    for processes in (1, 2):
        with installation() as run:
            for pid in run.find("worker"):
                os.kill(pid, 19)
            celery = ["celery", "-q", "-A", "vocelio", "worker", "--loglevel", "warning"]
            worker = run.spawn(*celery, "-c", str(processes), "--hostname", "bench@%h")
            try:
                wait_until(lambda run=run: run.redis().scard("_kombu.binding.contacts"), 60, "a worker")  # type: ignore[misc]
                time.sleep(5)
                began = time.monotonic()
                files = [Import(run, 30_000, first=part * 30_000).start() for part in range(4)]
                for file in files:
                    file.wait(300)
                seconds[processes] = time.monotonic() - began
            finally:
                worker.kill()
                worker.wait()
    tell(
        "4 imports of 30,000 rows, worker processes 1 and 2",
        f"{seconds[1]:.1f} s and {seconds[2]:.1f} s",
        "twice as fast",
        seconds[1] / seconds[2] / 2,
    )


def wrk(run: Installation, path: str, *, seconds: int = 10, script: str = "") -> tuple[float, float]:
    """Return requests a second and the 95th percentile in milliseconds; fail when an answer was no success."""
    assert shutil.which("wrk"), "Debian's package wrk is needed"
    told = Path(__file__).with_name(script or "report.lua")
    command = [
        "wrk",
        "-t2",
        "-c16",
        "--timeout",
        "10s",
        f"-d{seconds}s",
        "-s",
        str(told),
        "-H",
        f"Authorization: Bearer {run.token}",
    ]
    found = subprocess.run([*command, f"{run.url}{path}"], capture_output=True, text=True, check=True)
    figures = {
        name: float(value) for name, value in re.findall(r"^(rate|p95|bad)=([\d.]+)$", found.stdout, re.MULTILINE)
    }
    assert not figures["bad"], found.stdout
    return figures["rate"], figures["p95"]


ALL: dict[str, Callable[[], None]] = {
    "creation": creation,
    "import": imports,
    "sync": sync,
    "requests": requests,
    "sockets": sockets,
    "workers": workers,
}


def main(names: list[str]) -> int:
    if unknown := set(names) - set(ALL):
        say(f"There are: {', '.join(ALL)}; not {', '.join(unknown)}")
        return 2
    say("| what | figure | goal | ratio to goal | load |")
    for name in names or ALL:
        ALL[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
