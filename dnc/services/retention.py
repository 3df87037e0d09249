"""Forget records of numbers that the law asks for no longer; certificates and the access log stay for good."""

import uuid
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from dnc.models import ContactAttempt, Permission, ScrubOutcome, ScrubResult
from dnc.models.ledger import PermissionKind
from vocelio.audit.services import record

# 16 CFR 310.5(b): five years, for consents and relationships from their end.
KEPT = timedelta(days=5 * 365 + 2)
LONGEST_RELATIONSHIP = timedelta(days=550)
BATCH = 50_000


def purge_records() -> int:
    """Delete the open organization's results, attempts and ended permissions past their time; return how many.

    A scrub keeps its counts and its certificate the hash of its results, so that an exported copy can still be proven.
    """
    before = timezone.now() - KEPT
    # Ids of runs, and so of their results and outcomes, begin with the milliseconds of their making.
    born = uuid.UUID(int=int(before.timestamp() * 1000) << 80)
    ended = Q(revoked_at__lt=before) | Q(expires_on__lt=before.date())
    ended |= ~Q(kind=PermissionKind.CONSENT) & Q(occurred_on__lt=(before - LONGEST_RELATIONSHIP).date())
    total = 0
    for rows in (
        ScrubResult.objects.filter(id__lt=born),
        ScrubOutcome.objects.filter(id__lt=born),
        ContactAttempt.objects.filter(attempted_at__lt=before),
        Permission.objects.filter(ended),
    ):
        chosen = rows.order_by("id").values("id")[: BATCH - total]
        total += rows.model.objects.filter(id__in=chosen).delete()[0]
        if total >= BATCH:
            # The verdicts of results that are still there stay with them.
            break
    if total:
        record("dnc.purged", "dnc", count=total)
    return total
