"""Where lists come from by themselves: a stateful FTC, an https server, SFTP and watched folders."""

import base64
import hashlib
import http.server
import re
import socket
import threading
import zipfile
from io import BytesIO

import paramiko
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from dnc import tasks
from dnc.models import Registry, RegistryArea, RegistryFile, Source, SourceDownload
from dnc.services.sources import create_source, run_source
from dnc.sources import all_places
from dnc.sources.sftp import fingerprint
from tests.dnc.registries import TODAY, company_list, days_ago, fresh_code, load_lines
from tests.dnc.test_registry import listed
from tests.factories import phone_number, run_jobs
from vocelio.db.models import ScheduleTick
from vocelio.organizations.platform import platform_organization
from vocelio.organizations.scope import organization_scope


class Ftc(http.server.ThreadingHTTPServer):
    """Behaves as the web service does: sign in first, each file once a day, change lists take a while."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), FtcAnswer)
        self.files, self.given, self.calls = {}, set(), []
        self.pending, self.damaged, self.requests = 0, False, 0

    @property
    def place(self):
        return f"127.0.0.1:{self.server_port}"

    def offer(self, name, text):
        content = BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr(name, text)
        self.files[f"https://telemarketing.donotcall.gov/files/{name}.zip"] = content.getvalue()


class FtcAnswer(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        operation = self.headers["SOAPAction"].strip('"').rsplit("/", 1)[1]
        values = dict(re.findall(r"<(\w+)>([^<]*)</", body))
        self.server.calls.append(operation)
        texts = getattr(self, operation)(values)
        inner = "".join(f"<value>{text}</value>" for text in texts)
        answer = f"<?xml version='1.0'?><soap:Envelope xmlns:soap='x'><soap:Body>{inner}</soap:Body></soap:Envelope>"
        self.send_response(200)
        self.end_headers()
        self.wfile.write(answer.encode())

    def Login(self, values):
        known = (values["strCoID"], values["strCoPwd"], values["enumCertify"]) == ("12345", "secret", "Agree")
        return ["LoginOK", "token-1"] if known else ["LoginFailed"]

    def GetURLS(self, values):
        if values["strSessionToken"] != "token-1":
            return ["InvalidSessionToken"]
        return [
            "714:File was already downloaded Today" if url in self.server.given else url for url in self.server.files
        ]

    def GetDNCFileByUrl(self, values):
        url = values["fileUrl"]
        if url in self.server.given:
            return ["AlreadyDownloadedToday"]
        self.server.given.add(url)
        content = self.server.files[url]
        if self.server.damaged:
            content = content[:-30]
        return ["DownloadOK", base64.b64encode(content).decode()]

    def SubmitDeltaFileRequest(self, values):
        self.server.requests += 1
        return ["SubmitOK", "request-1"]

    def GetDeltaFileRequestStatus(self, values):
        assert values["strRequestToken"] == "request-1"
        self.server.pending -= 1
        if not self.server.files:
            return ["NoChanges"]
        return ["RequestPending" if self.server.pending >= 0 else "RequestCompleted"]

    def GetDeltaFileUrl(self, values):
        return list(self.server.files)

    def log_message(self, *args):
        """Say nothing between tests."""


@pytest.fixture
def ftc(settings):
    server = Ftc()
    settings.OUTBOUND_TRUSTED = [server.place]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def federal_source(ftc, secret="secret", **settings):  # noqa: S107 - the fake's
    settings = {"companyId": "12345", "endpoint": f"http://{ftc.place}/DownloadSvc.asmx", **settings}
    with organization_scope(platform_organization().pk):
        registry = Registry.objects.get(slug="us-federal")
        return create_source(kind="ftc", registry=registry, settings=settings, secret=secret)


def collect(source):
    """Let the source be due, run it and the loads it started; return it as it is then."""
    with organization_scope(source.organization_id):
        Source.objects.filter(pk=source.pk).update(next_run_at=Now())
    assert run_source(source.organization_id, source.pk)
    run_jobs(platform_organization())
    with organization_scope(source.organization_id):
        return Source.objects.get(pk=source.pk)


def test_full_lists_come_from_the_ftc_once_a_day(ftc):
    code = fresh_code()
    name = f"{TODAY.year}-{TODAY.month}-{TODAY.day}_{code}_guid{code}.txt"
    ftc.offer(name, f"{code},5550100\n{code},5550101\n")
    source = collect(federal_source(ftc))
    assert (source.last_error, source.failures) == ("", 0)
    assert listed(code) == {5550100, 5550101}
    with organization_scope(source.organization_id):
        download = SourceDownload.objects.get(source=source)
        assert source.secret == "secret"
    # The answer is kept as it came: SOAP around base64.
    with default_storage.open(download.file) as raw:
        assert b"DownloadOK" in raw.read()
    again = collect(source)
    assert again.last_error == ""
    assert ftc.calls.count("GetDNCFileByUrl") == 1
    # Even one that forgot what it has is told so and harms nothing.
    with organization_scope(source.organization_id):
        SourceDownload.objects.filter(source=source).update(name="forgotten")
    ftc.given.clear()
    ftc.given.add(next(iter(ftc.files)))
    assert collect(source).last_error == ""
    assert listed(code) == {5550100, 5550101}


def test_a_change_list_that_is_being_made_is_asked_for_again_later(ftc):
    code = fresh_code()
    load_lines(code, [5550100], days_ago(5))
    ftc.offer("changes.txt", f"{code}5550100,{days_ago(1)}T00:00:00,D\n{code}5550177,{days_ago(1)}T00:00:00,A\n")
    ftc.pending = 1
    source = collect(federal_source(ftc, changes=True))
    assert ("being made" in source.last_error, source.failures) == (True, 0)
    assert listed(code) == {5550100}
    source = collect(source)
    assert source.last_error == ""
    assert listed(code) == {5550177}
    assert ftc.requests == 1


def test_no_changes_keep_the_subscriptions_areas_fresh(ftc):
    ours, other = fresh_code(), fresh_code()
    for code in (ours, other):
        load_lines(code, [5550100], days_ago(20))
    source = collect(federal_source(ftc, changes=True, areaCodes=[ours]))
    assert source.last_error == ""
    days = [RegistryArea.objects.get(area="1" + code).version_date for code in (ours, other)]
    assert days == [TODAY, days_ago(20)]
    file = RegistryFile.objects.order_by("id").last()
    assert (file.status, file.kind, file.added, file.removed) == ("loaded", "changes", 0, 0)
    assert collect(source).last_error == ""
    assert RegistryFile.objects.order_by("id").last() == file


def test_a_wrong_password_and_a_damaged_answer_are_told_and_load_nothing(ftc):
    source = collect(federal_source(ftc, secret="wrong"))
    assert "LoginFailed" in source.last_error
    code = fresh_code()
    ftc.offer(f"{TODAY.year}-{TODAY.month}-{TODAY.day}_{code}_g{code}.txt", f"{code},5550100\n")
    ftc.damaged = True
    source = collect(federal_source(ftc))
    assert "zip" in source.last_error
    assert not RegistryFile.objects.filter(area="1" + code).exists()


class Shelf(http.server.BaseHTTPRequestHandler):
    content = b""

    def do_GET(self):
        tag = hashlib.sha256(self.content).hexdigest()[:12]
        known = self.headers["If-None-Match"] == tag
        self.send_response(304 if known else 200)
        self.send_header("ETag", tag)
        self.end_headers()
        if not known:
            self.wfile.write(self.content)

    def log_message(self, *args):
        """Say nothing between tests."""


def make_source(manager, kind, settings, **fields):
    list_id = company_list(manager)
    body = {"kind": kind, "listId": list_id, "settings": settings, "updateFrequency": 6, **fields}
    answer = manager.post("/v1/dnc/sources", body)
    assert answer.status == 201, answer
    assert "secret" not in answer.data
    with organization_scope(manager.organization.id):
        return list_id, Source.objects.get(pk=answer.data["id"])


def count(manager, list_id):
    run_jobs(manager.organization)
    return manager.get(f"/v1/dnc-lists/{list_id}").data["contactCount"]


def test_a_list_is_downloaded_on_its_own_schedule_by_beat(manager, settings):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shelf)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    settings.OUTBOUND_TRUSTED = [f"127.0.0.1:{server.server_port}"]
    Shelf.content = f"phone\n{phone_number()}\n".encode()
    list_id, source = make_source(manager, "https", {"url": "https://lists.example.com/a.csv"})
    with organization_scope(manager.organization.id):
        Source.objects.filter(pk=source.pk).update(settings={"url": f"http://127.0.0.1:{server.server_port}/a.csv"})
    shown = manager.get(f"/v1/dnc-lists/{list_id}").data
    assert (shown["autoUpdate"], shown["updateFrequency"]) == (True, 6)
    ScheduleTick.objects.filter(schedule="dnc.tasks.collect_sources").delete()
    assert tasks.collect_sources() >= 1
    assert count(manager, list_id) == 1
    assert collect(source).last_error == ""
    assert count(manager, list_id) == 1
    Shelf.content += f"{phone_number()}\n".encode()
    collect(source)
    assert count(manager, list_id) == 2
    server.shutdown()
    server.server_close()
    assert "cannot be reached" in collect(source).last_error


def test_inner_addresses_and_unknown_settings_are_refused(manager):
    _, source = make_source(manager, "https", {"url": "https://127.0.0.1/a.csv"})
    assert "may not be called" in collect(source).last_error
    list_id = company_list(manager)
    for kind, given in (("https", {"url": "http://x.example/a"}), ("https", {}), ("sftp", {"x": 1}), ("folder", {})):
        answer = manager.post("/v1/dnc/sources", {"kind": kind, "listId": list_id, "settings": given})
        assert answer.status == 422
    path = f"/v1/dnc/sources/{source.pk}"
    assert manager.patch(path, {"secret": "token"}).data["hasSecret"]
    # A secret that is known here is not sent to another address.
    assert manager.patch(path, {"settings": {"url": "https://elsewhere.example/a.csv"}}).status == 422
    assert manager.delete(path).status == 200


def test_files_put_into_the_storage_are_loaded_once(manager):
    list_id, source = make_source(manager, "storage", {})
    assert collect(source).last_error == ""
    default_storage.save(f"incoming/{list_id}/a.csv", ContentFile(f"phone\n{phone_number()}\n".encode()))
    collect(source)
    assert count(manager, list_id) == 1
    collect(source)
    with organization_scope(manager.organization.id):
        assert SourceDownload.objects.filter(source=source).count() == 1


class Session(paramiko.ServerInterface):  # type: ignore[misc]
    def check_auth_password(self, username, password):
        ok = (username, password) == ("lists", "secret")
        return paramiko.AUTH_SUCCESSFUL if ok else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username):
        return "password"

    def check_channel_request(self, kind, channel_id):
        return paramiko.OPEN_SUCCEEDED


class Handle(paramiko.SFTPHandle):  # type: ignore[misc]
    def __init__(self, content):
        super().__init__()
        self.content = content

    def read(self, offset, length):
        return self.content[offset : offset + length]

    def stat(self):
        return attributes("a.csv", self.content)


def attributes(name, content):
    found = paramiko.SFTPAttributes()
    found.filename, found.st_size, found.st_mtime, found.st_mode = name, len(content), 1_700_000_000, 0o100644
    found.st_atime = found.st_uid = found.st_gid = 0
    return found


class Folder(paramiko.SFTPServerInterface):  # type: ignore[misc]
    content = b""

    def list_folder(self, path):
        return [attributes("a.csv", self.content)]

    def stat(self, path):
        return attributes("a.csv", self.content)

    def open(self, path, flags, attr):
        return Handle(self.content)


@pytest.fixture
def sftp(settings):
    listener = socket.create_server(("127.0.0.1", 0))
    key = paramiko.ECDSAKey.generate()
    place = listener.getsockname()
    settings.OUTBOUND_TRUSTED = [f"127.0.0.1:{place[1]}"]
    transports = []

    def serve():
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(client)
            transports.append(transport)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Folder)
            transport.start_server(server=Session(), event=threading.Event())

    threading.Thread(target=serve, daemon=True).start()
    yield {"host": "127.0.0.1", "port": place[1], "user": "lists", "folder": "/out", "hostKey": fingerprint(key)}
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    for transport in transports:
        transport.close()


def test_a_list_comes_by_sftp_from_the_host_that_was_named(manager, sftp):
    Folder.content = f"phone\n{phone_number()}\n".encode()
    list_id, source = make_source(manager, "sftp", sftp, secret="secret")
    assert collect(source).last_error == ""
    assert count(manager, list_id) == 1
    collect(source)
    assert count(manager, list_id) == 1
    _, stranger = make_source(manager, "sftp", sftp | {"hostKey": "SHA256:other"}, secret="secret")
    assert "host key" in collect(stranger).last_error
    _, wrong = make_source(manager, "sftp", sftp, secret="wrong")
    assert "credentials" in collect(wrong).last_error


def test_every_kind_of_place_is_tested_here():
    assert set(all_places()) == {"ftc", "https", "sftp", "storage", "folder"}
