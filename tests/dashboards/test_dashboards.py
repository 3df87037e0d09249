"""Dashboards: tiles with their own errors, kept for a moment, usual ones by role, told of what is out of date."""

from typing import Any

import pytest
import redis
from django.db.models import Func, TextField

from tests.factories import Person, make_person, phone_number, unique
from tests.realtime.server import Server
from tests.sales.selling import make_deal, make_pipeline
from vocelio.organizations.models import Organization, Role, Visibility
from vocelio.reports.registry import Metric, count, register

SLEEP = Func(template="(SELECT '' FROM pg_sleep(1))", output_field=TextField())
SLOW = Metric(
    "test.slow",
    "Slow",
    "Nothing, for a second.",
    permission="reports:read",
    rows=lambda asked: Organization.objects.annotate(slept=SLEEP).filter(slept="", pk=asked.principal.organization_id),
    measure=count(),
)
register(SLOW)


def tile(*metrics: str, chart: str = "number", **asked: Any) -> dict[str, Any]:
    return {"definition": {"metrics": list(metrics), **asked}, "chart": chart}


def make(person: Person, *tiles: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = person.post("/v1/dashboards", {"name": unique("dashboard"), "tiles": list(tiles), **fields})
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.data
    return made


def shown(person: Person, dashboard: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    answer = person.get(f"/v1/dashboards/{dashboard['id']}/data{query}")
    assert answer.status == 200, answer
    tiles: list[dict[str, Any]] = answer.data["tiles"]
    return tiles


def value(tile: dict[str, Any]) -> Any:
    return tile["figures"]["totals"][0]["value"]


def test_a_dashboard_is_made_changed_copied_and_deleted(agent: Person):
    report = agent.post("/v1/reports", {"name": "Added", "definition": {"metrics": ["contacts.created"]}}).data
    made = make(
        agent,
        tile("contacts.total"),
        {"reportId": report["id"], "chart": "line", "width": 2, "title": "New ones"},
    )
    first, second = made["tiles"]
    assert (first["width"], second["width"], second["reportId"]) == (1, 2, report["id"])
    assert [each["title"] for each in shown(agent, made)] == ["Contacts", "New ones"]
    swapped = agent.put(f"/v1/dashboards/{made['id']}", {"tiles": [second, {**first, "height": 2}]}).data
    assert [each["id"] for each in swapped["tiles"]] == [second["id"], first["id"]]
    copy = agent.post(f"/v1/dashboards/{made['id']}/copy", {"name": "Mine"})
    assert (copy.status, len(copy.data["tiles"]), copy.data["isShared"]) == (201, 2, False)
    again = agent.post(f"/v1/dashboards/{made['id']}/copy", {"name": "Mine"})
    assert (again.status, again.error["code"]) == (409, "DASHBOARD_EXISTS")
    assert agent.delete(f"/v1/reports/{report['id']}").status == 200
    assert [each["id"] for each in agent.get(f"/v1/dashboards/{made['id']}").data["tiles"]] == [first["id"]]
    assert agent.delete(f"/v1/dashboards/{made['id']}").status == 200
    assert agent.get(f"/v1/dashboards/{made['id']}").status == 404


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"chart": "number"}, "tiles.0"),
        ({**tile("deals.open"), "chart": "pie"}, "tiles.0.chart"),
        (tile("deals.open", chart="donut"), "tiles.0.chart"),
        (tile("deals.nope"), "metrics.0"),
        ({"chart": "number", "reportId": "00000000-0000-4000-8000-000000000000"}, "tiles.0.reportId"),
        ({**tile("deals.open"), "width": 5}, "tiles.0.width"),
    ],
)
def test_tiles_that_make_no_sense_name_their_field(wrong: dict[str, Any], field: str, agent: Person):
    answer = agent.post("/v1/dashboards", {"name": "x", "tiles": [wrong]})
    assert (answer.status, answer.error["details"]["field"]) == (422, field)


def test_each_role_has_a_usual_dashboard_made_once(admin: Person, manager: Person, agent: Person):
    usual = {}
    for person in (admin, manager, agent):
        for _ in range(2):
            (only,) = person.get("/v1/dashboards").data
        assert (only["usualFor"], only["owner"]) == (person.role, None)
        assert all(each["error"] is None for each in shown(person, only))
        usual[person.role] = only
    assert len({each["id"] for each in usual.values()}) == 3
    assert agent.patch(f"/v1/dashboards/{usual['agent']['id']}", {"name": "x"}).status == 403
    renamed = manager.patch(f"/v1/dashboards/{usual['manager']['id']}", {"name": "Our morning"})
    assert renamed.data["name"] == "Our morning"


