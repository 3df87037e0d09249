"""The board pages inside a column, and its sockets hear what others move."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import Person, make_organization, make_person
from tests.realtime.server import Server
from tests.sales.selling import make_deal, make_pipeline, move
from vocelio.organizations.models import Role, Visibility


def test_a_column_is_read_page_by_page_each_card_once(manager: Person):
    pipeline, stages = make_pipeline(manager)
    deals = {make_deal(manager, stages["New"], amount=str(amount))["id"] for amount in range(7)}
    for sort in ("-stageEnteredAt", "-amount"):
        query = f"limit=3&sort={sort}"
        column = manager.get(f"/v1/deals/board?pipelineId={pipeline['id']}&{query}").data["columns"][0]
        assert (column["count"], len(column["deals"])) == (7, 3)
        seen, cursor = [card["id"] for card in column["deals"]], column["nextCursor"]
        while cursor:
            page = manager.get(f"/v1/deals/board/{stages['New']}?{query}&cursor={cursor}")
            seen += [card["id"] for card in page.data]
            cursor = page.json["pagination"]["nextCursor"]
        assert len(seen) == 7
        assert set(seen) == deals


def test_a_filtered_board_counts_what_the_filter_keeps(manager: Person):
    pipeline, stages = make_pipeline(manager)
    make_deal(manager, stages["New"], name="Paper", amount="10", assignedTo=str(manager.user.pk))
    make_deal(manager, stages["New"], name="Toner", amount="20")
    board = f"/v1/deals/board?pipelineId={pipeline['id']}"
    for query, expected in (
        ("search=paper", (1, "10.00")),
        ("assignedTo=none", (1, "20.00")),
        ("limit=1", (2, "30.00")),
    ):
        column = manager.get(f"{board}&{query}").data["columns"][0]
        assert (column["count"], column["amount"]) == expected
    assert manager.get(f"{board}&nonsense=1").status == 422
    assert manager.get(f"{board}&sort=name").status == 422


def test_a_board_costs_as_many_queries_for_many_deals_as_for_two(manager: Person):
    pipeline, stages = make_pipeline(manager)

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert manager.get(f"/v1/deals/board?pipelineId={pipeline['id']}").status == 200
        return len(captured)

    def add(number: int) -> None:
        for _ in range(number):
            make_deal(manager, stages["New"])

    add(2)
    queries()
    few = queries()
    add(10)
    assert queries() == few


def test_an_organization_without_pipelines_has_an_empty_board(outsider: Person):
    assert outsider.get("/v1/deals/board").data["columns"] == []
    outsider.post("/v1/deals", {"name": "First"})
    assert [column["stage"]["name"] for column in outsider.get("/v1/deals/board").data["columns"]][:2] == [
        "New",
        "Qualified",
    ]


def test_sockets_of_a_pipeline_hear_a_move_and_only_of_deals_they_may_see(server: Server):
    manager = make_person(make_organization(visibility=Visibility.TEAM), Role.MANAGER)
    north, south = (make_person(manager.organization, Role.AGENT, team) for team in ("north", "south"))
    pipeline, stages = make_pipeline(manager)
    other, _ = make_pipeline(manager)
    deal = make_deal(manager, stages["New"], amount="5", assignedTo=str(north.user.pk))
    with server.sign_in(north) as mine, server.sign_in(south) as foreign, server.sign_in(manager) as elsewhere:
        mine.subscribe("deals", filters={"pipelineId": pipeline["id"]})
        foreign.subscribe("deals")
        elsewhere.subscribe("deals", filters={"pipelineId": other["id"]})
        assert move(manager, deal, stages["Offer"]).status == 200
        heard = mine.hear("deal_moved")["data"]
        assert (heard["dealId"], heard["stageId"], heard["fromStageId"], heard["version"]) == (
            deal["id"],
            stages["Offer"],
            stages["New"],
            2,
        )
        foreign.hears_nothing()
        elsewhere.hears_nothing()


@pytest.mark.parametrize(
    ("channel", "address", "fields", "change", "event"),
    [
        ("clients", "/v1/clients", {"name": "Initech"}, {"city": "Bari"}, "client_updated"),
        ("projects", "/v1/projects", {"name": "Move in"}, {"name": "Move out"}, "project_updated"),
        (
            "activities",
            "/v1/sales-activities",
            {"kind": "task", "subject": "Call"},
            {"subject": "Write"},
            "activity_updated",
        ),
    ],
)
def test_sockets_hear_of_what_their_team_owns_alone(server: Server, channel, address, fields, change, event):
    manager = make_person(make_organization(visibility=Visibility.TEAM), Role.MANAGER)
    north, south = (make_person(manager.organization, Role.AGENT, team) for team in ("north", "south"))
    made = manager.post(address, {**fields, "assignedTo": str(north.user.pk)})
    assert made.status == 201, made
    with server.sign_in(north) as mine, server.sign_in(south) as foreign:
        mine.subscribe(channel)
        foreign.subscribe(channel)
        assert manager.patch(f"{address}/{made.data['id']}", change).status == 200
        assert made.data["id"] in str(mine.hear(event)["data"])
        foreign.hears_nothing()
