"""Deals: what follows from the stage, what a stage asks for at every door, and what is kept for ever."""

import pytest
from django.db import DatabaseError, connection, transaction

from sales.models import Deal, DealTally
from sales.tasks import compact_deal_tallies, purge_deals
from tests.factories import Person, make_person, unique
from tests.sales.selling import at_once, make_contact, make_deal, make_pipeline, make_reason, move
from vocelio.organizations.models import Role, Visibility
from vocelio.organizations.scope import organization_scope


def test_a_deal_is_made_shown_changed_deleted_and_restored(manager: Person):
    _, stages = make_pipeline(manager)
    contact = make_contact(manager)
    deal = make_deal(
        manager,
        stages["New"],
        amount="1200.50",
        expectedCloseOn="2026-12-24",
        contacts=[{"contactId": contact, "role": "buyer"}],
        tags=["q4"],
        customFields={"snake_case": 1},
        assignedTo=str(manager.user.pk),
    )
    assert deal["status"] == "open"
    assert deal["stage"]["name"] == "New"
    assert deal["contacts"] == [{"contactId": contact, "name": "Ada", "role": "buyer", "isPrimary": True}]
    assert (deal["amount"], deal["currency"], deal["baseAmount"]) == ("1200.50", "USD", "1200.50")
    assert deal["customFields"] == {"snake_case": 1}
    assert deal["assignedTo"]["id"] == str(manager.user.pk)
    address = f"/v1/deals/{deal['id']}"
    changed = manager.put(address, {"name": "Bigger", "amount": "2000"})
    assert (changed.data["name"], changed.data["amount"], changed.data["version"]) == ("Bigger", "2000.00", 2)
    assert changed.headers["ETag"] == '"2"'
    assert manager.delete(address).status == 200
    assert manager.get(address).status == 404
    assert [each["id"] for each in manager.get("/v1/deals/trash").data] == [deal["id"]]
    assert manager.post(f"{address}/restore").data["version"] == 4
    assert manager.get(address).status == 200


def test_the_amount_of_a_deal_with_lines_is_their_sum(manager: Person):
    _, stages = make_pipeline(manager)
    lines = [
        {"name": "Seats", "quantity": "10", "unitPrice": "49.90", "discount": "10"},
        {"name": "Set-up", "unitPrice": "500"},
    ]
    deal = make_deal(manager, stages["New"], lines=lines)
    assert deal["amount"] == "949.10"
    assert [line["total"] for line in deal["lines"]] == ["449.10", "500.00"]
    refused = manager.put(f"/v1/deals/{deal['id']}", {"amount": "1"})
    assert refused.status == 422
    assert manager.put(f"/v1/deals/{deal['id']}", {"lines": [], "amount": "7"}).data["amount"] == "7.00"


def test_won_and_lost_follow_from_the_stage(manager: Person):
    _, stages = make_pipeline(manager)
    reason = make_reason(manager)
    deal = make_deal(manager, stages["New"], amount="5")
    won = move(manager, deal, stages["Won"]).data
    assert (won["status"], won["closedAt"]) == ("won", won["stageEnteredAt"])
    lost = move(manager, deal, stages["Lost"], lostReasonId=reason, lostNote="Too dear").data
    assert (lost["status"], lost["lostReason"]["id"], lost["lostNote"]) == ("lost", reason, "Too dear")
    again = move(manager, deal, stages["New"]).data
    assert (again["status"], again["closedAt"], again["lostReason"], again["lostNote"]) == ("open", None, None, "")


def test_status_cannot_diverge_from_the_stage_whoever_writes(manager: Person):
    _, stages = make_pipeline(manager)
    deal = make_deal(manager, stages["New"], amount="5")
    with organization_scope(manager.organization.id):
        Deal.objects.filter(pk=deal["id"]).update(status="won")
        assert Deal.objects.get(pk=deal["id"]).status == "open"
        Deal.objects.filter(pk=deal["id"]).update(stage_id=stages["Won"])
        assert Deal.objects.get(pk=deal["id"]).status == "won"
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE pipeline_stages SET kind = 'open' WHERE id = %s", [stages["Won"]])


