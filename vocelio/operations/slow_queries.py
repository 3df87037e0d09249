"""Tells of statements slower than SLOW_QUERY_MS: their text without values, in the log of the request or job."""

import logging
import re
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from prometheus_client import Counter

logger = logging.getLogger(__name__)

SLOW = Counter("vocelio_slow_statements", "SQL statements slower than SLOW_QUERY_MS.")
LONGEST = 2000
# One row of VALUES tells what a thousand do.
ROW = r"\((?:[^()]|\([^()]*\))*\)"
ROWS = re.compile(rf"(VALUES {ROW})(?:, {ROW})+")


def watch_statements(connection: Any, **kwargs: Any) -> None:
    """Time every statement of a new connection; one that was lost and made anew is the same object."""
    if _timed not in connection.execute_wrappers:
        connection.execute_wrappers.append(_timed)


def _timed(execute: Callable[..., Any], sql: Any, parameters: Any, is_many: bool, context: Any) -> Any:
    began = time.perf_counter()
    try:
        return execute(sql, parameters, is_many, context)
    finally:
        took = (time.perf_counter() - began) * 1000
        if took >= settings.SLOW_QUERY_MS:
            SLOW.inc()
            text = ROWS.sub(r"\1, ...", " ".join(str(sql).split()))
            logger.warning("Slow statement", extra={"durationMs": round(took, 1), "sql": text[:LONGEST]})
