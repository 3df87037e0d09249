"""The drill: back up an installation at work, lose it, restore it elsewhere, and go on."""

import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from comms import tasks as comms_tasks
from contacts.models import Contact
from tests.comms.conftest import Desk, Mailbox, desk, mailbox, open_desk
from tests.factories import PASSWORD, Person, make_organization, make_person, phone_number, run_jobs, wait_until
from vocelio.audit.seals import seal_organization, verify_organization
from vocelio.db.holds import current_hold
from vocelio.db.models import OutgoingHold
from vocelio.operations.manifest import table_states
from vocelio.organizations.scope import organization_scope

__all__ = ["desk", "mailbox"]

CANARY = "canary-private-4711"


def run(command: str, *arguments: Any, **options: Any) -> str:
    said = io.StringIO()
    call_command(command, *map(str, arguments), stdout=said, **options)
    return said.getvalue()


def states(url: str) -> dict[str, Any]:
    with psycopg.connect(url) as connection:
        return dict(table_states(connection))


def sign_in(person: Person) -> Any:
    credentials = {"email": person.user.email, "password": PASSWORD}
    return Client(SERVER_NAME="localhost").post("/v1/auth/login", credentials, content_type="application/json")


@pytest.fixture
def at_work(fresh: tuple[str, str], files: Callable[[str], None], mailbox: Mailbox) -> Desk:
    """An installation with a secret, an upload that waits for a worker, and messages on their way."""
    files("before")
    with psycopg.connect(fresh[1]) as owner:
        # A server that has seen many more transactions than the one that will restore.
        owner.execute(
            "CREATE OR REPLACE FUNCTION transaction_offset() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE"
            " AS 'SELECT 5000000000::bigint'"
        )
    opened = open_desk(make_person(make_organization()), mailbox)
    opened.person.post("/v1/contacts", {"firstName": "Ada", "phone": phone_number(), "privateNotes": CANARY})
    rows = "".join(f"Row{index},{phone_number()}\n" for index in range(3))
    upload = SimpleUploadedFile("people.csv", f"First Name,Phone\n{rows}".encode(), "text/csv")
    answer = opened.person.client.post(
        "/v1/uploads/contacts", {"file": upload}, headers={"Authorization": f"Bearer {opened.person.token}"}
    )
    assert answer.status_code == 202, answer.content
    # When every older transaction of the server has ended, which others may have open.
    wait_until(lambda: seal_organization(opened.person.organization.id), seconds=240)
    return opened


def contacts_named(person: Person, prefix: str) -> int:
    with organization_scope(person.organization.id):
        return Contact.objects.filter(first_name__startswith=prefix).count()


