"""Scheduled tasks run once a tick."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.db import connection
from django.db.models import F

from tests.factories import unique
from vocelio.db.models import ScheduleTick
from vocelio.db.ticks import claim_tick, once_per


def test_two_beats_run_a_task_once() -> None:
    schedule = unique("schedule")

    def claim(_: int) -> bool:
        try:
            return claim_tick(schedule, 60)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(16))) == 1


def test_next_tick_runs_again_though_beat_is_a_little_early() -> None:
    schedule = unique("schedule")
    assert claim_tick(schedule, 60)
    for seconds, runs in [(50, False), (5, True)]:
        ScheduleTick.objects.filter(pk=schedule).update(ticked_at=F("ticked_at") - timedelta(seconds=seconds))
        assert claim_tick(schedule, 60) is runs


def test_decorated_task_returns_none_when_it_does_not_run() -> None:
    def work() -> str:
        return "done"

    work.__name__ = unique("work")
    task = once_per(seconds=60)(work)
    assert (task(), task()) == ("done", None)