def test_private_ones_are_ones_own_and_each_reader_sees_what_they_may(admin: Person, agent: Person, outsider: Person):
    private, common = make(admin, tile("crm.runs")), make(admin, tile("crm.runs"), tile("deals.open"), isShared=True)
    assert agent.get(f"/v1/dashboards/{private['id']}").status == 404
    assert outsider.get(f"/v1/dashboards/{common['id']}/data").status == 404
    refused, seen = shown(agent, common)
    assert (refused["error"]["code"], refused["figures"]) == ("FORBIDDEN", None)
    assert (seen["error"], value(seen)) == (None, 0)
    assert [each["error"] for each in shown(admin, common)] == [None, None]
    assert agent.post("/v1/dashboards", {"name": "x", "isShared": True}).status == 403


def test_figures_are_kept_for_a_moment_and_computed_anew_when_asked(agent: Person, monkeypatch: Any):
    monkeypatch.setattr("vocelio.dashboards.services.figures.REST", 0)
    made = make(agent, tile("contacts.created", range={"preset": "today"}))
    (before,) = shown(agent, made)
    agent.post("/v1/contacts", {"phone": phone_number()})
    (kept,) = shown(agent, made)
    assert (value(kept), kept["figures"]["asOf"]) == (0, before["figures"]["asOf"])
    (renewed,) = shown(agent, made, f"?newerThan=2100-01-01T00:00:00Z&tiles={made['tiles'][0]['id']}")
    assert value(renewed) == 1
    assert value(shown(agent, made)[0]) == 1
    assert agent.get(f"/v1/dashboards/{made['id']}/data?newerThan=now").status == 422
    assert agent.get(f"/v1/dashboards/{made['id']}/data?tiles=x").status == 422


def test_dear_figures_rest_before_they_are_computed_again(agent: Person, monkeypatch: Any):
    monkeypatch.setattr("vocelio.dashboards.services.figures.DEAR_SECONDS", 0)
    monkeypatch.setattr("vocelio.dashboards.services.figures.REST", 100_000)
    made = make(agent, tile("contacts.created", range={"preset": "today"}))
    (before,) = shown(agent, made)
    agent.post("/v1/contacts", {"phone": phone_number()})
    (kept,) = shown(agent, made, "?newerThan=2100-01-01T00:00:00Z")
    assert kept["figures"]["asOf"] == before["figures"]["asOf"]


def test_who_sees_other_records_gets_other_figures(manager: Person, agent: Person):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save(update_fields=["visibility"])
    _, stages = make_pipeline(manager)
    make_deal(manager, stages["New"], assignedTo=str(manager.user.pk))
    common = make(manager, tile("deals.open"), isShared=True)
    colleague = make_person(manager.organization, Role.AGENT)
    assert [value(shown(person, common)[0]) for person in (manager, agent, colleague)] == [1, 0, 0]


def test_without_redis_figures_are_computed(agent: Person, monkeypatch: Any):
    made = make(agent, tile("contacts.total"))

    class Away:
        def get(self, *args: Any) -> None:
            raise redis.ConnectionError

        set = get

    monkeypatch.setattr("vocelio.dashboards.services.figures.cache", Away())
    assert value(shown(agent, made)[0]) == 0


def test_a_tile_that_takes_too_long_says_so_and_the_others_stand(agent: Person, monkeypatch: Any):
    monkeypatch.setattr("vocelio.dashboards.services.figures.TILE_TIMEOUT", "200ms")
    made = make(agent, tile("test.slow"), tile("contacts.total"))
    slow, quick = shown(agent, made)
    assert (slow["error"]["code"], value(quick)) == ("TOO_SLOW", 0)


def test_tiles_are_told_once_that_they_are_out_of_date(manager: Person, agent: Person, server: Server):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save(update_fields=["visibility"])
    _, stages = make_pipeline(manager)
    common = make(manager, tile("contacts.total"), tile("deals.open"), isShared=True)
    private = make(manager)
    deals = common["tiles"][1]["id"]
    with server.sign_in(manager) as seeing, server.sign_in(agent) as other:
        for client in (seeing, other):
            assert client.subscribe("dashboard", dashboardId=common["id"])["type"] == "subscribed"
        assert other.subscribe("dashboard", dashboardId=private["id"])["code"] == "NOT_FOUND"
        for _ in range(3):
            make_deal(manager, stages["New"], assignedTo=str(manager.user.pk))
        told = seeing.hear("dashboard_stale")["data"]
        assert (told["dashboardId"], told["stale"]) == (common["id"], [deals])
        tiles = shown(manager, common, f"?tiles={deals}&newerThan={told['changedAt']}")
        assert value(tiles[0]) == 3
        seeing.hears_nothing()
        other.hears_nothing()
        manager.patch(f"/v1/dashboards/{common['id']}", {"name": unique("name")})
        assert seeing.hear("dashboard_changed")["data"] == {"dashboardId": common["id"]}
