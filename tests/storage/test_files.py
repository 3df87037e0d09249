"""How stored files leave: by download, by erasure, and by the sweeper once nothing refers to them."""

import errno
import os
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from comms.models import Communication
from contacts.models import ContactExport
from tests.contacts.uploads import upload
from tests.factories import Person, phone_number, run_jobs, unique
from tests.rows import make_row
from vocelio.organizations.scope import organization_scope
from vocelio.storage import orphans
from vocelio.storage.orphans import sweep_files


def exported(person: Person) -> str:
    """Have a contact exported; return the address of the file."""
    person.post("/v1/contacts", {"phone": phone_number(), "firstName": "Ada"})
    job_id = person.post("/v1/contacts/export", {"format": "csv"}).data["id"]
    run_jobs(person.organization)
    return f"/v1/exports/{job_id}/download"


def test_a_bucket_serves_the_file_itself_as_an_attachment_for_a_minute(manager: Person, bucket: Any) -> None:
    answer = manager.get(exported(manager))
    assert answer.status == 302
    assert "X-Amz-Expires=60" in answer.headers["Location"]
    assert answer.headers["Cache-Control"] == "private, no-store"
    file = httpx.get(answer.headers["Location"], trust_env=False)
    assert file.status_code == 200
    assert file.headers["Content-Disposition"].startswith('attachment; filename="contacts-')
    assert file.headers["Content-Type"].startswith("text/csv")
    assert "Ada" in file.text


def test_a_folder_streams_it_or_has_nginx_send_it(manager: Person, folder: None, settings: Any) -> None:
    path = exported(manager)
    streamed = manager.get(path)
    assert "Ada" in b"".join(streamed.response.streaming_content).decode()
    settings.FILES_ACCEL_PREFIX = "/files/"
    sent = manager.get(path)
    with organization_scope(manager.organization.id):
        assert sent.headers["X-Accel-Redirect"] == f"/files/{ContactExport.objects.get().file}"
    assert sent.response.content == b""
    for answer in (streamed, sent):
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_others_get_no_address_of_a_file(manager: Person, agent: Person, outsider: Person, bucket: Any) -> None:
    path = exported(manager)
    assert agent.get(path).status == 403
    assert outsider.get(path).status == 404


def test_an_erased_persons_attachments_go_unless_another_message_has_them(admin: Person, place: str) -> None:
    def attached(name: str) -> str:
        file = SimpleUploadedFile(name, b"about Ada", content_type="text/plain")
        return str(admin.post("/v1/communications/attachments", {"file": file}).data["file"])

    own, shared = attached("own.txt"), attached("shared.txt")
    ada, bob = (admin.post("/v1/contacts", {"phone": phone_number()}).data["id"] for _ in range(2))
    with organization_scope(admin.organization.id):
        for contact_id, files in ((ada, [own, shared]), (bob, [shared])):
            attachments = [{"file": file, "name": "a.txt", "contentType": "text/plain"} for file in files]
            message = make_row(Communication, attachments=attachments, body_text="Hi")
            Communication.objects.filter(pk=message.pk).update(contact_id=contact_id)
    assert admin.post(f"/v1/contacts/{ada}/erase", {"confirm": True}).status in {200, 202}
    run_jobs(admin.organization)
    assert not default_storage.exists(own)
    assert default_storage.exists(shared)


def test_the_sweeper_takes_what_nothing_refers_to_and_is_old(
    manager: Person, folder: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(manager, f"phone\n{phone_number()}\n")
    key = manager.post("/v1/uploads/presign").data["key"]
    left = [
        default_storage.save(f"{kind}/{manager.organization.id}/{unique('left')}", ContentFile(b"x"))
        for kind in ("imports", "exports", "candidates", "communications", "dnc")
    ]
    left.append(default_storage.save(key, ContentFile(b"x")))
    assert sweep_files(manager.organization.id) == 0
    days_ago = time.time() - 2 * 86400
    for path in Path(default_storage.path("")).rglob("*"):
        os.utime(path, (days_ago, days_ago))
    assert sweep_files(manager.organization.id) == len(left)
    assert not any(map(default_storage.exists, left))
    assert run_jobs(manager.organization) == 1


def test_the_sweeper_reads_buckets_too(manager: Person, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    left = default_storage.save(f"imports/{manager.organization.id}/left", ContentFile(b"x"))
    others = default_storage.save(f"unknown/{manager.organization.id}/kept", ContentFile(b"x"))
    monkeypatch.setattr(orphans, "GRACE", timedelta(seconds=-1))
    assert sweep_files(manager.organization.id) == 1
    assert not default_storage.exists(left)
    assert default_storage.exists(others)


def test_a_full_disk_is_said_and_nothing_is_kept(
    manager: Person, folder: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*args: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FileSystemStorage, "_save", full)
    answer = upload(manager, f"phone\n{phone_number()}\n")
    assert (answer.status, answer.error["code"], answer.headers["Retry-After"]) == (503, "STORAGE_FULL", "60")
    assert run_jobs(manager.organization) == 0
