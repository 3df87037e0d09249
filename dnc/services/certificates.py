"""Evidence: a certificate for every check and scrub, chained by hashes, and who looked into a registry."""

import hashlib
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.utils import timezone

from dnc.models import Certificate, RegistryAccess
from dnc.rules.book import version as rules_version
from dnc.services.decision import Context
from dnc.services.verdict import Verdict, judge_with_context
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.organizations.scope import current_organization_id, current_scope

FIRST = bytes(32)


def check_numbers(phone_numbers: Sequence[str], *, at: datetime | None = None) -> tuple[list[Verdict], uuid.UUID]:
    """Judge the numbers and leave a certificate; return the verdicts in the order asked, and its id."""
    verdicts, context = judge_with_context(phone_numbers, at=at)
    digest = hashlib.sha256()
    for verdict in verdicts:
        digest.update(f"{verdict.phone_number or verdict.input}:{verdict.code}\n".encode())
    areas = {verdict.phone_number[1:5] for verdict in verdicts if verdict.phone_number}
    certificate_id = issue_certificate(
        kind=Certificate.Kind.CHECK,
        context=context,
        areas=areas,
        codes=Counter(verdict.code for verdict in verdicts),
        digest=digest.hexdigest(),
    )
    record("dnc.checked", "certificate", certificate_id, numbers=len(verdicts))
    return verdicts, certificate_id


def issue_certificate(
    *,
    kind: str,
    context: Context,
    areas: set[str],
    codes: "Counter[str]",
    digest: str,
    subject_id: uuid.UUID | None = None,
    extra: dict[str, Any] | None = None,
) -> uuid.UUID:
    """Write the certificate as the last act of the open scope's transaction; return its id at once.

    `digest` is over every number with its code, in the order of the check, so that the outcome of each number can be
    proven from the stored or exported results without the certificate holding personal data.
    """
    actor = current_actor()
    registries = [context.registries[registry_id] for registry_id in context.registry_ids]
    versions = {
        registry.slug: {
            area: day.isoformat()
            for (registry_id, area), day in sorted(context.versions.items())
            if registry_id == registry.pk and (area in areas or registry.country_code != "1")
        }
        for registry in registries
    }
    sans = sorted({each.san for each in context.entitlements})
    content = {
        "kind": kind,
        "organizationId": str(current_organization_id()),
        "userId": str(actor.user_id) if actor.user_id else None,
        "door": actor.door,
        "requestId": actor.request_id,
        "issuedAt": timezone.now().isoformat(),
        "judgedAt": context.at.isoformat(),
        "lists": [
            {
                "id": str(each.pk),
                "name": each.name,
                "type": each.type,
                "changedAt": each.changed_at.isoformat(),
                "registry": each.registry.slug if each.registry else None,
            }
            for each in context.consulted
        ],
        "versions": {slug: areas_ for slug, areas_ in versions.items() if areas_},
        "subscriptions": sans,
        "rules": rules_version(),
        "numbers": sum(codes.values()),
        "outcomes": dict(sorted(codes.items())),
        "resultsSha256": digest,
        **(extra or {}),
    }
    certificate = Certificate(id=uuid7(), kind=kind, subject_id=subject_id, user_id=actor.user_id, content=content)
    # The chain is one place for a whole organization: it is taken last and held for the shortest time.
    current_scope().before_commit.append(lambda: _append(certificate))
    RegistryAccess.objects.bulk_create(
        [
            RegistryAccess(
                organization_id=current_organization_id(),
                user_id=actor.user_id,
                purpose=kind,
                certificate_id=certificate.pk,
                registries=[registry.slug for registry in registries],
                sans=sans,
                areas=sorted(areas),
                numbers=sum(codes.values()),
            )
        ]
    )
    return certificate.pk


def _append(certificate: Certificate) -> None:
    with connection.cursor() as cursor:
        # Two statements at once: the second sees what was committed while the first waited.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtext('dnc_certificates'), hashtext(%(org)s::text));"
            "SELECT number, hash FROM dnc_certificates WHERE organization_id = %(org)s ORDER BY number DESC LIMIT 1",
            {"org": certificate.organization_id},
        )
        cursor.nextset()
        last = cursor.fetchone()
    certificate.number = last[0] + 1 if last else 1
    certificate.previous_hash = bytes(last[1]) if last else FIRST
    certificate.hash = digest_of(certificate)
    certificate.save(force_insert=True)


def digest_of(certificate: Certificate) -> bytes:
    """Return the hash over a certificate's content, its number and its predecessor's hash."""
    total = hashlib.sha256(bytes(certificate.previous_hash))
    total.update(str(certificate.number).encode() + str(certificate.pk).encode())
    total.update(orjson.dumps(certificate.content, option=orjson.OPT_SORT_KEYS))
    return total.digest()


@dataclass(frozen=True)
class Chain:
    """What verification found: how many certificates hold, the head of the chain, and the first that does not."""

    certificates: int
    head: bytes
    broken: int | None = None
    reason: str = ""


def verify_chain() -> Chain:
    """Recompute the open scope's chain up to the first certificate that does not hold."""
    number, head = 0, FIRST
    while batch := list(Certificate.objects.filter(number__gt=number).order_by("number")[:500]):
        for certificate in batch:
            reason = ""
            if certificate.number != number + 1:
                reason = f"certificate {number + 1} is missing"
            elif bytes(certificate.previous_hash) != head:
                reason = "it does not continue the certificate before it"
            elif digest_of(certificate) != bytes(certificate.hash):
                reason = "it was changed"
            if reason:
                return Chain(number, head, number + 1, reason)
            number, head = certificate.number, bytes(certificate.hash)
    return Chain(number, head)
