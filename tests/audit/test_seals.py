"""The audit log cannot be changed unnoticed."""

import io
import time
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from tests.factories import Person
from vocelio.audit import seals
from vocelio.audit.models import AuditEntry, AuditSeal
from vocelio.audit.seals import seal_audit_log, seal_organization, verify_organization
from vocelio.audit.services import record
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


@pytest.fixture
def owner() -> Iterator[psycopg.Connection]:
    """Connect as the role that owns the tables, the strongest that an installation uses."""
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as owner:
        yield owner


def write(organization: Organization, count: int = 1) -> None:
    for number in range(count):
        with organization_scope(organization.id):
            record("contact.updated", "contact", uuid.uuid4(), fields=["phone"], number=number)


def wait_for_older_transactions() -> None:
    """Return once all transactions begun so far have ended: other tests use the same server, and seals wait too."""
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        (written,) = cursor.fetchone()
        ended = 0
        while ended < written and time.monotonic() < deadline:
            cursor.execute("SELECT oldest_transaction_id()")
            (ended,) = cursor.fetchone()


def seal(organization: Organization) -> AuditSeal:
    wait_for_older_transactions()
    made = seal_organization(organization.id)
    assert made is not None
    return made


def tamper(owner: psycopg.Connection, sql: str, *parameters: object) -> None:
    """Change the log as nobody should be able to: the owner switches the trigger off first."""
    owner.execute("ALTER TABLE audit_log DISABLE TRIGGER append_only")
    try:
        assert owner.execute(sql, parameters).rowcount == 1
    finally:
        owner.execute("ALTER TABLE audit_log ENABLE TRIGGER append_only")


def test_seals_are_chained_and_hold(organization: Organization) -> None:
    write(organization, 3)
    first = seal(organization)
    write(organization, 2)
    second = seal(organization)
    assert (first.number, first.entries, first.first_transaction) == (1, 3, 0)
    assert (second.number, second.entries, second.first_transaction) == (2, 2, first.next_transaction)
    assert second.previous_hash == first.hash
    verdict = verify_organization(organization.id)
    assert (verdict.seals, verdict.entries, verdict.head, verdict.broken) == (2, 5, second.hash, None)


def test_nothing_new_makes_no_seal(organization: Organization) -> None:
    assert seal_organization(organization.id) is None
    write(organization)
    seal(organization)
    assert seal_organization(organization.id) is None


def test_open_transactions_are_sealed_once_they_have_ended(
    organization: Organization, owner: psycopg.Connection
) -> None:
    with owner.transaction():
        owner.execute(
            "INSERT INTO audit_log (id, organization_id, action, resource, resource_id, details, door, user_agent,"
            " request_id) VALUES (%s, %s, 'slow', 'x', '', '{}', 'job', '', '')",
            [uuid.uuid4(), organization.id],
        )
        write(organization)
        # The slow transaction is older: the entry behind it waits, so that no seal is overtaken.
        assert seal_organization(organization.id) is None
    assert seal(organization).entries == 2


def test_the_task_seals_those_who_wrote(organization: Organization, outsider: Person) -> None:
    write(organization)
    wait_for_older_transactions()
    seal_audit_log()
    assert verify_organization(organization.id).seals == 1
    assert verify_organization(outsider.organization.id).seals == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE audit_log SET details = '{\"fields\": []}' WHERE id = %s", "an entry was changed"),
        ("UPDATE audit_log SET user_id = gen_random_uuid() WHERE id = %s", "an entry was changed"),
        ("UPDATE audit_log SET created_at = created_at - interval '1 s' WHERE id = %s", "an entry was changed"),
        ("DELETE FROM audit_log WHERE id = %s", "it covered 3 entries, now there are 2"),
        (
            "INSERT INTO audit_log SELECT gen_random_uuid(), created_at, user_id, action, resource, resource_id, details,"
            " door, ip_address, user_agent, request_id, transaction_id, organization_id FROM audit_log WHERE id = %s",
            "it covered 3 entries, now there are 4",
        ),
    ],
)
def test_tampering_by_the_owner_is_found(
    organization: Organization, owner: psycopg.Connection, change: str, reason: str
) -> None:
    write(organization)
    seal(organization)
    write(organization, 3)
    seal(organization)
    with organization_scope(organization.id):
        entry = AuditEntry.objects.order_by("-id")[1]
    columns = [column.name for column in owner.execute("SELECT * FROM audit_log LIMIT 0").description or []]
    assert columns[0] == "id"
    if change.startswith("INSERT"):
        change = (
            f"INSERT INTO audit_log ({', '.join(columns)}) SELECT gen_random_uuid(), {', '.join(columns[1:])}"
            " FROM audit_log WHERE id = %s"
        )
    tamper(owner, change, entry.id)
    verdict = verify_organization(organization.id)
    assert (verdict.seals, verdict.broken, verdict.reason) == (1, 2, reason)


def test_removed_seal_is_found(organization: Organization, owner: psycopg.Connection) -> None:
    for _ in range(3):
        write(organization)
        seal(organization)
    owner.execute("ALTER TABLE audit_seals DISABLE TRIGGER append_only")
    owner.execute("DELETE FROM audit_seals WHERE organization_id = %s AND number = 2", [organization.id])
    owner.execute("ALTER TABLE audit_seals ENABLE TRIGGER append_only")
    assert verify_organization(organization.id).reason == "seal 2 is missing"


@pytest.mark.parametrize("table", ["audit_log", "audit_seals"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {}"])
def test_neither_role_can_change_or_delete(
    organization: Organization, owner: psycopg.Connection, table: str, statement: str
) -> None:
    write(organization)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        owner.execute(statement.format(table))
    with organization_scope(organization.id), pytest.raises(DatabaseError, match="permission denied"):  # noqa: SIM117
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement.format(table))


def test_command_names_the_first_broken_seal(organization: Organization, owner: psycopg.Connection) -> None:
    write(organization, 2)
    sealed = seal(organization)
    out, err = io.StringIO(), io.StringIO()
    call_command("verify_audit", organization=organization.slug, stdout=out)
    assert out.getvalue() == f"{organization.slug}: 1 seals hold 2 entries, head {sealed.hash.hex()}\n"
    with organization_scope(organization.id):
        entry = AuditEntry.objects.first()
    assert entry is not None
    tamper(owner, "UPDATE audit_log SET action = 'x' WHERE id = %s", entry.id)
    with pytest.raises(CommandError, match="tampered with"):
        call_command("verify_audit", organization=organization.slug, stderr=err)
    assert f"{organization.slug}: seal 1 is broken: an entry was changed" in err.getvalue()


def test_command_refuses_an_unknown_organization() -> None:
    with pytest.raises(CommandError, match="no organization"):
        call_command("verify_audit", organization="nobody")


def test_each_seal_is_logged(organization: Organization, caplog: pytest.LogCaptureFixture) -> None:
    write(organization)
    with caplog.at_level("INFO", logger=seals.__name__):
        made = seal(organization)
    (line,) = caplog.records
    assert vars(line)["hash"] == made.hash.hex()
