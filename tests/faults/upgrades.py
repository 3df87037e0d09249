"""A new version takes over from the old one behind nginx, while people work. Needs nginx and openssl."""

import json
import os
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.faults.installation import PORT, PROJECT, Import, Installation, Writer, installation, say, wait_until

# Next to bin/up's: two web processes, nginx' two.
WEB = (PORT + 1, PORT + 2)
HTTPS_PORT, HTTP_PORT = PORT + 3, PORT + 4


def web_command(port: int) -> list[str]:
    """Return what deploy/systemd runs, as arguments of python -m."""
    unit = (PROJECT / "deploy/systemd/vocelio-web@.service").read_text()
    found = re.search(r"^ExecStart=\S+/(uvicorn .*)$", unit, re.MULTILINE)
    assert found is not None
    return found[1].replace("%i", str(port)).split()


@contextmanager
def proxy(run: Installation) -> Iterator[tuple[str, Callable[[str], None]]]:
    """Run nginx by deploy/nginx/vocelio.conf, on ports of its own and a certificate of the moment.

    Give its URL, and what takes the web process of an address out ("" puts all back), as docs/deployment.md does.
    """
    folder = Path(tempfile.mkdtemp(prefix="vocelio-nginx-"))
    certificate = ["-keyout", f"{folder}/tls.key", "-out", f"{folder}/tls.crt", "-subj", "/CN=localhost"]
    options = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(["openssl", "req", *options, *certificate], check=True, capture_output=True)
    shutil.copytree(PROJECT / "deploy/nginx/machine", folder / "vocelio")
    files = folder / "vocelio/files.conf"
    files.write_text(files.read_text().replace("/var/lib/vocelio/files/", f"{run.data}/files/"))
    upstream = folder / "vocelio/upstream.conf"
    upstream.write_text(upstream.read_text().replace("8001", str(WEB[0])).replace("8002", str(WEB[1])))
    text = (PROJECT / "deploy/nginx/vocelio.conf").read_text()
    for there, here in (
        ("listen 443", f"listen {HTTPS_PORT}"),
        ("listen [::]:443", f"listen [::]:{HTTPS_PORT}"),
        ("listen 80", f"listen {HTTP_PORT}"),
        ("listen [::]:80", f"listen [::]:{HTTP_PORT}"),
        ("/etc/nginx/tls", str(folder)),
        ("/etc/nginx/vocelio", f"{folder}/vocelio"),
    ):
        text = (
            text.replace(there + ";", here + ";")
            .replace(there + " ssl", here + " ssl")
            .replace(there + "/", here + "/")
        )
    (folder / "nginx.conf").write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; daemon off; user root;\n"
        f"events {{}} http {{ access_log off; client_body_temp_path {folder}/body; {text} }}"
    )
    process = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    whole = upstream.read_text()

    def take_out(address: str) -> None:
        upstream.write_text(whole.replace(f"{address} ", f"{address} down ") if address else whole)
        process.send_signal(signal.SIGHUP)
        # The old workers of nginx end with the requests they have.
        time.sleep(1)

    try:
        yield f"https://127.0.0.1:{HTTPS_PORT}", take_out
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder)


class Listener(threading.Thread):
    """A client that hears of contacts, and comes again when it is told to."""

    def __init__(self, run: Installation, url: str) -> None:
        super().__init__(daemon=True)
        self.run_, self.url = run, url.replace("https", "wss") + "/ws"
        self.codes: list[int] = []
        self.heard = 0
        self.over = False

    def run(self) -> None:
        trusting = ssl._create_unverified_context()
        while not self.over:
            try:
                with connect(self.url, ssl=trusting, proxy=None) as socket:
                    socket.send(json.dumps({"type": "authenticate", "token": self.run_.token}))
                    socket.send(json.dumps({"type": "subscribe", "channel": "contacts"}))
                    while not self.over:
                        try:
                            self.heard += json.loads(socket.recv(timeout=1))["type"] == "contact_created"
                        except TimeoutError:
                            continue
            except ConnectionClosed as end:
                self.codes.append(end.rcvd.code if end.rcvd else 0)
            except (OSError, InvalidStatus):
                time.sleep(0.2)


