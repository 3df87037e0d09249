"""Take old months of the audit log out of the database, into files that prove themselves.

A file holds whole seals of one organization with every entry they cover, each as the very line that was hashed. So it
is proven as the log itself is: against the seals, which stay in the database and are chained beyond it. A part of the
table is dropped only after the files of every organization in it were read back and held; whoever dies in between
leaves the part, with or without files.
"""

import gzip
import hashlib
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import orjson
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from vocelio.audit.models import AuditArchive, AuditEntry, AuditSeal
from vocelio.audit.seals import COLUMNS, Digest, line_of
from vocelio.audit.services import record
from vocelio.db.partitions import Partition, all_partitions
from vocelio.organizations.retention import kept_by_organization
from vocelio.organizations.scope import organization_scope

FOLDER = "audit_archives"
FORMAT = 1
Say = Callable[[str], None]


class BadArchive(Exception):
    """The file does not hold, or a part of the log cannot be archived yet; the text says why."""


@dataclass
class Contents:
    """What a file was found to hold."""

    organization_id: uuid.UUID
    entries: int = 0
    # Hashes by the number of their seal.
    seals: dict[int, bytes] = field(default_factory=dict)
    sha256: bytes = b""


def archive_audit(before: datetime, *, say: Say) -> int:
    """Archive and drop every part of the audit log that ends by then, oldest first; return how many. As the owner."""
    for organization_id, kept in kept_by_organization("audit").items():
        if kept is not None and before > timezone.now() - kept:
            raise BadArchive(
                f"The organization {organization_id} keeps its log at hand for {kept.days} days;"
                f" --before {timezone.now() - kept:%Y-%m} is the latest."
            )
    due = [part for part in all_partitions(AuditEntry._meta.db_table) if part.until and part.until <= before]
    for part in due:
        for organization_id in _organizations_in(part):
            archive = _archive_organization(organization_id, part)
            if archive is not None:
                say(f"{archive.file}: {archive.entries} entries, seals {archive.first_seal} to {archive.last_seal}")
        for organization_id in _organizations_in(part):
            for name in _files_of(organization_id, part):
                check_against_log(read_file(name))
        _drop(part)
        say(f"{part.name} is archived and dropped")
    return len(due)


def check_against_log(found: Contents) -> AuditArchive | None:
    """Hold a file against the seals in the database and return its row, if it has one here; raise BadArchive."""
    with organization_scope(found.organization_id):
        seals = dict(AuditSeal.objects.filter(number__in=found.seals).values_list("number", "hash"))
        known: AuditArchive | None = AuditArchive.objects.filter(
            first_seal=min(found.seals), last_seal=max(found.seals)
        ).first()
    for number, expected in found.seals.items():
        if number not in seals:
            raise BadArchive(f"Seal {number} is not in this database.")
        if bytes(seals[number]) != expected:
            raise BadArchive(f"Seal {number} is another in this database.")
    if known is not None and bytes(known.sha256) != found.sha256:
        raise BadArchive("Its SHA-256 is not the one that was noted when it was written.")
    return known


def read_file(name: str) -> Contents:
    """Read a file, of a path or else of the storage, and recompute its seals; raise BadArchive when one is broken."""
    found: Contents | None = None
    digest: Digest | None = None
    seal: dict[str, Any] = {}
    ended = False
    with _opened(name) as file:
        try:
            for line in _lines(file):
                if line.startswith(b"["):
                    if digest is None or found is None:
                        raise BadArchive("It has entries that no seal covers.")
                    digest.add(line)
                    found.entries += 1
                    continue
                told = orjson.loads(line)
                if digest is not None and found is not None:
                    _close(seal, digest, found)
                    digest = None
                if "seal" in told:
                    seal = told["seal"]
                    digest = Digest(bytes.fromhex(seal["previous"]), seal["number"], seal["first"], seal["next"])
                elif "end" in told:
                    ended = found is not None and told["end"] == {"entries": found.entries, "seals": len(found.seals)}
                elif told.get("format") == FORMAT:
                    found = Contents(uuid.UUID(told["organization"]))
        except (OSError, EOFError, KeyError, ValueError) as problem:
            raise BadArchive(f"It is damaged: {problem}") from problem
        if found is None or not ended:
            raise BadArchive("It is no whole archive: its end is missing.")
        file.seek(0)
        found.sha256 = hashlib.file_digest(file, "sha256").digest()
    return found


