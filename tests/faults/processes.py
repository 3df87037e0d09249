"""Programs that are killed, delivered to twice, or run twice."""

import json
import os
import signal
import time

from tests.faults.installation import Import, Installation, Writer, installation, replaced, say, wait_until


def kill_9() -> None:
    """Kill each kind of process once, while contacts are posted and a file is imported."""
    with installation() as run:
        work = Import(run, 100_000).start()
        with Writer(run, 20).writing() as writer:
            work.wait_for_rows(5_000)
            for name in ("worker child", "worker", "web child", "web", "beat"):
                # The first child of web is the tracker of Python's multiprocessing, which does nothing here.
                victims = run.find(name)
                again = replaced(run, name, victims[-1])
                os.kill(victims[-1], signal.SIGKILL)
                took = wait_until(again, 60, f"{name} again")
                say(f"  {name:13} killed, another one after {took:.1f} s")
                time.sleep(1)
            run.wait_for_health(30)
            work.wait()
        work.check()
        status, _, attempt = work.row()
        say(f"  import of {work.rows:,} rows: {status} at claim {attempt}, none lost or doubled")
        say(f"  writes: {writer.told()}")
        assert not writer.lost()
        assert not {"500", "502"} & set(writer.answers), "an unexpected answer"


def kill_supervisor() -> None:
    """Kill bin/up itself during an import; nothing stays behind, and the next start goes on."""
    with installation() as run:
        work = Import(run, 100_000).start()
        work.wait_for_rows(5_000)
        below = run.processes()
        os.kill(run.process.pid, signal.SIGKILL)
        run.process.wait()
        took = wait_until(lambda: not any(_is_there(pid) for pid in below), 60, "everything below it ended")
        say(f"  {len(below)} processes were gone after {took:.1f} s")
        began = time.monotonic()
        run.start()
        say(f"  started again in {time.monotonic() - began:.1f} s")
        work.wait()
        work.check()
        say(f"  import: whole at claim {work.row()[2]}")


def _is_there(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def duplicate_delivery() -> None:
    """Ring every doorbell ten times while its job waits and while it runs."""
    with installation() as run:
        work = Import(run, 50_000).start()
        rung = _ring(run, work, 10)
        work.wait_for_rows(5_000)
        rung += _ring(run, work, 10)
        work.wait()
        rung += _ring(run, work, 10)
        wait_until(lambda: not run.redis().llen("contacts"), 60, "the queue is empty")
        work.check()
        (started, completed) = run.query(
            "SELECT count(*) FILTER (WHERE action = 'import.started'),"
            " count(*) FILTER (WHERE action = 'import.completed') FROM audit_log"
        )[0]
        say(
            f"  delivered {rung + 1} times: {work.rows:,} rows once, {started} start and {completed} end in the audit log"
        )
        assert (started, completed) == (1, 1)


def _ring(run: Installation, work: Import, times: int) -> int:
    (organization,) = run.query("SELECT organization_id FROM import_jobs WHERE id = %s", work.job_id)[0]
    message = json.dumps({"organization_id": str(organization), "job_id": work.job_id})
    ring = (
        "import json; from celery import current_app\n"
        f"for _ in range({times}): current_app.send_task('contacts.tasks.run_import', kwargs=json.loads('{message}'))"
    )
    run.manage("shell", "--verbosity", "0", "-c", ring)
    return times


def two_beats() -> None:
    """Run a second beat: each tick of a schedule still works once."""
    with installation() as run:
        second = run.spawn("celery", "-q", "-A", "vocelio", "beat", "--loglevel", "warning")
        try:
            time.sleep(5)
            ticks: set[tuple[str, object]] = set()
            began = time.monotonic()
            while time.monotonic() - began < 30:
                ticks |= set(run.query("SELECT schedule, ticked_at FROM schedule_ticks"))
                time.sleep(0.2)
        finally:
            second.kill()
            second.wait()
        sweeps = len([1 for schedule, _ in ticks if schedule == "vocelio.jobs.tasks.sweep_jobs"])
        say(f"  two beats, 30 s: the sweeper, due each 5 s, worked {sweeps} times")
        assert 5 <= sweeps <= 8