def test_a_stage_gate_names_all_that_is_missing_on_every_way_in(manager: Person):
    asks = ["amount", "expectedCloseOn", "client", "contacts", "lines", "nextActivity", "source", "description"]
    _, stages = make_pipeline(
        manager, [{"name": "New"}, {"name": "Offer", "requiredFields": asks}, {"name": "Lost", "kind": "lost"}]
    )
    deal = make_deal(manager, stages["New"])
    moved = move(manager, deal, stages["Offer"])
    assert (moved.status, moved.error["code"]) == (422, "STAGE_GATE")
    assert moved.error["details"]["missing"] == asks
    updated = manager.put(f"/v1/deals/{deal['id']}", {"stageId": stages["Offer"]})
    assert updated.error["details"]["missing"] == asks
    body = {"action": "move", "dealIds": [deal["id"]], "data": {"stageId": stages["Offer"]}}
    (failed,) = manager.post("/v1/deals/bulk-operations", body).json["errors"]
    assert (failed["code"], failed["missing"]) == ("STAGE_GATE", asks)
    made = manager.post("/v1/deals", {"name": "Straight in", "stageId": stages["Offer"]})
    assert (made.status, made.error["code"]) == (422, "STAGE_GATE")
    assert manager.get("/v1/deals?search=Straight").data == []
    lost = manager.post("/v1/deals/bulk-operations", {**body, "data": {"stageId": stages["Lost"]}})
    assert lost.json["errors"][0]["missing"] == ["lostReason"]
    assert manager.get(f"/v1/deals/{deal['id']}").data["stage"]["name"] == "New"


def test_what_a_stage_asks_for_comes_with_the_move_and_stays_afterwards(manager: Person):
    _, stages = make_pipeline(manager)
    deal = make_deal(manager, stages["New"])
    assert move(manager, deal, stages["Offer"]).status == 422
    moved = move(manager, deal, stages["Offer"], amount="10")
    assert (moved.status, moved.data["amount"]) == (200, "10.00")
    emptied = manager.put(f"/v1/deals/{deal['id']}", {"amount": "0"})
    assert (emptied.status, emptied.error["details"]["missing"]) == (422, ["amount"])
    lost = move(manager, deal, stages["Lost"], lostReasonId=make_reason(manager))
    assert lost.status == 200
    emptied = manager.put(f"/v1/deals/{deal['id']}", {"lostReasonId": None})
    assert (emptied.status, emptied.error["details"]["missing"]) == (422, ["lostReason"])


def test_of_two_people_who_move_one_deal_one_wins_and_the_other_sees_where_it_is(manager: Person):
    _, stages = make_pipeline(manager)
    colleague = make_person(manager.organization, Role.AGENT)
    deal = make_deal(manager, stages["New"], amount="5")
    path = f"/v1/deals/{deal['id']}/move-stage"
    answers = at_once(
        lambda: manager.post(path, {"stageId": stages["Offer"], "version": 1}),
        lambda: colleague.post(path, {"stageId": stages["Won"]}, **{"If-Match": '"1"'}),
    )
    assert sorted(answer.status for answer in answers) == [200, 409]
    winner, loser = sorted(answers, key=lambda answer: answer.status)
    current = loser.error["details"]["current"]
    assert loser.error["code"] == "VERSION_CONFLICT"
    assert (current["stageId"], current["version"]) == (winner.data["stage"]["id"], 2)
    moves = manager.get(f"/v1/deals/{deal['id']}/history").data
    assert [each["toStage"]["id"] for each in moves] == [winner.data["stage"]["id"], stages["New"]]


