"""Rate limits per organization and tier, counted in Redis. Redis being down limits nothing and breaks nothing."""

import logging
import math
import time
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.organizations.models import Tier

logger = logging.getLogger(__name__)

HOUR, DAY = 3600, 86400
# The document's table: {tier: {scope: (requests, seconds)}}; what is missing is unlimited.
LIMITS: dict[str, dict[str, tuple[int, int]]] = {
    Tier.FREE: {"contacts": (1_000, HOUR), "imports": (5, DAY), "api_calls": (10_000, DAY)},
    Tier.PRO: {"contacts": (10_000, HOUR), "imports": (50, DAY), "api_calls": (100_000, DAY)},
    Tier.ENTERPRISE: {"api_calls": (1_000_000, DAY)},
}
# Callers without a token, by address: enough for people behind one office address.
ANONYMOUS_LIMIT = (600, 60)
# After a failure Redis is left alone for this long, so that requests do not queue behind its time-outs.
REDIS_REST_SECONDS = 5.0

_redis = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.3, socket_connect_timeout=0.3)
_redis_back_at = 0.0


@dataclass(frozen=True)
class Count:
    """How one window stands after this request."""

    scope: str
    limit: int
    used: int
    resets_in: int

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


def count_request(windows: list[tuple[str, str, int, int]]) -> list[Count]:
    """Count one request in each fixed window (scope, owner, limit, seconds); empty when Redis is away."""
    global _redis_back_at
    now = time.time()
    if time.monotonic() < _redis_back_at:
        return []
    pipeline = _redis.pipeline(transaction=False)
    for scope, owner, _, seconds in windows:
        key = f"vocelio:rate:{scope}:{owner}:{int(now // seconds)}"
        pipeline.incr(key)
        pipeline.expire(key, seconds + 1)
    try:
        answers = pipeline.execute()
    except redis.RedisError as error:
        _redis_back_at = time.monotonic() + REDIS_REST_SECONDS
        logger.warning("Rate limits are not counted: Redis is unreachable", extra={"error": str(error)})
        return []
    return [
        Count(scope, limit, used, math.ceil(seconds - now % seconds))
        for (scope, _, limit, seconds), used in zip(windows, answers[::2], strict=True)
    ]


class OrganizationThrottle(BaseThrottle):
    """Counts each call, and again under the action's own scope (`throttle_scopes = {"create": "contacts"}`)."""

    exceeded: Count | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        caller = request.user
        if isinstance(caller, Principal):
            limits = LIMITS[caller.tier]
            scopes = ["api_calls", getattr(view, "throttle_scopes", {}).get(getattr(view, "action", None))]
            windows = [(scope, str(caller.organization_id), *limits[scope]) for scope in scopes if scope in limits]
        else:
            windows = [("anonymous", current_actor().ip_address or "", *ANONYMOUS_LIMIT)]
        counts = count_request(windows)
        exceeded = [count for count in counts if count.used > count.limit]
        self.exceeded = max(exceeded, key=lambda count: count.resets_in, default=None)
        # The narrowest window is what the caller must mind.
        shown = self.exceeded or min(counts, key=lambda count: count.remaining, default=None)
        view.rate_limit = shown or Count(windows[0][0], windows[0][2], 0, windows[0][3]) if windows else None
        return self.exceeded is None

    def wait(self) -> float | None:
        return self.exceeded.resets_in if self.exceeded else None


def rate_limit_headers(count: Count | None) -> dict[str, str]:
    """Return the RateLimit headers of an answer (IETF draft httpapi-ratelimit-headers, the widely used form)."""
    if count is None:
        return {}
    return {
        "RateLimit-Limit": str(count.limit),
        "RateLimit-Remaining": str(count.remaining),
        "RateLimit-Reset": str(count.resets_in),
    }
