"""What Pipedrive alone does, and its adapter handles. The name of each test is the trap.

Tokens; two kinds of 429; cursors that are forgotten; no list of deletions; merges in webhooks; Basic; no upsert;
lists written whole; one name; options by number.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from crm_sync.providers.failures import (
    PositionLost,
    QuotaReached,
    WebhookRefused,
)
from crm_sync.providers.values import (
    Deleted,
    Kind,
    Operation,
    Outcome,
    PushItem,
    WebhookRequest,
)
from tests.crm_sync.fakes import pipedrive as pipedrive_fake
from tests.crm_sync.fakes.pipedrive import FakePipedrive
from tests.crm_sync.vendor_accounts import APP, VendorAccount, update
from vocelio.plugins import PluginError

HOOK = "https://vocelio.example/v1/webhooks/crm/a%3Atoken"


class PipedriveAccount(VendorAccount):
    fake: FakePipedrive


@pytest.fixture
def pipedrive(vendor: Callable[..., Any]) -> PipedriveAccount:
    return vendor("pipedrive")


def test_pipedrive_states_what_a_push_costs_and_spends_what_it_states(vendor: Callable[..., Any]) -> None:
    account: PipedriveAccount = vendor("pipedrive", limits=True)
    limit = account.fake.limits["day"]
    account.provider.fields(account.remote, Kind.CONTACTS)
    works: list[tuple[Callable[[], Any], Operation]] = [
        (lambda: account.create(account.person(1)), Operation.CREATE),
        (lambda: account.push(Operation.UPDATE, [update("1", email="x@people.example")]), Operation.UPDATE),
        (lambda: account.push(Operation.DELETE, [update("1")]), Operation.DELETE),
    ]
    for work, operation in works:
        before, account.remote.spent["day"] = limit.total, 0
        work()
        assert account.remote.spent["day"] == limit.total - before
        assert limit.total - before == account.provider.cost(Kind.CONTACTS, operation, 1)["tokens"]
    before, account.remote.spent["day"] = limit.total, 0
    account.provider.changes(account.remote, Kind.CONTACTS, since=None, position="", names=["email"])
    item = PushItem(str(uuid4()), {"email": "nobody@people.example"})
    account.provider.find(account.remote, Kind.CONTACTS, [item], names=["email"])
    assert account.remote.spent["day"] == limit.total - before == 30
    assert account.provider.cost(Kind.CONTACTS, Operation.CREATE, 10_000) == {"requests": 10_000, "tokens": 50_000}


def test_pipedrive_limits_follow_plan_seats_and_the_kind_of_credential(pipedrive: PipedriveAccount) -> None:
    def limits(**options: str) -> dict[str, int]:
        found = pipedrive.provider.limits(pipedrive.credential, options)
        return {window.name: window.amount for window in found.windows}

    assert limits() == {"burst": 80, "search": 10, "day": 30_000}
    assert limits(plan="premium", seats="4") == {"burst": 320, "search": 10, "day": 600_000}
    pipedrive.use_key()
    assert limits()["burst"] == 20


def test_pipedrive_one_status_for_the_burst_and_the_day(vendor: Callable[..., Any]) -> None:
    account = vendor("pipedrive", limits=True)
    account.fake.limits["burst"].amount = 0
    with pytest.raises(PluginError) as burst:
        account.pull()
    assert (burst.value.code, burst.value.retry_after) == ("RATE_LIMITED", 2)
    account.fake.limits["day"].amount = 5
    with pytest.raises(QuotaReached) as day:
        account.pull()
    assert day.value.window == "day"
    assert day.value.resets_at is not None
    assert timedelta() < day.value.resets_at - datetime.now(UTC) <= timedelta(days=1)


def test_pipedrive_a_forgotten_cursor_is_told(pipedrive: PipedriveAccount) -> None:
    pipedrive.fake.add_people(20)
    pipedrive.fake.short_page = 6
    assert len(pipedrive.pull()) == 20
    page = pipedrive.provider.changes(pipedrive.remote, Kind.CONTACTS, since=None, position="", names=["email"])
    pipedrive.fake.cursor_key = "2"
    with pytest.raises(PositionLost):
        pipedrive.provider.changes(pipedrive.remote, Kind.CONTACTS, since=None, position=page.position, names=["email"])


def test_pipedrive_a_merge_is_told_by_its_webhook_alone(pipedrive: PipedriveAccount) -> None:
    pipedrive.provider.subscribe(pipedrive.remote, url=HOOK, secret="secret", current=None)
    loser, winner = pipedrive.fake.add_people(2)
    pipedrive.fake.events.clear()
    pipedrive.fake.merge(loser, winner)
    (event,) = pipedrive.provider.parse_webhook(pipedrive.delivered(HOOK))
    assert (event.remote_id, event.change, event.into) == (loser, "merged", winner)
    assert pipedrive.gone() == []
    found = pipedrive.provider.fetch(pipedrive.remote, Kind.CONTACTS, ids=[loser], names=["email"])
    assert found.gone == (Deleted(loser),)


def test_pipedrive_webhooks_carry_a_password_and_no_signature(pipedrive: PipedriveAccount) -> None:
    pipedrive.provider.subscribe(pipedrive.remote, url=HOOK, secret="secret", current=None)
    made = list(pipedrive.fake.webhooks.values())
    assert {webhook["event_object"] for webhook in made} == {"person", "organization"}
    assert {webhook["http_auth_password"] for webhook in made} == {"secret"}
    for value in ("Basic dm9jZWxpbzp3cm9uZw==", "Bearer secret", "Basic", "Basic ???"):
        request = WebhookRequest("POST", HOOK, {"authorization": value}, b"{}", datetime.now(UTC))
        with pytest.raises(WebhookRefused):
            pipedrive.provider.verify_webhook(request, app=APP, secret="secret")


def test_pipedrive_a_lost_create_is_found_though_search_lags(pipedrive: PipedriveAccount) -> None:
    pipedrive.fake.search_lag = 3600
    item = pipedrive.person(1)
    pipedrive.create(item)
    found = pipedrive.provider.find(pipedrive.remote, Kind.CONTACTS, [pipedrive.again(item)], names=pipedrive.names())
    assert item.key in found


def test_pipedrive_a_lost_create_is_not_taken_for_somebody_older(pipedrive: PipedriveAccount) -> None:
    pipedrive.fake.advance(-1000)
    older = pipedrive.fake.add({"name": "New1 Maker1", "phones": [{"value": "+13035550001"}]})
    pipedrive.fake.advance(1000)
    # Changed of late, and so among the changes since the attempt.
    pipedrive.fake.edit(older, {"owner_id": 7})
    item = pipedrive.person(1, email=None)
    attempted = PushItem(item.key, item.values, attempted_at=pipedrive.fake.now - timedelta(seconds=30))
    assert pipedrive.provider.find(pipedrive.remote, Kind.CONTACTS, [attempted], names=pipedrive.names()) == {}
    pipedrive.create(item)
    assert set(pipedrive.provider.find(pipedrive.remote, Kind.CONTACTS, [attempted], names=pipedrive.names())) == {
        item.key
    }


def test_pipedrive_waits_while_a_create_may_be_under_way(pipedrive: PipedriveAccount) -> None:
    item = pipedrive.person(1)
    just_now = PushItem(item.key, item.values, attempted_at=datetime.now(UTC))
    with pytest.raises(PluginError) as waiting:
        pipedrive.provider.find(pipedrive.remote, Kind.CONTACTS, [just_now], names=["email"])
    assert not waiting.value.permanent
    assert waiting.value.retry_after is not None
    assert 0 < waiting.value.retry_after <= 15
    long_ago = PushItem(item.key, item.values, attempted_at=datetime.now(UTC) - timedelta(minutes=1))
    assert pipedrive.provider.find(pipedrive.remote, Kind.CONTACTS, [long_ago], names=["email"]) == {}


def test_pipedrive_knows_its_own_create_by_a_field_of_ours(pipedrive: PipedriveAccount) -> None:
    pipedrive.options["id_field"] = pipedrive_fake.OUR_ID
    pipedrive.open()
    twins = [pipedrive.person(1, email=None), pipedrive.person(1, email=None)]
    first, second = pipedrive.create(*twins)
    again = [pipedrive.again(item) for item in twins]
    found = pipedrive.provider.find(pipedrive.remote, Kind.CONTACTS, again, names=["phone"])
    assert [found[item.key].id for item in twins] == [first, second]


def test_pipedrive_other_addresses_and_numbers_survive_a_change_of_the_first(pipedrive: PipedriveAccount) -> None:
    id = pipedrive.fake.add(
        {
            "name": "Ann Lee",
            "emails": [
                {"value": "private@people.example", "primary": False, "label": "home"},
                {"value": "work@people.example", "primary": True, "label": "work"},
            ],
        }
    )
    assert pipedrive.pull()[id].values["email"] == "work@people.example"
    pipedrive.push(Operation.UPDATE, [update(id, email="new@people.example")])
    stored = pipedrive.fake.records["contacts"][id].values["emails"]
    assert {(entry["value"], entry["primary"]) for entry in stored} == {
        ("new@people.example", True),
        ("private@people.example", False),
    }
    pipedrive.push(Operation.UPDATE, [update(id, email=None)])
    (left,) = pipedrive.fake.records["contacts"][id].values["emails"]
    assert (left["value"], left["primary"]) == ("private@people.example", True)


def test_pipedrive_half_a_name_changed_keeps_the_other_half(pipedrive: PipedriveAccount) -> None:
    (id,) = pipedrive.create(pipedrive.person(1))
    pipedrive.push(Operation.UPDATE, [update(id, first_name="Anna")])
    assert pipedrive.fake.records["contacts"][id].values["name"] == "Anna Maker1"
    pipedrive.push(Operation.UPDATE, [update(id, email="other@people.example")])
    assert pipedrive.fake.records["contacts"][id].values["name"] == "Anna Maker1"


def test_pipedrive_a_person_without_a_name_is_still_sent(pipedrive: PipedriveAccount) -> None:
    nameless = pipedrive.person(1, firstName=None, lastName=None)
    (id,) = pipedrive.create(nameless)
    assert pipedrive.fake.records["contacts"][id].values["name"] == "new1@people.example"


def test_pipedrive_custom_options_are_written_by_number_and_read_as_text(pipedrive: PipedriveAccount) -> None:
    colour, games = pipedrive_fake.COLOUR, pipedrive_fake.GAMES
    item = PushItem(str(uuid4()), {**pipedrive.person(1).values, colour: "11", games: ("21", "22")})
    pipedrive.create(item)
    (stored,) = pipedrive.fake.live()
    assert stored.values["custom_fields"] == {colour: 11, games: [21, 22]}
    page = pipedrive.provider.changes(pipedrive.open(), Kind.CONTACTS, since=None, position="", names=[colour, games])
    assert dict(page.records[0].values) == {colour: "11", games: ("21", "22")}
    fields = {field.name: field for field in pipedrive.provider.fields(pipedrive.remote, Kind.CONTACTS)}
    assert [(choice.value, choice.label) for choice in fields[colour].choices] == [("11", "Red"), ("12", "Blue")]


def test_pipedrive_when_a_batch_stops_half_way_the_rest_is_sent_again(pipedrive: PipedriveAccount) -> None:
    ids = pipedrive.create(*(pipedrive.person(number) for number in range(4)))
    items = [update(id, last_name="Changed") for id in ids]
    pipedrive.fake.fail(429, operation="change_record", skip=2)
    results = pipedrive.provider.push(pipedrive.remote, Kind.CONTACTS, Operation.UPDATE, items, names=pipedrive.names())
    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.DONE, Outcome.RETRY, Outcome.RETRY]
    # Creates come alone: one that is sent again makes a second person.
    assert pipedrive.provider.types[Kind.CONTACTS].batch[Operation.CREATE] == 1


def test_pipedrive_opt_outs_are_asked_for_and_not_believed_unseen(pipedrive: PipedriveAccount) -> None:
    first, second = pipedrive.fake.add_people(2)
    name = pipedrive.name("emailOptOut")
    said_no = update(first, **{name: True})
    assert pipedrive.push(Operation.UPDATE, [said_no])[said_no.key].outcome is Outcome.DONE
    # Told on request only.
    assert {id: record.values[name] for id, record in pipedrive.pull().items()} == {first: True, second: False}
    pipedrive.fake.unsubscribes = False
    ignored = update(second, **{name: True})
    result = pipedrive.push(Operation.UPDATE, [ignored])[ignored.key]
    assert (result.outcome, result.code) == (Outcome.REJECTED, "NOT_OPTED_OUT")
