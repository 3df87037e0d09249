"""Dry run, undo and export end to end through their jobs: python -m benchmarks.import_depth [ROWS].

Uses the database of DATABASE_URL (migrated), makes an organization of its own and leaves it there. Each job runs in a
process of its own, whose peak of memory is the figure.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django
from django.utils.module_loading import import_string

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")


def main(rows: int) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    from benchmarks.contact_files import write_csv
    from tests.factories import make_organization, make_person

    manager = make_person(make_organization(), "manager")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "contacts.csv")
        expected = write_csv(path, rows, existing=0)
        form = {"file": SimpleUploadedFile(path.name, path.read_bytes()), "listName": "Imported"}

        def draft() -> Any:
            form["file"].seek(0)
            return manager.post("/v1/uploads/contacts", form | {"preview": "true"}).data["jobId"]

        job_id = draft()
        preview = manager.get(f"/v1/uploads/contacts/{job_id}/preview").data["dryRun"]
        dry = work("contacts.tasks.preview_import", manager, preview["id"])
        results = manager.get(f"/v1/uploads/contacts/{job_id}/preview").data["dryRun"]["results"]
        assert results["created"] == expected.imported, (results, expected)
        show("dry run of new contacts", rows, dry)
        manager.post(f"/v1/uploads/contacts/{job_id}/start", {})
        real = work("contacts.tasks.run_import", manager, job_id)
        show("the import itself", rows, real, 15_000)
        print(f"  the dry run took {dry['seconds'] / real['seconds']:.2f} of the import's time (goal 1)")
        second = draft()
        answer = manager.post(f"/v1/uploads/contacts/{second}/preview", {"policy": "overwrite"})
        dry = work("contacts.tasks.preview_import", manager, answer.data["dryRun"]["id"])
        show("dry run of known contacts, overwriting", rows, dry)
        for format, goal in (("csv", 50_000), ("xlsx", 8_000)):
            export = manager.post("/v1/contacts/export", {"format": format}).data
            figures = work("contacts.tasks.run_export", manager, export["id"])
            done = manager.get(f"/v1/exports/{export['id']}").data
            assert done["rows"] == expected.imported, done
            show(f"export as {format}, {done['fileSize'] // 1_000_000} MB", done["rows"], figures, goal)
        undo = manager.post(f"/v1/uploads/contacts/{job_id}/undo").data
        figures = work("contacts.tasks.run_undo", manager, undo["id"])
        done = manager.get(f"/v1/uploads/contacts/{job_id}/undo").data
        assert done["results"]["removed"] == expected.imported, done
        show("undo", rows, figures, 1_000_000 // 180)


def show(name: str, rows: int, figures: dict[str, float], goal: int = 0) -> None:
    rate = rows / figures["seconds"]
    compared = f", {rate / goal:.2f} of the goal of {goal:,}" if goal else ""
    load = os.getloadavg()[0]
    print(
        f"{name}: {rows:,} rows in {figures['seconds']:.1f} s, {rate:,.0f} rows/s{compared};"
        f" peak {figures['peak']} MB; load {load:.1f}",
        flush=True,
    )


def work(task: str, person: Any, job_id: str) -> dict[str, float]:
    """Run one job in a new process, as a worker does, and return what it took."""
    command = [sys.executable, "-m", "benchmarks.import_depth", "worker", task, str(person.organization.id), job_id]
    ended = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(ended.stdout)
    return figures


def run(task: str, organization_id: str, job_id: str) -> None:
    started = time.monotonic()
    import_string(task)(organization_id=organization_id, job_id=job_id)
    seconds = time.monotonic() - started
    # Not ru_maxrss, which begins with the size of the process that started this one.
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    print(json.dumps({"seconds": seconds, "peak": int(peak[1]) // 1024 if peak else 0}))


if __name__ == "__main__":
    django.setup()
    if sys.argv[1:2] == ["worker"]:
        run(*sys.argv[2:])
    else:
        main(int(sys.argv[1]) if sys.argv[1:] else 1_000_000)