def test_a_restored_installation_is_the_same_goes_on_and_sends_nothing_twice(
    at_work: Desk, fresh: Any, elsewhere: Any, use_database: Any, files: Any, tmp_path: Path
):
    work, person = at_work, at_work.person
    due = work.write(work.contact())
    later = work.write(work.contact(), scheduledAt=(timezone.now() + timedelta(days=2)).isoformat())
    said = run("backup", tmp_path / "backup", jobs=2)
    assert "master keys are not in here" in said
    before = states(fresh[1])

    # After the backup: a message leaves, and all that is lost with the server.
    assert work.send() == 1
    assert len(work.mailbox.mails) == 1

    use_database(*elsewhere)
    files("after")
    said = run("restore", tmp_path / "backup", jobs=2)
    assert "NOTHING LEAVES THIS INSTALLATION NOW" in said

    manifest = json.loads((tmp_path / "backup/manifest.json").read_text())
    assert len(manifest["files"]) == 1
    after = states(elsewhere[1])
    # The doctor's note of the backup, sign-ins and promises of outgoing work differ on purpose.
    meant = {"schedule_ticks", "job_doorbells", "outgoing_holds", "refresh_tokens", "user_sessions", "django_session"}
    different = {name for name in before if before[name] != after[name]} - meant
    assert different == set()
    assert set(before) == set(after)
    assert before["contacts"].rows == 3

    # Nobody is signed in; who signs in reads what is encrypted.
    assert person.get("/v1/contacts").status == 401
    answer = sign_in(person)
    assert answer.status_code == 200, answer.content
    token = answer.json()["data"]["accessToken"]
    found = Client(SERVER_NAME="localhost").get("/v1/contacts?search=Ada", headers={"Authorization": f"Bearer {token}"})
    assert found.status_code == 200
    with organization_scope(person.organization.id):
        assert CANARY in {contact.private_notes for contact in Contact.objects.all()}

    # The job that waited goes on from the restored file.
    assert contacts_named(person, "Row") == 0
    run_jobs(person.organization)
    assert contacts_named(person, "Row") == 3

    # The audit log goes on under the same seals, though this server numbers transactions anew.
    entries = verify_organization(person.organization.id)
    assert entries.broken is None
    wait_until(lambda: seal_organization(person.organization.id), seconds=240)
    after_seal = verify_organization(person.organization.id)
    assert after_seal.broken is None
    assert after_seal.entries > entries.entries

    # Nothing leaves; then, released, nothing leaves twice.
    comms_tasks.send_messages(organization_id=str(person.organization.id), job_id=work.account_id)
    assert len(work.mailbox.mails) == 1
    assert "1 messages (now unknown)" in run("release_outgoing")
    assert current_hold() is None
    comms_tasks.send_messages(organization_id=str(person.organization.id), job_id=work.account_id)
    assert len(work.mailbox.mails) == 1
    statuses = {str(row.pk): (row.status, row.error_code) for row in work.rows()}
    assert statuses == {due["id"]: ("unknown", "RESTORED"), later["id"]: ("queued", "")}
    with pytest.raises(CommandError, match="Nothing is held back"):
        run("release_outgoing")


def test_what_was_due_may_be_sent_again_on_request(desk: Desk):
    desk.write(desk.contact())
    now = timezone.now()
    OutgoingHold.objects.create(held_at=now, taken_at=now, reason="Restored.")
    try:
        run("release_outgoing", resend=True)
    finally:
        OutgoingHold.objects.all().delete()
    assert desk.send() == 1


def test_a_backup_that_was_touched_or_interrupted_is_refused(fresh: Any, elsewhere: Any, use_database: Any, tmp_path):
    folder = tmp_path / "backup"
    run("backup", folder)
    assert "Whole" in run("verify_backup", folder)
    with pytest.raises(CommandError, match="is not empty"):
        run("backup", folder)
    # A database that is in use is left alone.
    with pytest.raises(CommandError, match=r"is not empty .* nothing was done"):
        run("restore", folder)
    use_database(*elsewhere)
    manifest = json.loads((folder / "manifest.json").read_text())
    newer = {**manifest, "migrations": [*manifest["migrations"], "contacts.9999_future"]}
    (folder / "manifest.json").write_text(json.dumps(newer))
    with pytest.raises(CommandError, match=r"newer code.*contacts\.9999_future"):
        run("restore", folder)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    piece = max((folder / "database").iterdir(), key=lambda path: path.stat().st_size)
    content = bytearray(piece.read_bytes())
    content[len(content) // 2] ^= 1
    piece.write_bytes(content)
    for command in ("verify_backup", "restore"):
        with pytest.raises(CommandError, match=f"{piece.name} was changed or damaged"):
            run(command, folder)
    piece.unlink()
    with pytest.raises(CommandError, match="is missing"):
        run("verify_backup", folder)
    (folder / "manifest.json").unlink()
    with pytest.raises(CommandError, match="interrupted"):
        run("restore", folder)


def test_a_table_that_lost_rows_on_the_way_is_found(fresh: Any, elsewhere: Any, use_database: Any, tmp_path: Path):
    make_organization()
    run("backup", tmp_path / "backup")
    path = tmp_path / "backup/manifest.json"
    manifest = json.loads(path.read_text())
    manifest["tables"]["organizations"]["rows"] += 1
    path.write_text(json.dumps(manifest))
    use_database(*elsewhere)
    with pytest.raises(CommandError, match=r"organizations is .*rows=1.* the backup says .*rows=2"):
        run("restore", tmp_path / "backup")
