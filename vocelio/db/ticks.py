"""once_per(): let a scheduled task run once a tick, however many beats and workers there are."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection

P = ParamSpec("P")
R = TypeVar("R")

# Beats do not fire to the millisecond; a tick that comes this much early is still the next one.
PATIENCE = 0.9


def once_per(*, seconds: float) -> Callable[[Callable[P, R]], Callable[P, R | None]]:
    """Decorate a task that beat sends each `seconds`: within that time it runs once, other calls return None."""

    def decorate(function: Callable[P, R]) -> Callable[P, R | None]:
        schedule = f"{function.__module__}.{function.__name__}"

        @wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R | None:
            return function(*args, **kwargs) if claim_tick(schedule, seconds) else None

        return run

    return decorate


def claim_tick(schedule: str, seconds: float) -> bool:
    """Say whether this is the first call for the schedule in its current tick; the row decides among many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO schedule_ticks (schedule, ticked_at) VALUES (%s, now())"
            " ON CONFLICT (schedule) DO UPDATE SET ticked_at = excluded.ticked_at"
            " WHERE schedule_ticks.ticked_at <= now() - make_interval(secs => %s) RETURNING 1",
            [schedule, seconds * PATIENCE],
        )
        return cursor.fetchone() is not None