def test_every_change_of_stage_is_kept_and_refuses_any_change(manager: Person):
    _, stages = make_pipeline(manager)
    deal = make_deal(manager, stages["New"], amount="5")
    move(manager, deal, stages["Offer"])
    manager.put(f"/v1/deals/{deal['id']}", {"stageId": stages["Won"]})
    history = manager.get(f"/v1/deals/{deal['id']}/history").data
    assert [(each["fromStage"] or {}).get("name") for each in history] == ["Offer", "New", None]
    assert history[0]["movedBy"]["id"] == str(manager.user.pk)
    assert history[0]["seconds"] >= 0
    for statement in ("UPDATE deal_stage_history SET seconds = 0", "DELETE FROM deal_stage_history"):
        with (
            organization_scope(manager.organization.id),
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_a_bulk_move_is_undone_but_for_what_changed_since(manager: Person):
    _, stages = make_pipeline(manager)
    deals = [make_deal(manager, stages["New"], amount="5") for _ in range(3)]
    body = {"action": "move", "dealIds": [deal["id"] for deal in deals], "data": {"stageId": stages["Won"]}}
    done = manager.post("/v1/deals/bulk-operations", body).json
    assert (done["successful"], done["failed"]) == (3, 0)
    manager.put(f"/v1/deals/{deals[0]['id']}", {"name": "Changed since"})
    undone = manager.post("/v1/deals/undo-move", {"undoId": done["undoId"]}).json
    assert (undone["successful"], undone["errors"][0]["code"]) == (2, "CHANGED_SINCE")
    assert manager.post("/v1/deals/undo-move", {"undoId": done["undoId"]}).error["code"] == "ALREADY_UNDONE"
    names = [manager.get(f"/v1/deals/{deal['id']}").data["stage"]["name"] for deal in deals]
    assert names == ["Won", "New", "New"]


def test_bulk_assigns_and_deletes_and_names_what_it_cannot_find(manager: Person, outsider: Person):
    _, stages = make_pipeline(manager)
    deal = make_deal(manager, stages["New"])
    foreign = make_deal(outsider, make_pipeline(outsider)[1]["New"])
    ids = [deal["id"], foreign["id"]]
    body = {"action": "assign", "dealIds": ids, "data": {"assignedTo": str(manager.user.pk)}}
    answer = manager.post("/v1/deals/bulk-operations", body).json
    assert (answer["successful"], answer["errors"][0]["code"]) == (1, "NOT_FOUND")
    assert manager.get(f"/v1/deals/{deal['id']}").data["assignedTo"]["id"] == str(manager.user.pk)
    assert manager.post("/v1/deals/bulk-operations", {"action": "delete", "dealIds": ids}).json["successful"] == 1
    assert manager.get(f"/v1/deals/{deal['id']}").status == 404
    assert outsider.get(f"/v1/deals/{foreign['id']}").status == 200


def test_ownership_holds_on_list_detail_board_bulk_move_export_and_figures(manager: Person):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save()
    north, south = (make_person(manager.organization, Role.AGENT, team) for team in ("north", "south"))
    pipeline, stages = make_pipeline(manager)
    mine, theirs = (
        make_deal(manager, stages["New"], amount="100", assignedTo=str(each.user.pk)) for each in (north, south)
    )
    assert [deal["id"] for deal in north.get("/v1/deals").data] == [mine["id"]]
    assert north.get(f"/v1/deals/{theirs['id']}").status == 404
    assert move(north, theirs, stages["Won"]).status == 404
    assert north.put(f"/v1/deals/{theirs['id']}", {"name": "Mine"}).status == 404
    board = north.get(f"/v1/deals/board?pipelineId={pipeline['id']}").data["columns"][0]
    assert (board["count"], board["amount"], [card["id"] for card in board["deals"]]) == (1, "100.00", [mine["id"]])
    column = north.get(f"/v1/deals/board/{stages['New']}").data
    assert [card["id"] for card in column] == [mine["id"]]
    report = north.get("/v1/sales-analytics/pipeline").data
    assert (report["totals"]["count"], report["totals"]["amount"]) == (1, "100.00")
    assert north.get("/v1/sales-analytics/conversion").data["rows"][0]["entered"] == 1
    assert manager.get("/v1/sales-analytics/pipeline").data["totals"]["count"] == 2
    assert north.get("/v1/deals/export").status == 403
    # Who is held to a team changes nothing in bulk, their own deals neither.
    bulk = {"action": "delete", "dealIds": [theirs["id"], mine["id"]]}
    assert north.post("/v1/deals/bulk-operations", bulk).status == 403
    assert south.get(f"/v1/deals/{theirs['id']}").status == 200
    lines = b"".join(manager.get("/v1/deals/export").response.streaming_content).decode().splitlines()
    assert len(lines) == 3


def test_an_export_holds_what_the_filters_keep_and_is_safe_in_a_spreadsheet(manager: Person):
    _, stages = make_pipeline(manager)
    make_deal(manager, stages["New"], name="=cmd|' /C calc'!A0", source="Fair")
    make_deal(manager, stages["New"], source="Web")
    answer = manager.get("/v1/deals/export?source=fair")
    lines = b"".join(answer.response.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("'=cmd")


def test_deals_are_found_by_what_they_are(manager: Person):
    _, stages = make_pipeline(manager)
    contact = make_contact(manager)
    client = manager.post("/v1/clients", {"name": unique("Initech")}).data["id"]
    wanted = make_deal(
        manager,
        stages["New"],
        name="Paper for a year",
        amount="900",
        clientId=client,
        contacts=[{"contactId": contact}],
        tags=["a", "b"],
        assignedTo=str(manager.user.pk),
    )
    make_deal(manager, stages["New"], amount="5")
    for query in (
        "search=paper",
        "search=initech",
        f"clientId={client}",
        f"contactId={contact}",
        "tags=a,b",
        "minAmount=100",
        "assignedTo=me",
        "sort=-amount&limit=1",
    ):
        assert [deal["id"] for deal in manager.get(f"/v1/deals?{query}").data] == [wanted["id"]], query
    assert manager.get("/v1/deals?hasNextActivity=true").data == []
    assert len(manager.get(f"/v1/deals?stageId={stages['New']}&status=open").data) == 2
    assert manager.get("/v1/deals?nonsense=1").status == 422


@pytest.mark.upkeep
def test_the_trash_is_purged_after_its_time_and_history_stays(manager: Person):
    _, stages = make_pipeline(manager)
    deal = make_deal(manager, stages["New"])
    manager.delete(f"/v1/deals/{deal['id']}")
    with organization_scope(manager.organization.id), connection.cursor() as cursor:
        cursor.execute("UPDATE deals SET deleted_at = now() - interval '31 days'")
    purge_deals()
    assert manager.get("/v1/deals/trash").data == []
    with organization_scope(manager.organization.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM deal_stage_history WHERE deal_id = %s", [deal["id"]])
        assert cursor.fetchone() == (1,)


def test_the_column_totals_are_true_after_every_change(manager: Person):
    pipeline, stages = make_pipeline(manager)
    deals = [make_deal(manager, stages["New"], amount=str(amount)) for amount in (10, 20, 30)]

    def totals() -> list[tuple[str, int, str]]:
        columns = manager.get(f"/v1/deals/board?pipelineId={pipeline['id']}").data["columns"]
        return [(each["stage"]["name"], each["count"], each["amount"]) for each in columns if each["count"]]

    assert totals() == [("New", 3, "60.00")]
    move(manager, deals[0], stages["Offer"])
    manager.put(f"/v1/deals/{deals[1]['id']}", {"amount": "25"})
    assert totals() == [("New", 2, "55.00"), ("Offer", 1, "10.00")]
    manager.delete(f"/v1/deals/{deals[2]['id']}")
    compact_deal_tallies()
    assert totals() == [("New", 1, "25.00"), ("Offer", 1, "10.00")]
    with organization_scope(manager.organization.id):
        assert DealTally.objects.count() == 2


def test_amounts_in_other_currencies_count_at_the_rate_of_their_day(manager: Person):
    pipeline, stages = make_pipeline(manager)
    refused = manager.post(
        "/v1/deals", {"name": "Abroad", "currency": "EUR", "amount": "100", "stageId": stages["New"]}
    )
    assert (refused.status, refused.error["code"]) == (422, "RATE_MISSING")
    assert (
        manager.post("/v1/exchange-rates", {"currency": "EUR", "validFrom": "2026-01-01", "rate": "1.1"}).status == 201
    )
    deal = make_deal(manager, stages["New"], currency="EUR", amount="100")
    assert deal["baseAmount"] == "110.00"
    later = {"currency": "EUR", "validFrom": "2026-03-01", "rate": "1.2"}
    assert manager.post("/v1/exchange-rates", later).status == 201
    assert manager.get(f"/v1/deals/{deal['id']}").data["baseAmount"] == "120.00"
    column = manager.get(f"/v1/deals/board?pipelineId={pipeline['id']}").data["columns"][0]
    assert (column["amount"], column["deals"][0]["amount"], column["deals"][0]["currency"]) == (
        "120.00",
        "100.00",
        "EUR",
    )
    assert manager.post("/v1/exchange-rates", later).error["code"] == "RATE_EXISTS"
