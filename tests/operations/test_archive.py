"""Old months of the audit log leave the database only for files that prove themselves."""

import gzip
import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from tests.factories import make_organization, wait_until
from tests.mortal import run_mortal
from tests.operations.dying_archiver import archive
from tests.operations.parts import end_first_part
from vocelio.audit.models import AuditEntry
from vocelio.audit.seals import seal_organization, verify_organization
from vocelio.db.partitions import all_partitions
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

THIS_MONTH = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def run(command: str, *arguments: Any, **options: Any) -> str:
    said = StringIO()
    call_command(command, *map(str, arguments), stdout=said, **options)
    return said.getvalue()


def write(organization: Organization, *actions: str, months_ago: int) -> None:
    at = timezone.now() if months_ago == 0 else THIS_MONTH - timedelta(days=20)
    with organization_scope(organization.id):
        AuditEntry.objects.bulk_create(
            [AuditEntry(action=each, resource="contact", door="api", created_at=at) for each in actions]
        )


def seal(organization: Organization) -> None:
    """Seal all that was written, as soon as no transaction is open that began before the last of it."""

    def is_past() -> Any:
        with organization_scope(organization.id), connection.cursor() as cursor:
            cursor.execute("SELECT oldest_transaction_id() > max(transaction_id) FROM audit_log")
            return cursor.fetchone()[0]

    wait_until(is_past, seconds=240)
    assert seal_organization(organization.id)


@pytest.fixture
def organizations(fresh: tuple[str, str], files: Callable[[str], None]) -> list[Organization]:
    """Two organizations with entries of last month and of this one, sealed together as at the turn of a month."""
    files("stored")
    made = [make_organization(), make_organization()]
    for organization in made:
        write(organization, "first", "second", months_ago=1)
        write(organization, "third", months_ago=0)
        seal(organization)
    # Of a transaction that began last month and was long in ending.
    write(made[0], "late", months_ago=1)
    write(made[0], "new", months_ago=0)
    with psycopg.connect(fresh[1], autocommit=True) as owner:
        end_first_part(owner, "audit_log", (THIS_MONTH - timedelta(days=1)).replace(day=1), "month")
    return made


def test_a_month_leaves_only_for_files_that_hold_whoever_dies(
    organizations: list[Organization], fresh: tuple[str, str], tmp_path: Path
) -> None:
    folder, before = tmp_path / "stored", f"{THIS_MONTH:%Y-%m}"
    last_month = f"audit_log_{THIS_MONTH - timedelta(days=1):%Y_%m}"
    with pytest.raises(CommandError, match="VOCELIO_DB_ROLE=owner"):
        run("archive_audit", before=before)

    # What is not sealed yet stays.
    seal(organizations[0])
    dead = 0
    for statement in (6, 12, 16, 20, 26, 32, 38, 44, 0):
        dead += run_mortal(archive, fresh[1], str(folder), before, statement)
        there = last_month in {part.name for part in all_partitions()}
        files = sorted(folder.rglob("*.gz"))
        assert there or len(files) == 2
        if not there:
            break
    assert dead >= 5
    for path, entries in zip(files, (5, 3) if str(organizations[0].id) in str(files[0]) else (3, 5), strict=True):
        assert f"Whole: {entries} entries" in run("verify_archive", path)
        assert "as noted" in run("verify_archive", path.relative_to(folder))

    # The log goes on: what was of this month in an archived seal is still there, and the chain holds.
    with organization_scope(organizations[0].id):
        assert set(AuditEntry.objects.values_list("action", flat=True)) == {"third", "new", "audit.archived"}
    seal(organizations[0])
    verdict = verify_organization(organizations[0].id)
    assert (verdict.seals, verdict.archived, verdict.broken) == (3, 2, None)
    assert "0 parts" not in run("verify_audit")

    (path,) = (path for path in files if str(organizations[0].id) in str(path))
    read = [json.loads(line) for line in run("read_archive", path).splitlines()]
    assert sorted(entry["action"] for entry in read) == ["first", "late", "new", "second", "third"]
    assert {entry["organization_id"] for entry in read} == {str(organizations[0].id)}
    with gzip.open(path) as packed:
        lines = packed.read()
    with gzip.open(path, "wb") as packed:
        packed.write(lines.replace(b'"second"', b'"sec0nd"'))
    with pytest.raises(CommandError, match="Seal 1 is broken: an entry was changed"):
        run("verify_archive", path)
    with gzip.open(path, "wb") as packed:
        packed.write(lines[: lines.rindex(b'{"end"')])
    with pytest.raises(CommandError, match="its end is missing"):
        run("verify_archive", path)


def test_what_is_not_sealed_is_not_archived(
    organizations: list[Organization], fresh: tuple[str, str], use_database: Any, settings: Any
) -> None:
    use_database(fresh[1], fresh[1])
    settings.AS_OWNER = True
    with pytest.raises(CommandError, match="entries without a seal"):
        run("archive_audit", before=f"{THIS_MONTH:%Y-%m}")
    assert len([part for part in all_partitions("audit_log") if part.holds_rows]) == 2
