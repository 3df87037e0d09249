"""Tables in partitions: closed like their table, made ahead, and never in the way of a write."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from tests.factories import Person
from tests.operations.parts import end_first_part
from vocelio.audit.models import AuditEntry
from vocelio.audit.services import record
from vocelio.db.partitions import all_partitions, keep_partitions
from vocelio.operations.examinations import database
from vocelio.operations.findings import Level
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.history import purge_events
from vocelio.realtime.models import Event


@pytest.fixture
def owner(fresh: tuple[str, str]) -> Iterator[psycopg.Connection]:
    with psycopg.connect(fresh[1], autocommit=True) as owner:
        yield owner


def test_a_partition_gives_nothing_to_the_application(admin: Person) -> None:
    with organization_scope(admin.organization.id):
        record("contact.deleted", "contact")
        assert AuditEntry.objects.count() == 1
        for partition in all_partitions():
            for statement in ("SELECT * FROM {}", "INSERT INTO {} SELECT FROM {}", "DELETE FROM {}", "TRUNCATE {}"):
                with (
                    pytest.raises(ProgrammingError, match="permission denied"),
                    transaction.atomic(),
                    connection.cursor() as cursor,
                ):
                    cursor.execute(statement.replace("{}", partition.name))
    # Granted by mistake it still has no policy that would show a row, and its changes are refused to its owner.
    role = settings.DATABASE_APP_ROLE
    with psycopg.connect(settings.DATABASE_OWNER_URL, autocommit=True) as owner:
        (name,) = {each.name for each in all_partitions("audit_log") if each.holds_rows}
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            owner.execute(f"UPDATE {name} SET action = ''")
        owner.execute(f'GRANT SELECT ON {name} TO "{role}"')
        try:
            with organization_scope(admin.organization.id), connection.cursor() as cursor:
                cursor.execute(f"SELECT count(*) FROM {name}")
                assert cursor.fetchone() == (0,)
            assert [each.level for each in database.policies()] == [Level.FAIL]
        finally:
            owner.execute(f'REVOKE SELECT ON {name} FROM "{role}"')


def test_what_found_no_partition_is_kept_and_moves_into_its_own(owner: psycopg.Connection, admin: Person) -> None:
    # A day may have begun since the tables were made.
    keep_partitions()
    assert [each.level for each in database.partitions()] == [Level.OK]
    last = all_partitions("audit_log")[-2]
    assert last.until is not None
    # As after months without beat.
    late = last.until - timedelta(days=1)
    owner.execute(f"DROP TABLE {last.name}")
    with organization_scope(admin.organization.id):
        AuditEntry.objects.bulk_create(
            [AuditEntry(created_at=late, action="late", resource="x", door="job") for _ in range(2)]
        )
    assert {each.name for each in all_partitions("audit_log") if each.holds_rows} == {"audit_log_default"}
    assert "audit_log_default holds rows" in next(each.text for each in database.partitions())
    assert keep_partitions() == 1
    assert keep_partitions() == 0
    assert {each.name for each in all_partitions("audit_log") if each.holds_rows} == {last.name}
    with organization_scope(admin.organization.id):
        assert AuditEntry.objects.filter(action="late").count() == 2
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        owner.execute("TRUNCATE audit_log_default")


def test_past_days_of_events_go_as_a_whole(owner: psycopg.Connection, admin: Person) -> None:
    now = timezone.now()
    with organization_scope(admin.organization.id):
        Event.objects.bulk_create(
            [
                Event(created_at=now - timedelta(days=days), sequence=10 - days, topic="contacts", type="x", data={})
                for days in (9, 8, 6, 0)
            ]
        )
    end_first_part(owner, "events", now - timedelta(days=10), "day")
    assert purge_events() == 0
    with organization_scope(admin.organization.id):
        assert list(Event.objects.order_by("sequence").values_list("sequence", flat=True)) == [4, 10]
