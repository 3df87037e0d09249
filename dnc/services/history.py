"""Everything that is known of one number: what a subpoena asks for, and what an agent looks up."""

from datetime import date
from typing import Any

from django.utils import timezone

from dnc.models import ContactAttempt, DncEntry, NumberFact, Permission, Registry, Scrub, ScrubResult
from dnc.models.scrubs import result_id
from dnc.services.facts_store import number_of
from vocelio.audit.services import record

MOST_SCRUBS = 1_000


def history_of(phone_number: str, on: date | None = None) -> dict[str, Any]:
    """Return entries, permissions, facts, attempts, registry changes and results of one number, newest first.

    With `on`, also whether each registry listed it in its version of that day; null where none was loaded yet.
    """
    number = number_of(phone_number)
    entries = DncEntry.objects.filter(number=number).select_related("list").order_by("-created_at", "-id")
    scrubs = list(Scrub.objects.filter(status="completed").order_by("-created_at", "-id")[:MOST_SCRUBS])
    by_result = {result_id(scrub.pk, number): scrub for scrub in scrubs}
    results = ScrubResult.objects.filter(pk__in=list(by_result))
    record("dnc.looked_up", "number", "")
    return {
        "phoneNumber": f"+{number}",
        "entries": [
            {
                "id": entry.pk,
                "listId": entry.list_id,
                "listName": entry.list.name,
                "channels": entry.channels,
                "source": entry.source,
                "reason": entry.reason,
                "dateAdded": entry.created_at,
                "expiryDate": entry.expiry_date,
                "honourBy": entry.honour_by,
                "status": entry.status,
            }
            for entry in entries
        ],
        "registries": [
            {
                "registry": registry.slug,
                "name": registry.name,
                "listedNow": registry.holds(number),
                "changes": registry.changes_of(number),
                "listedOn": registry.held_on(number, on or timezone.now().date()),
            }
            for registry in Registry.objects.active()
            if str(number).startswith(registry.country_code)
        ],
        "permissions": [
            {
                "id": permission.pk,
                "kind": permission.kind,
                "occurredOn": permission.occurred_on,
                "expiresOn": permission.expires_on,
                "reference": permission.reference,
                "revokedAt": permission.revoked_at,
            }
            for permission in Permission.objects.filter(number=number).order_by("-occurred_on", "-id")
        ],
        "facts": [
            {"kind": fact.kind, "value": fact.value, "since": fact.since, "reportedOn": fact.reported_on}
            for fact in NumberFact.objects.filter(number=number).order_by("kind")
        ],
        "attempts": [
            {
                "attemptedAt": attempt.attempted_at,
                "channel": attempt.channel,
                "disposition": attempt.disposition,
                "campaign": attempt.campaign,
            }
            for attempt in ContactAttempt.objects.filter(number=number).order_by("-attempted_at", "-id")[:200]
        ],
        "scrubs": sorted(
            (
                {
                    "scrubJobId": by_result[result.pk].pk,
                    "judgedAt": by_result[result.pk].judged_at,
                    "code": result.code,
                    "isClean": result.is_clean,
                    "certificateId": by_result[result.pk].certificate_id,
                }
                for result in results
            ),
            key=lambda each: str(each["judgedAt"]),
            reverse=True,
        ),
    }