def entries_of(name: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of a file, oldest first; it is not proven."""
    with _opened(name) as file:
        for line in _lines(file):
            if line.startswith(b"["):
                yield dict(zip(COLUMNS, orjson.loads(line), strict=True))


def _close(seal: dict[str, Any], digest: Digest, found: Contents) -> None:
    """Compare what the entries came to with what their seal says, and the seal with the one before."""
    number: int = seal["number"]
    if found.seals and (number != max(found.seals) + 1 or seal["previous"] != found.seals[number - 1].hex()):
        raise BadArchive(f"Seal {number} does not continue the one before it.")
    if digest.count != seal["entries"]:
        raise BadArchive(f"Seal {number} covered {seal['entries']} entries, the file has {digest.count}.")
    if digest.value().hex() != seal["hash"]:
        raise BadArchive(f"Seal {number} is broken: an entry was changed.")
    found.seals[number] = digest.value()


def _archive_organization(organization_id: uuid.UUID, part: Partition) -> AuditArchive | None:
    """Write what of an organization is in the part and in no file yet; None when there is nothing."""
    with organization_scope(organization_id):
        last = AuditArchive.objects.order_by("-last_seal").first()
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT max(transaction_id) FROM {part.name} WHERE organization_id = %s",  # noqa: S608
                [organization_id],
            )
            (newest,) = cursor.fetchone()
        seals = AuditSeal.objects.order_by("number").filter(number__gt=last.last_seal if last else 0)
        through = seals.filter(next_transaction__gt=newest).first()
        if through is None:
            covered = AuditSeal.objects.filter(next_transaction__gt=newest).exists()
            if not covered:
                raise BadArchive(f"{part.name} holds entries without a seal: beat makes seals each minute.")
            return None
        seals = seals.filter(number__lte=through.number)
        first = seals[0]
        assert part.until is not None  # noqa: S101
        name = f"{FOLDER}/{organization_id}/until-{part.until:%Y-%m-%d}-{first.number}-{through.number}.jsonl.gz"
        with TemporaryFile() as file:
            entries = _write(file, organization_id, seals)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").digest()
            file.seek(0)
            # Of a run that died before it noted the file.
            default_storage.delete(name)
            if default_storage.save(name, File(file)) != name:
                raise BadArchive(f"The file store does not keep {name} under its name.")
        archive = AuditArchive(
            until=part.until,
            first_seal=first.number,
            last_seal=through.number,
            entries=entries,
            file=name,
            sha256=sha256,
        )
        archive.save(force_insert=True)
        record("audit.archived", "auditarchive", archive.pk, entries=entries, seals=[first.number, through.number])
        return archive


def _write(file: IO[bytes], organization_id: uuid.UUID, seals: Any) -> int:
    """Write the seals, each followed by its entries; return how many entries."""
    first, last = seals.first(), seals.last()
    rows = AuditEntry.objects.filter(
        transaction_id__gte=first.first_transaction, transaction_id__lt=last.next_transaction
    ).order_by("transaction_id", "id")
    waiting, entries, number = seals.iterator(), 0, 0
    with gzip.GzipFile(fileobj=file, mode="wb", mtime=0) as packed:

        def put(told: Any) -> None:
            packed.write(orjson.dumps(told) + b"\n")

        put({"format": FORMAT, "organization": str(organization_id), "columns": COLUMNS})
        next_transaction = -1
        for values in rows.values_list(*COLUMNS).iterator():
            while values[-1] >= next_transaction:
                seal = next(waiting)
                put({"seal": _told(seal)})
                next_transaction, number = seal.next_transaction, number + 1
            packed.write(line_of(values) + b"\n")
            entries += 1
        put({"end": {"entries": entries, "seals": number}})
    return entries


def _told(seal: AuditSeal) -> dict[str, Any]:
    return {
        "number": seal.number,
        "first": seal.first_transaction,
        "next": seal.next_transaction,
        "entries": seal.entries,
        "previous": bytes(seal.previous_hash).hex(),
        "hash": bytes(seal.hash).hex(),
    }


def _organizations_in(part: Partition) -> list[uuid.UUID]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT organization_id FROM {part.name} ORDER BY 1")  # noqa: S608
        return [organization_id for (organization_id,) in cursor.fetchall()]


def _files_of(organization_id: uuid.UUID, part: Partition) -> list[str]:
    """Return the files that the organization's entries of the part are in: a seal at its edge is in the one before."""
    with organization_scope(organization_id), connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.file FROM audit_archives a JOIN audit_seals s"  # noqa: S608
            " ON s.organization_id = a.organization_id AND s.number = a.last_seal"
            " WHERE a.organization_id = %(organization)s AND s.next_transaction > ("
            f" SELECT min(transaction_id) FROM {part.name} WHERE organization_id = %(organization)s)",
            {"organization": organization_id},
        )
        return [name for (name,) in cursor.fetchall()]


def _drop(part: Partition) -> None:
    """Drop the part, unless it holds an entry that is in no file."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")
        cursor.execute(f"LOCK TABLE {part.name} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(
            f"SELECT count(*) FROM {part.name} p WHERE p.transaction_id >= coalesce(("  # noqa: S608
            " SELECT max(s.next_transaction) FROM audit_archives a JOIN audit_seals s"
            " ON s.organization_id = a.organization_id AND s.number = a.last_seal"
            " WHERE a.organization_id = p.organization_id), 0)"
        )
        (left,) = cursor.fetchone()
        if left:
            raise BadArchive(f"{part.name} holds {left} entries that are in no file; it stays. Run this again.")
        cursor.execute(f"DROP TABLE {part.name}")


def _opened(name: str) -> Any:
    if Path(name).is_file():
        return Path(name).open("rb")
    if not default_storage.exists(name):
        raise BadArchive(f"There is no {name}, neither as a path nor in the file store.")
    return closing(default_storage.open(name))


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file, mode="rb") as packed:
        for line in packed:
            yield line.rstrip(b"\n")
