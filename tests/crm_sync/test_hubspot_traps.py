"""What HubSpot alone does, and its adapter handles. The name of each test is the trap.

A service key without webhooks; versions as dates; two names for the time of change; search with a cap of
10,000, one sort, ids in the order of text, short and empty pages, a lag and a budget of its own; archived and merged
records that search hides; upserts by a property of our own; 207 or a whole batch refused; three kinds of 429;
signatures of version 3.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from crm_sync.providers.failures import (
    BatchRejected,
    HistoryGone,
    QuotaReached,
    WebhookRefused,
)
from crm_sync.providers.values import (
    FieldType,
    Kind,
    Merged,
    Operation,
    Outcome,
    PushItem,
    Values,
    WebhookRequest,
)
from tests.crm_sync.fakes.hubspot import FakeHubSpot
from tests.crm_sync.vendor_accounts import APP, PROVIDERS, VendorAccount, failure_of, update
from vocelio.plugins import PluginError

HOOK = "https://vocelio.example/v1/webhooks/crm/a%3Atoken"


class HubSpotAccount(VendorAccount):
    fake: FakeHubSpot


@pytest.fixture
def hubspot(vendor: Callable[..., Any]) -> HubSpotAccount:
    return vendor("hubspot")


def test_hubspot_tells_that_a_service_key_gets_no_webhooks(hubspot: HubSpotAccount) -> None:
    assert not any("webhook" in warning for warning in hubspot.provider.test(hubspot.remote).warnings)
    hubspot.use_key()
    assert any("webhook" in warning for warning in hubspot.provider.test(hubspot.remote).warnings)


def test_hubspot_access_ends_after_half_an_hour_and_is_known_to(hubspot: HubSpotAccount) -> None:
    assert hubspot.credential.expires_at is not None
    assert timedelta(minutes=25) < hubspot.credential.expires_at - datetime.now(UTC) < timedelta(minutes=31)


def test_hubspot_versions_are_an_option_and_nothing_else_gets_into_the_path(hubspot: HubSpotAccount) -> None:
    hubspot.options["api_version"] = "2026-03/../../secret"
    with pytest.raises(PluginError) as refused:
        hubspot.pull()
    assert refused.value.permanent
    hubspot.options["api_version"] = "2026-09"
    with pytest.raises(PluginError):
        hubspot.pull()
    (violation, *_) = hubspot.fake.violations
    assert "/crm/objects/2026-09/contacts is no operation" in violation
    hubspot.fake.violations.clear()


def test_hubspot_search_goes_past_its_cap_of_ten_thousand(hubspot: HubSpotAccount) -> None:
    assert hubspot.fake.cap == 10_000
    hubspot.fake.cap = 1000
    since = hubspot.fake.now
    hubspot.fake.frozen = since
    for _ in range(11):
        hubspot.fake.advance(1)
        hubspot.fake.add_people(100)
    assert len(hubspot.pull(since=since)) == 1100


def test_hubspot_more_records_of_one_moment_than_its_cap_end_and_are_all_read(hubspot: HubSpotAccount) -> None:
    hubspot.fake.cap = 1000
    since = hubspot.fake.now
    hubspot.fake.frozen = since
    everybody = hubspot.fake.add_people(1050)
    assert set(hubspot.pull(since=since)) == set(everybody)


def test_hubspot_ids_are_followed_in_the_order_of_text(hubspot: HubSpotAccount) -> None:
    hubspot.fake.frozen = hubspot.fake.now
    hubspot.fake.next_id = 7
    # 8, 9, 10, ... 1007: by text 1000 comes before 8, by number after.
    everybody = hubspot.fake.add_people(1000)
    assert set(hubspot.pull(since=hubspot.fake.frozen)) == set(everybody)


@pytest.mark.parametrize("is_one_moment", [True, False])
def test_hubspot_short_and_empty_pages_are_not_the_end(hubspot: HubSpotAccount, is_one_moment: bool) -> None:
    since = hubspot.fake.now
    hubspot.fake.frozen = since
    everybody = []
    for _ in range(60):
        hubspot.fake.advance(0 if is_one_moment else 1)
        everybody += hubspot.fake.add_people(1)
    hubspot.fake.short_page = 7
    hubspot.fake.empty_pages = 2
    assert set(hubspot.pull(since=since)) == set(everybody)


def test_hubspot_search_lags_and_the_next_run_reaches_back(hubspot: HubSpotAccount) -> None:
    hubspot.fake.search_lag = 120
    start = hubspot.fake.now
    (late,) = hubspot.fake.add_people(1)
    assert hubspot.pull(since=start) == {}
    # The id itself is read past the index, as webhooks need it.
    (found,) = hubspot.provider.fetch(hubspot.remote, Kind.CONTACTS, ids=[late], names=hubspot.names()).records
    assert found.id == late
    hubspot.fake.advance(130)
    overlap = timedelta(seconds=hubspot.provider.types[Kind.CONTACTS].overlap)
    assert set(hubspot.pull(since=hubspot.fake.now - overlap)) == {late}


def test_hubspot_a_create_is_found_again_before_search_knows_it(hubspot: HubSpotAccount) -> None:
    hubspot.fake.search_lag = 3600
    item = hubspot.person(1)
    (id,) = hubspot.create(item)
    assert hubspot.provider.find(hubspot.remote, Kind.CONTACTS, [item], names=hubspot.names())[item.key].id == id


def test_hubspot_search_has_a_budget_of_its_own_that_lists_do_not_spend(hubspot: HubSpotAccount) -> None:
    windows = {window.name: window for window in hubspot.provider.limits(hubspot.credential, {}).windows}
    assert (windows["search"].amount, windows["search"].seconds, windows["search"].per_call) == (5, 1, 0)
    assert windows["burst"].amount <= 110
    remote = hubspot.open()
    hubspot.provider.changes(remote, Kind.CONTACTS, since=None, position="", names=hubspot.names())
    assert "search" not in remote.spent
    hubspot.provider.changes(remote, Kind.CONTACTS, since=hubspot.fake.now, position="", names=hubspot.names())
    assert remote.spent["search"] == 1


def test_hubspot_a_full_list_vouches_for_its_beginning_alone(hubspot: HubSpotAccount) -> None:
    # In order of ids: what was read first may have changed since.
    people = hubspot.fake.add_people(150)
    began = hubspot.fake.now
    newest = []
    for page in hubspot.pages():
        newest.append(page.newest)
        hubspot.fake.advance(600)
        hubspot.fake.edit(people[0], {"city": "Austin"})
        hubspot.fake.edit(people[-1], {"city": "Boston"})
    assert len(newest) == 2
    assert all(moment is not None and moment <= began + timedelta(seconds=1) for moment in newest)


def test_hubspot_archived_records_are_told_though_search_hides_them(hubspot: HubSpotAccount) -> None:
    since = hubspot.fake.now
    old, new = hubspot.fake.add_people(2)
    hubspot.fake.delete(old)
    hubspot.fake.advance(1000)
    later = hubspot.fake.now
    hubspot.fake.delete(new)
    assert hubspot.pull(since=since) == {}
    assert {gone.id for gone in hubspot.gone(since=since)} == {old, new}
    assert {gone.id for gone in hubspot.gone(since=later)} == {new}
    with pytest.raises(HistoryGone):
        hubspot.gone(since=hubspot.fake.now - timedelta(days=91))


def test_hubspot_a_merged_record_vanishes_and_its_winner_tells(hubspot: HubSpotAccount) -> None:
    first, second, winner = hubspot.fake.add_people(3)
    since = hubspot.fake.now
    hubspot.fake.merge(first, second)
    hubspot.fake.merge(second, winner)
    assert Merged(second, winner) in hubspot.gone(since=since)
    assert Merged(first, winner) in hubspot.gone(since=since)
    assert Merged(first, winner) in [gone for page in hubspot.pages() for gone in page.gone]
    found = hubspot.provider.fetch(hubspot.remote, Kind.CONTACTS, ids=[first], names=hubspot.names())
    assert found.gone == (Merged(first, winner),)


def test_hubspot_a_change_of_a_merged_record_names_the_winner(hubspot: HubSpotAccount) -> None:
    loser, winner = hubspot.fake.add_people(2)
    hubspot.fake.merge(loser, winner)
    item = update(loser, firstname="Changed")
    result = hubspot.push(Operation.UPDATE, [item])[item.key]
    assert (result.outcome, result.remote_id) == (Outcome.MERGED, winner)


def test_hubspot_companies_have_another_name_for_the_time_of_change(hubspot: HubSpotAccount) -> None:
    hubspot.fake.add_people(3, "companies")
    hubspot.fake.advance(60)
    since = hubspot.fake.now
    hubspot.fake.edit("997", {"name": "Changed"}, "companies")
    assert set(hubspot.pull(Kind.COMPANIES, since)) == {"997"}
    assert set(PROVIDERS["hubspot"].types) == {Kind.CONTACTS, Kind.COMPANIES}


def test_hubspot_upserts_by_a_property_of_our_own_and_leaves_other_values(hubspot: HubSpotAccount) -> None:
    item = hubspot.person(1)
    (id,) = hubspot.create(item)
    hubspot.fake.edit(id, {"city": "Austin"})
    assert hubspot.create(PushItem(item.key, {"lastname": "Again"})) == [id]
    values = hubspot.fake.records["contacts"][id].values
    assert (values["city"], values["email"], values["vocelio_id"]) == ("Austin", "new1@people.example", item.key)


def test_hubspot_without_that_property_sends_nothing_and_says_so(hubspot: HubSpotAccount) -> None:
    hubspot.fake.has_id_property = False
    assert len([w for w in hubspot.provider.test(hubspot.remote).warnings if "vocelio_id" in w]) == 2
    with pytest.raises(PluginError) as refused:
        hubspot.push(Operation.CREATE, [hubspot.person(1)])
    assert (refused.value.permanent, refused.value.code) == (True, "ID_FIELD_MISSING")
    assert hubspot.fake.creates == 0


@pytest.mark.parametrize("is_told_by_row", [True, False])
def test_hubspot_one_bad_row_is_told_or_the_batch_is_halved(hubspot: HubSpotAccount, is_told_by_row: bool) -> None:
    hubspot.fake.multi_status = is_told_by_row
    items = [hubspot.person(number) for number in range(20)]
    bad = hubspot.person(21, email="nonsense")
    if not is_told_by_row:
        with pytest.raises(BatchRejected):
            hubspot.provider.push(hubspot.remote, Kind.CONTACTS, Operation.CREATE, [*items, bad], names=hubspot.names())
        assert hubspot.fake.creates == 0
    results = hubspot.push(Operation.CREATE, [*items, bad])
    assert (results[bad.key].outcome, results[bad.key].field) == (Outcome.REJECTED, "email")
    assert {results[item.key].outcome for item in items} == {Outcome.DONE}
    assert hubspot.fake.creates == 20


def test_hubspot_validation_rules_of_its_administrators_name_the_field(hubspot: HubSpotAccount) -> None:
    item = hubspot.person(1)
    bad = PushItem(item.key, {**item.values, "lifecyclestage": "nonsense"})
    result = hubspot.push(Operation.CREATE, [bad])[item.key]
    assert (result.outcome, result.field) == (Outcome.REJECTED, "lifecyclestage")
    assert "allowed options" in result.message


@pytest.mark.parametrize("is_told_by_row", [True, False])
def test_hubspot_names_the_contact_that_has_the_e_mail_address(hubspot: HubSpotAccount, is_told_by_row: bool) -> None:
    hubspot.fake.multi_status = is_told_by_row
    (there,) = hubspot.fake.add_people(1)
    item = hubspot.person(1, email="person1@people.example")
    result = hubspot.push(Operation.CREATE, [item])[item.key]
    assert (result.outcome, result.remote_id) == (Outcome.DUPLICATE, there)


def test_hubspot_text_becomes_what_its_type_means_and_back(hubspot: HubSpotAccount) -> None:
    names = ["vip", "annual_visits", "interests", "birthday", "firstname"]
    values: Values = {"vip": True, "annual_visits": 3, "interests": ("chess", "golf"), "birthday": "1990-01-31"}
    item = PushItem(str(uuid4()), {**hubspot.person(1).values, **values})
    hubspot.create(item)
    (stored,) = hubspot.fake.live()
    assert (stored.values["vip"], stored.values["interests"]) == ("true", "chess;golf")
    page = hubspot.provider.changes(hubspot.open(), Kind.CONTACTS, since=None, position="", names=names)
    assert dict(page.records[0].values) == {**values, "firstname": "New1"}
    fields = {field.name: field for field in hubspot.provider.fields(hubspot.remote, Kind.CONTACTS)}
    assert fields["interests"].type is FieldType.CHOICES
    assert not fields["hs_object_id"].is_writable


@pytest.mark.parametrize("many", [True, False])
def test_hubspot_opt_outs_are_told_by_an_api_of_their_own(hubspot: HubSpotAccount, many: bool) -> None:
    # The property is read only; many at a time need a plan of their own, one by one does with any.
    hubspot.fake.unsubscribes["many"] = many
    first, second = hubspot.fake.add_people(2)
    said_no = update(first, hs_email_optout=True)
    both = update(second, hs_email_optout=True, city="Rome")
    new = hubspot.person(7, emailOptOut=True)
    results = hubspot.push(Operation.UPDATE, [said_no, both]) | hubspot.push(Operation.CREATE, [new])
    assert {each.outcome for each in results.values()} == {Outcome.DONE}
    told = results[both.key].record
    assert told is not None
    assert told.values["hs_email_optout"] is True
    found = hubspot.pull()
    assert [record.values["hs_email_optout"] for record in found.values()] == [True] * 3
    assert found[second].values["city"] == "Rome"


def test_hubspot_opt_outs_that_are_not_taken_are_said(hubspot: HubSpotAccount) -> None:
    hubspot.fake.unsubscribes = {"many": False, "one": False}
    (first,) = hubspot.fake.add_people(1)
    nameless = hubspot.fake.add({"firstname": "No", "lastname": "Address"})
    items = [
        update(first, hs_email_optout=True),
        update(nameless, hs_email_optout=True),
        update("1", hs_email_optout=True),
    ]
    results = hubspot.push(Operation.UPDATE, items)
    assert [results[item.key].outcome for item in items] == [Outcome.REJECTED, Outcome.REJECTED, Outcome.GONE]
    assert "scope" in results[items[0].key].message
    assert "no e-mail address" in results[items[1].key].message


def test_hubspot_three_kinds_of_too_many(hubspot: HubSpotAccount) -> None:
    day = failure_of(hubspot, 429, body={"policyName": "DAILY"})
    assert isinstance(day, QuotaReached)
    assert day.window == "day"
    # Retry-After is not always sent.
    burst = failure_of(hubspot, 429, body={"policyName": "TEN_SECONDLY_ROLLING"})
    assert (burst.code, burst.retry_after) == ("RATE_LIMITED", None)
    assert failure_of(hubspot, 429, body={"policyName": "SECONDLY"}).retry_after == 1


def test_hubspot_tells_its_quota(vendor: Callable[..., Any]) -> None:
    account = vendor("hubspot", limits=True)
    answer = account.remote.call("GET", "/account-info/2026-03/details")
    (quota,) = account.provider.quotas(answer)
    assert (quota.window, quota.limit, quota.remaining) == ("day", 650_000, 649_999)


def test_hubspot_signature_covers_method_address_body_and_five_minutes(hubspot: HubSpotAccount) -> None:
    hubspot.fake.add_people(1)
    # HubSpot signs the address with some of its characters decoded.
    headers, body = hubspot.fake.webhook(hubspot.fake.events, HOOK.replace("%3A", ":"))
    lower = {name.lower(): value for name, value in headers.items()}
    now = datetime.now(UTC)
    good = WebhookRequest("POST", HOOK, lower, body, now)
    hubspot.provider.verify_webhook(good, app=APP, secret="")
    for bad in (
        WebhookRequest("PUT", HOOK, lower, body, now),
        WebhookRequest("POST", HOOK + "x", lower, body, now),
        WebhookRequest("POST", HOOK, lower, body + b" ", now),
        WebhookRequest("POST", HOOK, {**lower, "x-hubspot-request-timestamp": "1"}, body, now),
        WebhookRequest("POST", HOOK, lower, body, now + timedelta(minutes=5, seconds=5)),
    ):
        with pytest.raises(WebhookRefused):
            hubspot.provider.verify_webhook(bad, app=APP, secret="")


def test_hubspot_a_merge_in_a_webhook_names_both(hubspot: HubSpotAccount) -> None:
    loser, winner = hubspot.fake.add_people(2)
    hubspot.fake.events.clear()
    hubspot.fake.merge(loser, winner)
    hubspot.fake.events.pop()
    events = hubspot.provider.parse_webhook(hubspot.delivered(HOOK))
    assert [(e.remote_id, e.change, e.into) for e in events] == [(loser, "merged", winner), (winner, "changed", "")]
