"""The figures of tiles: each by itself, with its own error, kept in Redis for a moment for all who see the same."""

import hashlib
import logging
import math
import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
import redis
from django.core.cache import cache
from django.utils import timezone
from django.utils.translation import get_language

from vocelio.access.principal import Principal
from vocelio.dashboards.models import DashboardTile
from vocelio.errors import VocelioError
from vocelio.languages.translate import translated
from vocelio.organizations.scope import set_locally
from vocelio.reports.services.answers import answer_in_time
from vocelio.reports.services.questions import FigureQuestion, read_question
from vocelio.reports.services.shown import shown_answer

logger = logging.getLogger(__name__)

# How old a figure may be that nobody said was out of date.
KEPT_SECONDS = 30
# Figures that take longer than this rest ten times as long as they took.
DEAR_SECONDS, REST = 0.5, 10
# How long one statement of a tile may run: many tiles share a request.
TILE_TIMEOUT = "8s"


def tile_figures(
    tiles: Iterable[DashboardTile], principal: Principal, *, newer_than: datetime | None = None
) -> list[dict[str, Any]]:
    """Return what each tile shows the caller: `figures` with their `asOf`, or its `error`.

    Figures are up to 30 seconds old; `newer_than` asks for none computed before that moment. Those that took long are
    computed at most a tenth of the time: their `asOf` says how old they are.
    """
    set_locally({"statement_timeout": TILE_TIMEOUT})
    return [_shown(tile, principal, newer_than) for tile in tiles]


def _shown(tile: DashboardTile, principal: Principal, newer_than: datetime | None) -> dict[str, Any]:
    figures, error = None, None
    try:
        question = read_question(tile.asks, principal)
        figures = figures_of(question, tile.asks, newer_than=newer_than)
        figures = {**figures, "title": tile_title(tile, question)}
    except VocelioError as refusal:
        error = {"code": refusal.code, "message": refusal.message}
    return {
        "id": str(tile.pk),
        "title": figures["title"] if figures else str(tile),
        "chart": tile.chart,
        "width": tile.width,
        "height": tile.height,
        "figures": figures,
        "error": error,
    }


def tile_title(tile: DashboardTile, question: FigureQuestion) -> str:
    return translated(tile.title) or (tile.report.name if tile.report is not None else question.title)


def figures_of(
    question: FigureQuestion, definition: dict[str, Any], *, newer_than: datetime | None = None
) -> dict[str, Any]:
    """Return the answer as plain data, from Redis where somebody who sees the same asked just now."""
    key = _key(question.principal, question, definition)
    kept = _kept(key)
    if kept is not None and _will_do(kept, newer_than):
        found: dict[str, Any] = kept["figures"]
        return found
    began = time.monotonic()
    figures = shown_answer(answer_in_time(question))
    took = time.monotonic() - began
    # What is in Redis and what is computed look the same: both have been JSON.
    encoded = orjson.dumps({"took": took, "figures": figures})
    try:
        cache.set(key, encoded, max(KEPT_SECONDS, math.ceil(took * REST)))
    except redis.RedisError as error:
        logger.warning("Figures are not kept: Redis is unreachable", extra={"error": str(error)})
    fresh: dict[str, Any] = orjson.loads(encoded)["figures"]
    return fresh


def _will_do(kept: dict[str, Any], newer_than: datetime | None) -> bool:
    """Say whether kept figures are new enough; dear ones are not computed all the time, however much happens."""
    as_of = datetime.fromisoformat(kept["figures"]["asOf"])
    if newer_than is None or as_of >= newer_than:
        return True
    return bool(kept["took"] > DEAR_SECONDS) and (timezone.now() - as_of).total_seconds() < kept["took"] * REST


def _kept(key: str) -> dict[str, Any] | None:
    try:
        encoded = cache.get(key)
    except redis.RedisError:
        return None
    found: dict[str, Any] | None = orjson.loads(encoded) if encoded else None
    return found


def _key(principal: Principal, question: FigureQuestion, definition: dict[str, Any]) -> str:
    """Return the name of an answer: equal for those of an organization who see the same records in the same words."""
    sees = str(principal.user_id) if principal.sees_own_team_only else "all"
    asked = [
        str(principal.organization_id),
        sees,
        get_language(),
        sorted(principal.permissions),
        definition,
        [question.period.first.isoformat(), question.period.last.isoformat(), question.period.zone.key],
    ]
    return f"figures:{hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()}"
