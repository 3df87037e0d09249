"""POST /uploads/presign, the form it answers, and what takes the file by its key."""

import base64
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.core import signing
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.contacts.uploads import contacts_of
from tests.factories import Person, phone_number, run_jobs

CSV = "first_name,phone\nAda,{}\n"

Send = Callable[[dict[str, Any], bytes], int]


@pytest.fixture
def send(place: str) -> Send:
    """Post a form as a client does; return the status."""

    def post(form: dict[str, Any], content: bytes) -> int:
        if place == "bucket":
            return httpx.post(form["url"], data=form["fields"], files={"file": content}, trust_env=False).status_code
        assert form["url"].endswith("/v1/uploads/files")
        fields = {**form["fields"], "file": SimpleUploadedFile("any", content)}
        return int(Client(SERVER_NAME="localhost").post("/v1/uploads/files", fields).status_code)

    return post


def presign(person: Person) -> dict[str, Any]:
    answer = person.post("/v1/uploads/presign")
    assert answer.status == 201, answer
    form: dict[str, Any] = answer.data
    return form


def take(person: Person, key: str, **fields: Any) -> Any:
    return person.post("/v1/uploads/contacts", {"key": key, "filename": "people.csv", **fields})


def test_a_file_sent_past_the_server_is_imported_by_its_key(manager: Person, send: Send) -> None:
    form = presign(manager)
    assert form["key"].startswith(f"uploads/{manager.organization.id}/")
    assert send(form, CSV.format(phone_number()).encode()) == 204
    answer = take(manager, form["key"])
    assert answer.status == 202, answer
    assert answer.data["filename"] == "people.csv"
    run_jobs(manager.organization)
    assert [contact.first_name for contact in contacts_of(manager)] == ["Ada"]
    # It was taken: nothing is left, and the key leads nowhere.
    assert not default_storage.exists(form["key"])
    assert take(manager, form["key"]).status == 422


def test_what_is_refused_stays_to_be_taken_rightly(manager: Person, send: Send) -> None:
    form = presign(manager)
    send(form, CSV.format(phone_number()).encode())
    assert take(manager, form["key"], listId=str(uuid.uuid4())).status == 422
    assert take(manager, form["key"]).status == 202


def test_content_is_checked_whatever_the_name_says(manager: Person, send: Send) -> None:
    form = presign(manager)
    assert send(form, b"%PDF-1.7 \x00\x01") == 204
    answer = take(manager, form["key"])
    assert (answer.status, answer.error["details"]["field"]) == (422, "file")


def test_keys_of_others_and_made_up_ones_read_as_none(manager: Person, outsider: Person, send: Send) -> None:
    theirs = presign(outsider)["key"]
    mine = presign(manager)["key"]
    hostile = [
        theirs,
        mine,
        f"{mine}/../../{theirs}",
        f"uploads/{manager.organization.id}/../../state.json",
        f"imports/{manager.organization.id}/{uuid.uuid4()}",
        "/etc/passwd",
        f"uploads/{manager.organization.id}/{uuid.uuid4()}\x00",
    ]
    for key in hostile:
        answer = take(manager, key)
        assert answer.status == 422, (key, answer)
        assert {error["field"] for error in answer.error["details"]["errors"]} == {"key"}


def test_a_file_or_a_key_with_a_name_is_needed(manager: Person, folder: None) -> None:
    assert manager.post("/v1/uploads/contacts", {}).status == 422
    assert manager.post("/v1/uploads/contacts", {"key": presign(manager)["key"]}).status == 422
    both = {"file": SimpleUploadedFile("a.csv", b"phone\n"), "key": presign(manager)["key"], "filename": "a.csv"}
    assert manager.post("/v1/uploads/contacts", both).status == 422


def test_a_file_larger_than_allowed_is_refused_when_it_is_taken(manager: Person, send: Send, settings: Any) -> None:
    form = presign(manager)
    send(form, b"phone\n" + b"1" * 200)
    settings.MAX_UPLOAD_BYTES = 100
    assert take(manager, form["key"]).status == 413


def test_a_folder_refuses_what_a_bucket_would(manager: Person, folder: None, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 100
    form = presign(manager)
    assert form["maxBytes"] == 100

    def post(content: bytes = b"phone\n", **changes: str) -> int:
        fields = {**form["fields"], **changes, "file": SimpleUploadedFile("any", content)}
        return int(Client(SERVER_NAME="localhost").post("/v1/uploads/files", fields).status_code)

    assert post(b"x" * 101) == 413
    assert post(key=presign(manager)["key"]) == 403
    assert post(policy=form["fields"]["policy"][:-1]) == 403
    other = signing.dumps([form["key"], 10**12], salt="another use of the key")
    assert post(policy=other) == 403
    assert post() == 204


def test_a_form_ends_after_five_minutes(manager: Person, folder: None, monkeypatch: pytest.MonkeyPatch) -> None:
    form = presign(manager)
    later = time.time() + 301
    monkeypatch.setattr(time, "time", lambda: later)
    fields = {**form["fields"], "file": SimpleUploadedFile("any", b"phone\n")}
    assert Client(SERVER_NAME="localhost").post("/v1/uploads/files", fields).status_code == 403


def test_a_buckets_form_names_one_key_a_size_and_five_minutes(manager: Person, bucket: Any, settings: Any) -> None:
    form = presign(manager)
    policy = json.loads(base64.b64decode(form["fields"]["policy"]))
    assert ["content-length-range", 1, settings.MAX_UPLOAD_BYTES] in policy["conditions"]
    assert {"key": form["key"]} in policy["conditions"]
    assert {"bucket": bucket.name} in policy["conditions"]
    assert policy["expiration"][:16] <= form["expiresAt"][:16]


def test_agents_ask_for_no_form(agent: Person, folder: None) -> None:
    assert agent.post("/v1/uploads/presign").status == 403
