"""Seals: a hash over each minute's audit entries, chained, so that a later change shows.

A seal covers whole transactions: those below oldest_transaction_id() have all ended, so no entry of theirs can still
appear. Each seal's hash is logged as well; whoever rewrites entries and all seals after them cannot rewrite the
logs that were shipped elsewhere.
"""

import hashlib
import logging
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection
from django.db.models import Max

from vocelio.audit.models import AuditArchive, AuditEntry, AuditSeal
from vocelio.organizations.scope import organization_scope

logger = logging.getLogger(__name__)

NO_SEAL = bytes(32)
COLUMNS = (
    *("id", "organization_id", "user_id", "action", "resource", "resource_id", "details", "door"),
    *("ip_address", "user_agent", "request_id", "created_at", "transaction_id"),
)


def seal_audit_log() -> int:
    """Seal what is new in every organization's log; return the number of seals."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT organization_id FROM organizations_with_unsealed_audit() AS organization_id")
        organization_ids = [row[0] for row in cursor.fetchall()]
    return sum(seal_organization(organization_id) is not None for organization_id in organization_ids)


def seal_organization(organization_id: uuid.UUID) -> AuditSeal | None:
    """Seal the organization's entries of all transactions that have ended; None when there are none."""
    with organization_scope(organization_id):
        with connection.cursor() as cursor:
            # Two sealers take turns.
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtext('audit_seals'), hashtext(%s))", [str(organization_id)]
            )
            cursor.execute("SELECT oldest_transaction_id()")
            (next_transaction,) = cursor.fetchone()
        last = AuditSeal.objects.order_by("-number").first()
        seal = AuditSeal(
            number=last.number + 1 if last else 1,
            first_transaction=last.next_transaction if last else 0,
            next_transaction=next_transaction,
            previous_hash=bytes(last.hash) if last else NO_SEAL,
        )
        seal.entries, seal.hash = digest(seal)
        if not seal.entries:
            return None
        seal.save(force_insert=True)
    logger.info(
        "Audit log sealed",
        extra={"organizationId": str(organization_id), "seal": seal.number, "hash": seal.hash.hex()},
    )
    return seal


class Digest:
    """The hash of a seal in the making: of its predecessor, its range, and each entry in turn."""

    def __init__(self, previous_hash: bytes, number: int, first_transaction: int, next_transaction: int) -> None:
        self._total = hashlib.sha256(previous_hash)
        self._total.update(orjson.dumps([number, first_transaction, next_transaction]))
        self.count = 0

    def add(self, line: bytes) -> None:
        self.count += 1
        self._total.update(line)

    def value(self) -> bytes:
        return self._total.digest()


def line_of(values: tuple[Any, ...]) -> bytes:
    """Return an entry's COLUMNS as they are hashed, and kept in archives."""
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)


def digest(seal: AuditSeal) -> tuple[int, bytes]:
    """Return the number of entries a seal covers now and the hash over them, its range and its predecessor."""
    total = Digest(bytes(seal.previous_hash), seal.number, seal.first_transaction, seal.next_transaction)
    covered = AuditEntry.objects.filter(
        transaction_id__gte=seal.first_transaction, transaction_id__lt=seal.next_transaction
    )
    for values in covered.order_by("transaction_id", "id").values_list(*COLUMNS).iterator():
        total.add(line_of(values))
    return total.count, total.value()


@dataclass(frozen=True)
class Verdict:
    """What verification found: how many seals hold, the head of the chain, and the first break.

    Of the first `archived` seals the chain was looked at, not their entries: those are in the archives.
    """

    seals: int
    entries: int
    head: bytes
    broken: int | None = None
    reason: str = ""
    archived: int = 0


def verify_organization(organization_id: uuid.UUID) -> Verdict:
    """Recompute the chain of seals up to the first that does not hold."""
    entries, number, head, next_transaction = 0, 0, NO_SEAL, 0
    with organization_scope(organization_id):
        archived = AuditArchive.objects.aggregate(last=Max("last_seal"))["last"] or 0
        for seal in _seals():
            reason = ""
            if seal.number != number + 1:
                reason = f"seal {number + 1} is missing"
            elif bytes(seal.previous_hash) != head or seal.first_transaction != next_transaction:
                reason = "it does not continue the seal before it"
            elif seal.number > archived:
                count, expected = digest(seal)
                if count != seal.entries:
                    reason = f"it covered {seal.entries} entries, now there are {count}"
                elif expected != bytes(seal.hash):
                    reason = "an entry was changed"
            if reason:
                return Verdict(number, entries, head, broken=number + 1, reason=reason, archived=archived)
            entries += seal.entries
            number, head, next_transaction = seal.number, bytes(seal.hash), seal.next_transaction
    return Verdict(number, entries, head, archived=archived)


def _seals() -> Iterator[AuditSeal]:
    """Yield the seals in order, a few at a time."""
    number = 0
    while batch := list(AuditSeal.objects.filter(number__gt=number).order_by("number")[:500]):
        yield from batch
        number = batch[-1].number
