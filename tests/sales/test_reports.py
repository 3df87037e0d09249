"""Reports: true figures, the same as JSON, CSV and PDF."""

import csv
import io

import pytest

from sales.models import Deal
from sales.services.reports import REPORTS
from sales.services.reports.chains import chances
from sales.services.snapshots import take_snapshot
from tests.factories import Person
from tests.sales.selling import make_deal, make_pipeline, make_reason, move
from vocelio.organizations.scope import organization_scope


@pytest.fixture
def sold(manager: Person) -> dict[str, str]:
    """Four deals: one won, one lost, one in the second stage, one in the first."""
    _, stages = make_pipeline(manager)
    deals = [make_deal(manager, stages["New"], amount="100", assignedTo=str(manager.user.pk)) for _ in range(4)]
    for deal in deals[:3]:
        move(manager, deal, stages["Offer"])
    move(manager, deals[0], stages["Won"])
    move(manager, deals[1], stages["Lost"], lostReasonId=make_reason(manager))
    return stages


def rows(person: Person, report: str, query: str = "") -> list[dict[str, object]]:
    answer = person.get(f"/v1/sales-analytics/{report}{query}")
    assert answer.status == 200, answer
    result: list[dict[str, object]] = answer.data["rows"]
    return result


def test_pipeline_value_weighs_by_probability(manager: Person, sold: dict[str, str]):
    by_stage = {row["stage"]: row for row in rows(manager, "pipeline")}
    assert (by_stage["New"]["count"], by_stage["New"]["amount"], by_stage["New"]["weighted"]) == (1, "100.00", "10.00")
    assert by_stage["Offer"]["weighted"] == "50.00"
    totals = manager.get("/v1/sales-analytics/pipeline").data["totals"]
    assert (totals["count"], totals["amount"], totals["weighted"]) == (2, "200.00", "60.00")


def test_conversion_counts_what_became_of_deals_by_stage(manager: Person, sold: dict[str, str]):
    new, offer = rows(manager, "conversion")
    assert (new["entered"], new["advanced"], new["lost"], new["conversion"]) == (4, 3, 0, 100.0)
    assert (offer["entered"], offer["advanced"], offer["lost"], offer["conversion"]) == (3, 1, 1, 50.0)
    assert (new["winChance"], offer["winChance"]) == (50.0, 50.0)


def test_forecast_weighs_by_probability_and_by_history(manager: Person, sold: dict[str, str]):
    totals = manager.get("/v1/sales-analytics/forecast").data["totals"]
    assert (totals["amount"], totals["weighted"], totals["byHistory"]) == ("200.00", "60.00", "100.00")
    assert totals["won"] == "100.00"
    assert [row["count"] for row in rows(manager, "forecast") if row["month"] == "no date"] == [2]


def test_won_and_lost_velocity_owners_and_activities(manager: Person, sold: dict[str, str]):
    manager.post("/v1/sales-activities", {"kind": "call", "subject": "x"})
    activity = manager.get("/v1/sales-activities").data[0]["id"]
    manager.put(f"/v1/sales-activities/{activity}/complete", {"disposition": "busy"})
    totals = manager.get("/v1/sales-analytics/win-loss").data["totals"]
    assert (totals["won"], totals["lost"], totals["winRate"], totals["wonAmount"]) == (1, 1, 50.0, "100.00")
    (speed,) = rows(manager, "velocity")
    assert (speed["won"], speed["lost"], speed["open"], speed["winRate"]) == (1, 1, 2, 50.0)
    (owner,) = rows(manager, "owners")
    assert (owner["won"], owner["wonAmount"], owner["open"], owner["activities"]) == (1, "100.00", 2, 1)
    (week,) = rows(manager, "activities")
    assert (week["call"], week["total"]) == (1, 1)


def test_the_trend_is_read_from_daily_snapshots_taken_anew_through_the_day(manager: Person, sold: dict[str, str]):
    assert rows(manager, "trend") == []
    for _ in range(2):
        with organization_scope(manager.organization.id):
            take_snapshot()
    (today,) = rows(manager, "trend")
    assert (today["count"], today["amount"], today["weighted"]) == (2, "200.00", "60.00")
    with organization_scope(manager.organization.id):
        Deal.objects.filter(status="open").update(stage_id=sold["Won"])
        take_snapshot()
    assert rows(manager, "trend") == []


@pytest.mark.parametrize("report", REPORTS)
def test_every_report_comes_as_json_csv_and_pdf_and_for_an_empty_organization(
    report: str, manager: Person, agent: Person
):
    shown = agent.get(f"/v1/sales-analytics/{report}").data
    for chart in shown["charts"]:
        assert all(len(line["data"]) == len(chart["labels"]) for line in chart["datasets"])
    make_deal(manager, make_pipeline(manager)[1]["New"], amount="5")
    shown = agent.get(f"/v1/sales-analytics/{report}").data
    table = agent.get(f"/v1/sales-analytics/{report}?format=csv")
    lines = list(csv.reader(io.StringIO(table.response.content.decode())))
    assert lines[0] == [column["label"] for column in shown["columns"]]
    assert len(lines) == len(shown["rows"]) + 1
    printed = agent.get(f"/v1/sales-analytics/{report}?format=pdf")
    assert printed.response.content.startswith(b"%PDF-")
    assert printed.headers["Content-Type"] == "application/pdf"


@pytest.mark.parametrize(
    "query",
    ["from=2026-02-01&to=2026-01-01", "from=yesterday", "format=xls", "pipelineId=x", "nonsense=1", "from=2010-01-01"],
)
def test_what_makes_no_sense_is_refused(query: str, agent: Person):
    assert agent.get(f"/v1/sales-analytics/forecast?{query}").status == 422


def test_chances_follow_from_counted_moves():
    assert chances({}, {"won"}, {"lost"}) == {}
    straight = {("a", "b"): 10, ("b", "won"): 3, ("b", "lost"): 1}
    assert chances(straight, {"won"}, {"lost"}) == pytest.approx({"a": 0.75, "b": 0.75})
    # Half of b goes back to a: p(b) = p(a) / 2 + 1 / 4, p(a) = p(b), so one half.
    circle = {("a", "b"): 4, ("b", "a"): 2, ("b", "won"): 1, ("b", "lost"): 1}
    assert chances(circle, {"won"}, {"lost"}) == pytest.approx({"a": 0.5, "b": 0.5})
    assert chances({("a", "b"): 1, ("b", "a"): 1}, {"won"}, {"lost"}) == {"a": 0.0, "b": 0.0}
