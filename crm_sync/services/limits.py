"""One limiter per remote account, over all workers and connections: counted in PostgreSQL, where nothing forgets it.

A window is counted in twentieths, so that a budget is never exceeded in any interval of its length and at most a
twentieth of it lies idle. One short transaction a call; the calls themselves take a hundred times as long.
"""

import math
import time
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from prometheus_client import Gauge

from crm_sync.models import CrmQuota
from crm_sync.providers.failures import QuotaReached
from crm_sync.providers.values import Limits, Quota, Window
from vocelio.organizations.scope import organization_scope

SLOTS = 20
# A run waits this long for its turn; beyond that it gives its worker back and is parked.
MOST_SECONDS_WAITED = 30.0

# Of all accounts at one vendor the latest answer stands; each account's own windows are in the connection's page.
LEFT = Gauge(
    "vocelio_crm_quota_left_ratio",
    "Share of a quota that a CRM said was left, in its latest answer.",
    ["crm", "window"],
    multiprocess_mode="livemostrecent",
)


@dataclass
class Limiter:
    """The quota of one account, as one run spends it."""

    organization_id: uuid.UUID
    crm_type: str
    account_id: str
    limits: Limits

    def take(self, spend: Mapping[str, int]) -> None:
        """Spend units of every window, waiting for them; raise QuotaReached when that would take too long."""
        while (wait := self._try(spend)) > 0:
            if wait > MOST_SECONDS_WAITED:
                raise QuotaReached(resets_at=timezone.now() + timedelta(seconds=wait))
            time.sleep(wait)

    def tell(self, quotas: Iterable[Quota]) -> None:
        """Note what the vendor itself said of its windows."""
        quotas = list(quotas)
        if not quotas:
            return
        now = timezone.now()
        with organization_scope(self.organization_id):
            for quota in quotas:
                changes: dict[str, Any] = {
                    "vendor_limit": quota.limit,
                    "vendor_remaining": quota.remaining,
                    "told_at": now,
                }
                if quota.limit and quota.remaining is not None:
                    LEFT.labels(self.crm_type, quota.window).set(quota.remaining / quota.limit)
                if quota.remaining == 0 and quota.resets_at is not None:
                    changes["blocked_until"] = quota.resets_at
                self._rows().filter(window=quota.window).update(**changes)

    def block(self, failure: QuotaReached) -> datetime:
        """Keep every worker from calling until the quota is there again; return when that will be."""
        until = failure.resets_at or timezone.now() + timedelta(seconds=self._seconds(failure.window))
        with organization_scope(self.organization_id):
            rows = self._rows()
            if failure.window and rows.filter(window=failure.window).exists():
                rows = rows.filter(window=failure.window)
            rows.update(blocked_until=until)
        return until

    def _seconds(self, name: str) -> float:
        """Return how long to wait for a window nobody gave a time for: a short one wholly, a day's in parts."""
        spans = [window.seconds for window in self.limits.windows if window.name == name] or [
            window.seconds for window in self.limits.windows
        ]
        return min(max(spans, default=60.0), 900.0)

    def _rows(self) -> Any:
        return CrmQuota.objects.filter(crm_type=self.crm_type, account_id=self.account_id)

    def _try(self, spend: Mapping[str, int]) -> float:
        """Take the units now and return 0, or take none and return the seconds until there may be some."""
        with organization_scope(self.organization_id):
            now = timezone.now().timestamp()
            rows = {row.window: row for row in self._rows().select_for_update().order_by("window")}
            if missing := [window for window in self.limits.windows if window.name not in rows]:
                self._make(missing)
                rows = {row.window: row for row in self._rows().select_for_update().order_by("window")}
            wanted = [(rows[w.name], w, spend.get(w.name, w.per_call)) for w in self.limits.windows]
            wait = max((_wait(row, window, units, now) for row, window, units in wanted), default=0.0)
            if wait <= 0:
                for row, window, units in wanted:
                    if units:
                        _count(row, window, units, now)
                        row.save(update_fields=["slots", "amount", "seconds", "unit"])
        return wait

    def _make(self, windows: list[Window]) -> None:
        with transaction.atomic():
            CrmQuota.objects.bulk_create(
                [
                    CrmQuota(
                        crm_type=self.crm_type,
                        account_id=self.account_id,
                        window=window.name,
                        amount=window.amount,
                        seconds=window.seconds,
                        unit=window.unit,
                    )
                    for window in windows
                ],
                ignore_conflicts=True,
            )


def used(quota: CrmQuota, now: datetime | None = None) -> int:
    """Return the units spent within the window that ends now."""
    moment = (now or datetime.now(UTC)).timestamp()
    return sum(_live_slots(quota.slots, quota.seconds, moment).values())


def _live_slots(slots: Mapping[str, int], seconds: float, now: float) -> dict[str, int]:
    oldest = math.floor(now / (seconds / SLOTS)) - SLOTS
    return {slot: units for slot, units in slots.items() if int(slot) >= oldest}


def _wait(row: CrmQuota, window: Window, units: int, now: float) -> float:
    if not units:
        return 0.0
    blocked = (row.blocked_until.timestamp() - now) if row.blocked_until else 0.0
    if blocked > 0:
        return blocked
    slots = _live_slots(row.slots, window.seconds, now)
    excess = sum(slots.values()) + min(units, window.amount) - window.amount
    if excess <= 0:
        return 0.0
    width = window.seconds / SLOTS
    for slot in sorted(slots, key=int):
        excess -= slots[slot]
        if excess <= 0:
            # Out of the window when the slot after it, twenty slots on, begins.
            return (int(slot) + SLOTS + 1) * width - now + 0.001
    return width


def _count(row: CrmQuota, window: Window, units: int, now: float) -> None:
    row.amount, row.seconds, row.unit = window.amount, window.seconds, window.unit
    slots = _live_slots(row.slots, window.seconds, now)
    current = str(math.floor(now / (window.seconds / SLOTS)))
    slots[current] = slots.get(current, 0) + units
    row.slots = slots
