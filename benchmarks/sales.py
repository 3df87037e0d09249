"""How fast are the deals board at 100,000 open deals in 8 stages, a move, and the forecast over 1,000,000 moves?

    .venv/bin/python benchmarks/sales.py [--deals 100000] [--moves 1000000]

Runs on the servers of DATABASE_URL and REDIS_URL, policies on, and leaves its organization there; a second run uses it
again. Server time is measured inside one process.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")

import django

django.setup()

from django.db import connection

from sales.models import Deal, DealTally
from tests.factories import Person, make_person
from vocelio.organizations.models import Organization, Role, Tier
from vocelio.organizations.scope import organization_scope

SLUG = "benchmark-sales"
OPEN = [
    {"name": f"Stage {n}", "probability": 10 * n, "requiredFields": ["amount"] if n % 2 else []} for n in range(1, 9)
]
STAGES = [*OPEN, {"name": "Won", "kind": "won"}, {"name": "Lost", "kind": "lost"}]

FILL_DEALS = """
INSERT INTO deals (id, organization_id, name, description, stage_id, amount, currency, base_amount, lost_note, source, tags,
    custom_fields, assigned_to_id, version, created_at, stage_entered_at, expected_close_on)
SELECT uuid7(), %(organization)s, 'Deal ' || n, '', (%(stages)s::uuid[])[1 + n %% 8], n %% 90000 + 100, 'USD',
    n %% 90000 + 100, '', 'Import', '{}', '{}', (%(users)s::uuid[])[1 + n %% 20], 1, now() - n * interval '3 minutes',
    now() - n * interval '3 minutes', current_date + n %% 300
FROM generate_series(%(from)s, %(to)s) AS n
"""
# Deals that passed through and were purged since; their history stays.
FILL_MOVES = """
INSERT INTO deal_stage_history (id, organization_id, moved_at, deal_id, pipeline_id, from_stage_id, to_stage_id, seconds,
    base_amount, assigned_to_id)
SELECT uuid7(), %(organization)s, now() - n * interval '30 seconds', md5((n / 4)::text)::uuid, %(pipeline)s,
    (%(stages)s::uuid[])[1 + n %% 8], (%(stages)s::uuid[])[2 + (n %% 8) + CASE WHEN n %% 5 = 0 THEN 9 - n %% 8 - 1 ELSE 0 END],
    n %% 900000, n %% 90000 + 100, (%(users)s::uuid[])[1 + n %% 20]
FROM generate_series(%(from)s, %(to)s) AS n
"""
VACUUM = """
import django; django.setup()
from django.db import connection
with connection.cursor() as cursor: cursor.execute("VACUUM ANALYZE deals, deal_stage_history, deal_tallies")
"""


def make_data(deals: int, moves: int) -> tuple[Person, str, list[str]]:
    organization, is_new = Organization.objects.get_or_create(
        slug=SLUG, defaults={"name": "Benchmark", "subscription_tier": Tier.ENTERPRISE}
    )
    person = make_person(organization, Role.ADMIN)
    if is_new:
        person.post("/v1/pipelines", {"name": "Benchmark", "stages": STAGES})
    pipeline = person.get("/v1/pipelines").data[0]
    stages = [stage["id"] for stage in pipeline["stages"]]
    with organization_scope(organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM deals), (SELECT count(*) FROM deal_stage_history)")
        there, moved = cursor.fetchone()
    values = {"organization": organization.id, "stages": stages, "pipeline": pipeline["id"]}
    if there < deals or moved < moves:
        values["users"] = [make_person(organization, Role.AGENT).user.pk for _ in range(20)]
        for sql, first, last in ((FILL_DEALS, there, deals), (FILL_MOVES, max(moved, deals), moves)):
            started = time.perf_counter()
            for start in range(first, last, 50_000):
                with organization_scope(organization.id), connection.cursor() as cursor:
                    cursor.execute(sql, values | {"from": start, "to": min(last, start + 50_000) - 1})
            print(f"{last - first:,} rows made in {time.perf_counter() - started:.0f} s")
        DealTally.compact()
        subprocess.run(
            [sys.executable, "-c", VACUUM], env={**os.environ, "VOCELIO_DB_ROLE": "owner"}, cwd=PROJECT, check=True
        )
    return person, pipeline["id"], stages


def spent() -> float:
    """Return the processor seconds of this process and, on the same machine, of its PostgreSQL backend."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        status = Path(f"/proc/{cursor.fetchone()[0]}/stat")
    ticks = sum(map(int, status.read_text().rsplit(")", 1)[1].split()[11:13])) if status.exists() else 0
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


def timed(call: Callable[[], object], times: int) -> tuple[float, float, float]:
    """Return p50, p95 and the mean processor time in milliseconds, which others' work does not change."""
    for _ in range(3):
        call()
    taken, before = [], spent()
    for _ in range(times):
        started = time.perf_counter()
        call()
        taken.append((time.perf_counter() - started) * 1000)
    processor = (spent() - before) * 1000 / times
    return statistics.median(taken), statistics.quantiles(taken, n=20)[18], processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deals", type=int, default=100_000)
    parser.add_argument("--moves", type=int, default=1_000_000)
    options = parser.parse_args()
    person, pipeline, stages = make_data(options.deals, options.moves)
    print(
        f"load average {os.getloadavg()[0]:.1f}\n| | p50 ms | p95 ms | processor ms | goal, p95 |\n|---|---|---|---|---|"
    )

    def shown(name: str, call: Callable[[], object], times: int, goal: str) -> None:
        p50, p95, processor = timed(call, times)
        print(f"| {name} | {p50:,.1f} | {p95:,.1f} | {processor:,.1f} | {goal} |", flush=True)

    def get(path: str) -> Callable[[], object]:
        def call() -> None:
            answer = person.get(path)
            assert answer.status == 200, answer

        return call

    board = f"/v1/deals/board?pipelineId={pipeline}"
    shown("board, first screen", get(board), 60, "100")
    shown("board by amount", get(f"{board}&sort=-amount"), 30, "100")
    cursor = person.get(board).data["columns"][0]["nextCursor"]
    shown("a column's next page", get(f"/v1/deals/board/{stages[0]}?cursor={cursor}"), 60, "")
    shown("board of one owner, counted", get(f"{board}&assignedTo=none"), 20, "")
    shown("list of deals", get("/v1/deals?limit=50"), 30, "")
    with organization_scope(person.organization.id):
        ids = list(Deal.objects.alive().open().values_list("pk", flat=True)[:200])
    targets = itertools.cycle(zip(ids, itertools.cycle(stages[:8]), strict=False))

    def move() -> None:
        deal, stage = next(targets)
        answer = person.post(f"/v1/deals/{deal}/move-stage", {"stageId": stage})
        assert answer.status == 200, answer

    shown("a move", move, 100, "50")
    shown("forecast, 90 days of moves", get("/v1/sales-analytics/forecast"), 15, "500")
    whole = f"from={time.strftime('%Y-%m-%d', time.gmtime(time.time() - 1_000 * 86_400))}"
    shown("forecast, all moves", get(f"/v1/sales-analytics/forecast?{whole}"), 15, "500")
    shown("conversion, all moves", get(f"/v1/sales-analytics/conversion?{whole}"), 15, "")
    print(f"load average {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
