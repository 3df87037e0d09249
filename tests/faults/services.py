"""PostgreSQL, Redis, the disk and the clock going wrong."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from functools import partial
from pathlib import Path

import httpx
import psycopg
from websockets.sync.client import ClientConnection

from tests.faults.installation import (
    EMAIL,
    Import,
    Installation,
    Writer,
    claims,
    installation,
    replaced,
    say,
    taken_again,
    wait_until,
)


def database_restart() -> None:
    """Restart PostgreSQL, once in order and once by kill -9, under 50 requests a second."""
    with installation() as run:
        with Writer(run, 50).writing() as writer:
            for number in (signal.SIGINT, signal.SIGKILL):
                time.sleep(3)
                before = run.find("postgres")[0]
                again = replaced(run, "postgres", before)
                os.kill(before, number)
                wait_until(again, 60, "PostgreSQL again")
                took = wait_until(taken_again(writer), 60, "a contact is taken again")
                say(f"  {number.name}: the first contact {took:.1f} s after the server was started again")
            time.sleep(3)
        _finish(run, writer)
        assert writer.outage() < 10
        assert set(writer.answers) <= {"201", "503"}, writer.answers


def _finish(run: Installation, writer: Writer) -> None:
    wait_until(lambda: len(writer.moments) > 0, 5, "answers")
    say(f"  writes: {writer.told()}")
    assert not writer.lost()


def redis_loss() -> None:
    """Redis hangs for 10 s, is emptied and killed, while jobs wait, sockets listen and somebody guesses passwords."""
    with installation() as run:
        socket = run.socket()
        work = Import(run, 100_000).start()
        work.wait_for_rows(5_000)
        with Writer(run, 20).writing() as writer:
            time.sleep(1)
            valkey = run.find("valkey")[0]
            os.kill(valkey, signal.SIGSTOP)
            guesses = [_guess(run) for _ in range(12)]
            time.sleep(8)
            os.kill(valkey, signal.SIGCONT)
            run.redis().flushall()
            again = replaced(run, "valkey", valkey)
            os.kill(valkey, signal.SIGKILL)
            wait_until(again, 60, "Redis again")
        # The writer has stopped with Redis just back.
        took = _hear_all(run, socket, writer)
        say(f"  the socket that stayed open had heard of all {len(writer.acknowledged)} contacts {took:.1f} s later")
        socket.close()
        say(f"  wrong passwords while Redis hung: {guesses}")
        assert 429 in guesses, "guessing went on without limit"
        later = Import(run, 0)
        later.rows, later.job_id = work.rows, work.job_id
        took = later.wait(90)
        later.check()
        say(f"  import: whole, {took:.1f} s later, at claim {work.row()[2]}")
        _finish(run, writer)
        assert set(writer.answers) <= {"201"}, writer.answers


def _guess(run: Installation) -> int:
    body = {"email": EMAIL, "password": "wrong"}
    return httpx.post(f"{run.url}/v1/auth/login", json=body, timeout=30, trust_env=False).status_code


def _hear_all(run: Installation, socket: ClientConnection, writer: Writer) -> float:
    """Read on until the socket has told of every contact; return after how many seconds it had."""
    began = time.monotonic()
    wanted = {
        str(key) for (key,) in run.query("SELECT id FROM contacts WHERE phone = ANY(%s)", list(writer.acknowledged))
    }
    while wanted:
        event = json.loads(socket.recv(timeout=5))
        wanted.discard(event.get("data", {}).get("contactId", ""))
    took = time.monotonic() - began
    assert took < 5, "the socket was behind for longer"
    return took


def disk_full() -> None:
    """Fill the disk under the database and the files, then make room again."""
    folder = Path(tempfile.mkdtemp(prefix="vocelio-disk-", dir="/var/tmp"))
    folder.chmod(0o711)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700m,mode=711", "tmpfs", str(folder)], check=True)
    try:
        with installation(folder) as run:
            with Writer(run, 20).writing() as writer:
                time.sleep(3)
                balloon = folder / "balloon"
                with balloon.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - 256 * 1024)
                refused = _upload(run)
                say(
                    f"  an upload of 4 MB: {refused.status_code} {refused.json()['error']['code']}: {refused.json()['error']['message']}"
                )
                words = _fill_database(run)
                time.sleep(3)
                balloon.unlink()
                took = wait_until(taken_again(writer), 60, "a contact is taken again")
                say(f"  {words}; with room again the first contact after {took:.1f} s, nobody having started anything")
            assert refused.status_code in {503, 507}
            work = Import(run, 20_000).start()
            work.wait()
            work.check()
            _finish(run, writer)
            assert set(writer.answers) <= {"201", "503", "507"}, writer.answers
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


def _upload(run: Installation) -> httpx.Response:
    lines = "".join(f"Row {row},+1415{2000000 + row},{'x' * 200}\n" for row in range(20_000))
    with run.client() as client:
        form = {"file": ("people.csv", f"first_name,phone,notes\n{lines}".encode())}
        return client.post("/v1/uploads/contacts", files=form)


def _fill_database(run: Installation) -> str:
    """Write until PostgreSQL finds no room; return its words."""
    try:
        run.query("CREATE TABLE ballast AS SELECT repeat('x', 2000) FROM generate_series(1, 100000)")
    except psycopg.OperationalError as error:
        return f"PostgreSQL said: {str(error).splitlines()[0][:90]}"
    raise AssertionError("The disk was not full")


def clock_skew() -> None:
    """Run web and worker an hour ahead and an hour behind the others."""
    assert shutil.which("faketime"), "Debian's package faketime is needed"
    with installation() as run:
        for hours in ("+1h", "-1h"):
            port = run.port + 1
            # What the command `faketime` sets; it would stay between this process and its child.
            wrong = {"LD_PRELOAD": "/usr/$LIB/faketime/libfaketime.so.1", "FAKETIME": hours}
            web = run.spawn(
                *("uvicorn", "vocelio.asgi:application", "--port", str(port), "--lifespan", "off"),
                *("--ws", "websockets-sansio", "--log-level", "warning", "--no-access-log"),
                PORT=str(port),
                **wrong,
            )
            worker = run.spawn(
                *("celery", "-q", "-A", "vocelio", "worker", "-c", "2", "--loglevel", "warning"),
                **wrong,
            )
            skewed = f"http://127.0.0.1:{port}"
            try:
                wait_until(partial(_answers, skewed), 180, "the skewed web answers")
                answer = run.sign_in(skewed)
                assert answer.status_code == 200, answer.text
                said = claims(answer.json()["data"]["accessToken"])
                offset = said["iat"] - time.time()
                with run.client(skewed) as client:
                    ours_there = client.get("/v1/contacts").status_code
                run_token, run.token = run.token, answer.json()["data"]["accessToken"]
                with run.client() as client, run.client(skewed) as own:
                    theirs_here, theirs_there = (
                        client.get("/v1/contacts").status_code,
                        own.get("/v1/contacts").status_code,
                    )
                run.token = run_token
                say(
                    f"  web at {hours}: issued {offset / 60:+.0f} min; its token there {theirs_there}, here {theirs_here};"
                    f" ours there {ours_there}"
                )
                assert theirs_there == 200
                work = Import(run, 30_000)
                work.rows = 30_000
                run.query("DELETE FROM contacts WHERE phone LIKE '+1415%%' RETURNING id")
                work.start()
                work.wait()
                work.check()
                say(f"  workers at {hours} and 0: import whole at claim {work.row()[2]}")
            finally:
                for process in (web, worker):
                    process.terminate()
                    process.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=3, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False