def rolling_upgrade() -> None:
    """Restart two web processes behind nginx one after the other, and the worker in an import, under writes."""
    public = f"https://127.0.0.1:{HTTPS_PORT}"
    with installation() as run, proxy(run) as (url, take_out):
        extra = {"PUBLIC_URL": public, "BEHIND_PROXY": "1", "FILES_ACCEL_PREFIX": "/files/"}
        webs = {port: run.spawn(*web_command(port), **extra) for port in WEB}
        try:
            for port in WEB:
                wait_until(partial(_listens, port), 120, f"web on {port}")
            _check_proxy(run, url)
            listener = Listener(run, url)
            listener.start()
            work = Import(run, 100_000).start()
            work.wait_for_rows(5_000)
            with Writer(run, 20, url).writing() as writer:
                for port in WEB:
                    time.sleep(2)
                    take_out(f"127.0.0.1:{port}")
                    began = time.monotonic()
                    webs[port].send_signal(signal.SIGTERM)
                    code = webs[port].wait(40)
                    say(f"  web on {port} drained in {time.monotonic() - began:.1f} s, code {code}")
                    webs[port] = run.spawn(*web_command(port), **extra)
                    wait_until(partial(_listens, port), 120, f"web on {port} again")
                    take_out("")
                for pid in run.find("worker"):
                    os.kill(pid, signal.SIGTERM)
                time.sleep(3)
            work.wait()
            work.check()
            listener.over = True
            listener.join(5)
            say(
                f"  import: whole at claim {work.row()[2]}; sockets were closed with {listener.codes}, heard {listener.heard}"
            )
            say(f"  writes: {writer.told()}")
            assert not writer.lost()
            assert set(writer.answers) <= {"201"}, writer.answers
            assert set(listener.codes) <= {1012, 1001}, listener.codes
        finally:
            for process in webs.values():
                process.kill()
                process.wait()


def _listens(port: int) -> bool:
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/health", timeout=3, trust_env=False, headers={"Host": "localhost"})
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


def _check_proxy(run: Installation, url: str) -> None:
    """TLS 1.3 and no less; what web says of https; a file sent by nginx."""
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = ssl._create_unverified_context()
        context.maximum_version = version
        try:
            answer = httpx.get(f"{url}/v1/health", verify=context, trust_env=False)
            assert answer.status_code == 200, answer.text
            said = f"{answer.status_code}, HSTS {answer.headers.get('Strict-Transport-Security')}"
            assert version == ssl.TLSVersion.TLSv1_3, "TLS 1.2 is spoken"
            assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
        except httpx.ConnectError:
            said = "refused"
            assert version == ssl.TLSVersion.TLSv1_2
        say(f"  {version.name}: {said}")
    plain = httpx.get(f"http://127.0.0.1:{HTTP_PORT}/v1/health", trust_env=False)
    assert plain.status_code == 301
    assert plain.headers["Location"].startswith("https://")
    assert httpx.get(f"{url}/metrics", verify=False, trust_env=False).status_code == 403
    with run.client(url) as client:
        client.post("/v1/contacts", json={"phone": "+12125559999", "firstName": "Ada"})
        job_id = client.post("/v1/contacts/export", json={"format": "csv"}).json()["data"]["id"]
        wait_until(lambda: client.get(f"/v1/exports/{job_id}").json()["data"]["status"] == "completed", 60, "an export")
        file = client.get(f"/v1/exports/{job_id}/download")
    assert "Ada" in file.text, file.text[:200]
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["Server"] == "nginx"
    say("  http is sent to https, /metrics is closed, a file of the folder is sent by nginx")
