"""What one vendor alone does, and its adapter handles. The name of each test is the trap.

HubSpot: a service key without webhooks; versions as dates; two names for the time of change; search with a cap of
10,000, one sort, ids in the order of text, short and empty pages, a lag and a budget of its own; archived and merged
records that search hides; upserts by a property of our own; 207 or a whole batch refused; three kinds of 429;
signatures of version 3. Salesforce: refresh tokens of one use; equal times of whole seconds; wide rows; a log of
deletions that ends; merge losers; deleted records on write; row locks; one type that refuses all; 403 for a quota;
no webhooks; external ids. Pipedrive: tokens; two kinds of 429; cursors that are forgotten; no list of deletions;
merges in webhooks; Basic; no upsert; lists written whole; one name; options by number. Zoho: a header of its own;
data centres; errors with 200; ten tokens in ten minutes; twenty refresh tokens; 401 for a scope; two kinds of 429;
ends of pages and of page tokens; fifty fields; credits; outcomes of rows; short tokens and channels that end; times
in the zone of the org.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from crm_sync.providers.failures import (
    AuthExpired,
    BatchRejected,
    HistoryGone,
    PositionLost,
    QuotaReached,
    WebhookRefused,
)
from crm_sync.providers.values import (
    Deleted,
    FieldType,
    Kind,
    Merged,
    Operation,
    Outcome,
    PushItem,
    Values,
    WebhookRequest,
)
from tests.crm_sync.fakes import pipedrive as pipedrive_fake
from tests.crm_sync.fakes.hubspot import FakeHubSpot
from tests.crm_sync.fakes.pipedrive import FakePipedrive
from tests.crm_sync.fakes.salesforce import FakeSalesforce
from tests.crm_sync.fakes.zoho import FakeZoho
from tests.crm_sync.vendor_accounts import APP, PROVIDERS, VendorAccount
from vocelio.plugins import PluginError

HOOK = "https://vocelio.example/v1/webhooks/crm/a%3Atoken"


class HubSpotAccount(VendorAccount):
    fake: FakeHubSpot


class SalesforceAccount(VendorAccount):
    fake: FakeSalesforce


class PipedriveAccount(VendorAccount):
    fake: FakePipedrive


class ZohoAccount(VendorAccount):
    fake: FakeZoho


@pytest.fixture
def hubspot(vendor: Callable[..., Any]) -> HubSpotAccount:
    return vendor("hubspot")


@pytest.fixture
def salesforce(vendor: Callable[..., Any]) -> SalesforceAccount:
    return vendor("salesforce")


@pytest.fixture
def pipedrive(vendor: Callable[..., Any]) -> PipedriveAccount:
    return vendor("pipedrive")


@pytest.fixture
def zoho(vendor: Callable[..., Any]) -> ZohoAccount:
    return vendor("zoho")


def update(id: str, **values: Any) -> PushItem:
    return PushItem(key=str(uuid4()), remote_id=id, values=values)


def failure_of(account: VendorAccount, status: int, **kwargs: Any) -> PluginError:
    """Return what a read raises when the vendor answers so."""
    account.fake.fail(status, **kwargs)
    with pytest.raises(PluginError) as failure:
        account.pull()
    return failure.value


# ---- HubSpot


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
    assert not fields["hs_email_optout"].is_writable


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


# ---- Salesforce


def test_salesforce_a_refresh_token_serves_once_and_the_next_is_kept(salesforce: SalesforceAccount) -> None:
    before = salesforce.credential
    salesforce.refresh()
    assert salesforce.credential.refresh_token != before.refresh_token
    with pytest.raises(AuthExpired):
        salesforce.provider.refresh(salesforce.client, APP, before)
    salesforce.refresh()


def test_salesforce_logs_in_where_the_person_says_but_at_salesforce(salesforce: SalesforceAccount) -> None:
    def host(name: str) -> str:
        return salesforce.provider.authorization_url(
            APP, redirect_uri="https://x.example", state="s", code_challenge="c", options={"login_host": name}
        ).partition("/services")[0]

    assert host("") == "https://login.salesforce.com"
    assert host("https://acme--dev.sandbox.my.salesforce.com/") == "https://acme--dev.sandbox.my.salesforce.com"
    for bad in ("evil.example", "salesforce.com.evil.example", "evil.example/.salesforce.com", "evilsalesforce.com"):
        with pytest.raises(PluginError):
            host(bad)


@pytest.mark.parametrize("since", [None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_salesforce_wide_rows_come_in_small_answers(salesforce: SalesforceAccount, since: datetime | None) -> None:
    salesforce.fake.frozen = salesforce.fake.now
    everybody = salesforce.fake.add_people(100)
    salesforce.fake.wide_rows = 30
    assert set(salesforce.pull(since=since)) == set(everybody)
    # No locator is needed, so none can be forgotten.
    assert salesforce.fake.calls["query_more"] == 0
    assert set(salesforce.all_ids()) == set(everybody)
    found = salesforce.provider.fetch(salesforce.remote, Kind.CONTACTS, ids=everybody, names=salesforce.names())
    assert len(found.records) == 100


def test_salesforce_the_log_of_deletions_may_have_been_emptied(salesforce: SalesforceAccount) -> None:
    (id,) = salesforce.fake.add_people(1)
    since = salesforce.fake.now
    salesforce.fake.delete(id)
    salesforce.fake.advance(600)
    assert [gone.id for gone in salesforce.gone(since=since)] == [id]
    salesforce.fake.log_since = salesforce.fake.now
    with pytest.raises(HistoryGone):
        salesforce.gone(since=since)
    salesforce.fake.log_since = since - timedelta(days=100)
    for days in (16, 31):
        with pytest.raises(HistoryGone):
            salesforce.provider.gone(salesforce.remote, Kind.CONTACTS, since=since - timedelta(days=days), position="")


def test_salesforce_many_deletions_come_page_by_page(salesforce: SalesforceAccount) -> None:
    since = salesforce.fake.now
    everybody = salesforce.fake.add_people(2100)
    for id in everybody:
        salesforce.fake.delete(id)
    salesforce.fake.advance(120)
    assert {gone.id for gone in salesforce.gone(since=since)} == set(everybody)


def test_salesforce_merge_losers_name_their_master_though_deleted_and_purged_ones_do_not(
    salesforce: SalesforceAccount,
) -> None:
    loser, winner, deleted, purged = salesforce.fake.add_people(4)
    since = salesforce.fake.now
    salesforce.fake.merge(loser, winner)
    salesforce.fake.delete(deleted)
    salesforce.fake.delete(purged)
    salesforce.fake.purge(purged)
    salesforce.fake.advance(120)
    told = {gone.id: gone for gone in salesforce.gone(since=since)}
    assert set(told) == {loser, deleted, purged}
    assert told[loser] == Merged(loser, winner, told[loser].at)
    assert isinstance(told[deleted], Deleted)
    found = salesforce.provider.fetch(salesforce.remote, Kind.CONTACTS, ids=[loser, purged], names=salesforce.names())
    assert [getattr(gone, "into", "") for gone in found.gone] == [winner, ""]


def test_salesforce_a_deleted_record_on_write_is_looked_up(salesforce: SalesforceAccount) -> None:
    loser, winner, deleted, here = salesforce.fake.add_people(4)
    salesforce.fake.merge(loser, winner)
    salesforce.fake.delete(deleted)
    items = [update(id, FirstName="Changed") for id in (loser, deleted, here)]
    results = salesforce.push(Operation.UPDATE, items)
    assert [(results[item.key].outcome, results[item.key].remote_id) for item in items] == [
        (Outcome.MERGED, winner),
        (Outcome.GONE, deleted),
        (Outcome.DONE, here),
    ]


def test_salesforce_a_locked_row_alone_is_tried_again(salesforce: SalesforceAccount) -> None:
    locked, free = salesforce.fake.add_people(2)
    salesforce.fake.locked = {locked}
    items = [update(locked, FirstName="A"), update(free, FirstName="B")]
    results = salesforce.push(Operation.UPDATE, items)
    assert [results[item.key].outcome for item in items] == [Outcome.RETRY, Outcome.DONE]


def test_salesforce_a_value_of_the_wrong_type_refuses_all_and_is_found_by_halving(
    salesforce: SalesforceAccount,
) -> None:
    items = [salesforce.person(number) for number in range(10)]
    bad = PushItem(str(uuid4()), {**salesforce.person(11).values, "DoNotCall": "yes"})
    results = salesforce.push(Operation.CREATE, [*items, bad])
    assert (results[bad.key].outcome, results[bad.key].code) == (Outcome.REJECTED, "JSON_PARSER_ERROR")
    assert salesforce.fake.creates == 10


def test_salesforce_success_is_told_row_by_row_with_the_field(salesforce: SalesforceAccount) -> None:
    bad = salesforce.person(1, lastName=None)
    long = salesforce.person(2, firstName="x" * 81)
    good = salesforce.person(3)
    results = salesforce.push(Operation.CREATE, [bad, long, good])
    assert (results[bad.key].outcome, results[bad.key].field) == (Outcome.REJECTED, "LastName")
    assert (results[long.key].code, results[long.key].field) == ("STRING_TOO_LONG", "FirstName")
    assert results[good.key].outcome is Outcome.DONE


def test_salesforce_duplicate_rules_are_told_as_such(salesforce: SalesforceAccount) -> None:
    salesforce.fake.duplicate_rule = True
    (there,) = salesforce.fake.add_people(1)
    item = salesforce.person(1, email="person1@people.example")
    assert salesforce.push(Operation.CREATE, [item])[item.key].outcome is Outcome.DUPLICATE
    found = salesforce.provider.find(salesforce.remote, Kind.CONTACTS, [item], names=salesforce.names())
    assert found[item.key].id == there


def test_salesforce_without_the_external_id_field_sends_nothing_and_says_so(salesforce: SalesforceAccount) -> None:
    salesforce.fake.has_id_field = False
    assert len(salesforce.provider.test(salesforce.remote).warnings) == 2
    with pytest.raises(PluginError) as refused:
        salesforce.push(Operation.CREATE, [salesforce.person(1)])
    assert (refused.value.permanent, refused.value.code) == (True, "ID_FIELD_MISSING")
    assert salesforce.fake.creates == 0


def test_salesforce_403_is_the_quota_or_too_many_at_once_or_a_refusal(salesforce: SalesforceAccount) -> None:
    def told(message: str, code: str = "REQUEST_LIMIT_EXCEEDED") -> PluginError:
        return failure_of(salesforce, 403, body=[{"errorCode": code, "message": message}])

    day = told("TotalRequests Limit exceeded.")
    assert isinstance(day, QuotaReached)
    assert day.window == "day"
    busy = told("ConcurrentRequests (Concurrent API Requests) Limit exceeded.")
    assert (busy.permanent, busy.code) == (False, "RATE_LIMITED")
    assert told("no", "API_DISABLED_FOR_ORG").permanent


def test_salesforce_tells_its_quota_and_we_take_few_of_the_25_places(salesforce: SalesforceAccount) -> None:
    answer = salesforce.remote.call("GET", "/services/data/v64.0/")
    (quota,) = salesforce.provider.quotas(answer)
    assert (quota.window, quota.limit) == ("day", 100_000)
    assert quota.remaining is not None
    assert quota.remaining < 100_000
    assert salesforce.provider.limits(salesforce.credential, {}).concurrent < 25


def test_salesforce_queries_take_no_more_than_names_and_values(salesforce: SalesforceAccount) -> None:
    for name in ("Id FROM User", "Name, (SELECT Id FROM Cases)", "'x'", ""):
        with pytest.raises(PluginError) as refused:
            salesforce.provider.changes(salesforce.remote, Kind.CONTACTS, since=None, position="", names=[name])
        assert refused.value.permanent
    assert salesforce.fake.calls["query"] == 0
    salesforce.fake.add_people(2)
    item = PushItem(str(uuid4()), {"Email": "x' OR Email != '\\"})
    assert salesforce.provider.find(salesforce.remote, Kind.CONTACTS, [item], names=["Email"]) == {}


def test_salesforce_sends_no_webhooks(salesforce: SalesforceAccount) -> None:
    assert not salesforce.provider.takes_webhooks
    request = WebhookRequest("POST", HOOK, {}, b"{}", datetime.now(UTC))
    with pytest.raises(PluginError):
        salesforce.provider.verify_webhook(request, app=APP, secret="s")


def test_salesforce_the_name_of_the_account_is_read_and_never_written(salesforce: SalesforceAccount) -> None:
    account = salesforce.fake.add({"Name": "Acme"}, "companies")
    id = salesforce.fake.add({"LastName": "Miller", "AccountId": account})
    assert salesforce.pull()[id].values["Account.Name"] == "Acme"
    fields = {field.name: field for field in salesforce.provider.fields(salesforce.remote, Kind.CONTACTS)}
    assert not fields["Account.Name"].is_writable
    assert "MailingAddress" not in fields


# ---- Pipedrive


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


# ---- Zoho


def test_zoho_has_a_scheme_of_its_own_in_the_header(zoho: ZohoAccount) -> None:
    assert zoho.provider.headers(zoho.credential)["Authorization"].startswith("Zoho-oauthtoken ")


def test_zoho_people_come_back_to_their_own_data_centre(zoho: ZohoAccount) -> None:
    provider = zoho.provider

    def url(centre: str) -> str:
        return provider.authorization_url(
            APP, redirect_uri="https://x.example", state="s", code_challenge="c", options={"data_centre": centre}
        )

    assert url("eu").startswith("https://accounts.zoho.eu/oauth/v2/auth?")
    assert url("au").startswith("https://accounts.zoho.com.au/")
    assert "access_type=offline" in url("us")

    asked: list[str] = []

    class Recorder:
        def post(self, url: str, **kwargs: Any) -> Any:
            asked.append(url)
            raise AuthExpired

    for callback in ({"accounts-server": "https://accounts.zoho.in"}, {"location": "in"}):
        with pytest.raises(AuthExpired):
            provider.exchange(
                Recorder(),  # type: ignore[arg-type]
                APP,
                code="c",
                redirect_uri="https://x.example",
                code_verifier="v",
                callback=callback,
                options={"data_centre": "us"},
            )
    assert asked == ["https://accounts.zoho.in/oauth/v2/token"] * 2
    with pytest.raises(AuthExpired):
        provider.exchange(
            zoho.client,
            APP,
            code="c",
            redirect_uri="https://x.example",
            code_verifier="v",
            callback={"accounts-server": "https://accounts.zoho.com.evil.example"},
            options={},
        )


def test_zoho_refuses_with_status_200(zoho: ZohoAccount) -> None:
    zoho.fake.revoke()
    answer = zoho.client.post(
        f"{zoho.fake.url}/oauth/v2/token",
        data={
            "grant_type": "refresh_token",
            "refresh_token": "r",
            "client_id": "client-id",
            "client_secret": "client-secret",
        },
    )
    assert answer.status_code == 200
    with pytest.raises(AuthExpired):
        zoho.refresh()


def test_zoho_an_eleventh_token_in_ten_minutes_ends_no_connection(zoho: ZohoAccount) -> None:
    for _ in range(10):
        zoho.refresh()
    with pytest.raises(PluginError) as slow:
        zoho.refresh()
    assert (slow.value.permanent, slow.value.code) == (False, "RATE_LIMITED")
    assert slow.value.retry_after == 600
    zoho.fake.advance(601)
    zoho.refresh()


def test_zoho_connecting_again_and_again_does_not_end_the_first_connection(zoho: ZohoAccount) -> None:
    for _ in range(25):
        zoho.provider.revoke(zoho.client, APP, zoho.connect())
    zoho.refresh()
    # Without giving the tokens back it would have.
    for _ in range(25):
        zoho.connect()
    with pytest.raises(AuthExpired):
        zoho.refresh()


def test_zoho_401_may_be_a_missing_scope_that_no_refresh_mends(zoho: ZohoAccount) -> None:
    refused = failure_of(zoho, 401, body={"code": "OAUTH_SCOPE_MISMATCH"})
    assert (refused.permanent, refused.code) == (True, "OAUTH_SCOPE_MISMATCH")


def test_zoho_one_status_for_credits_and_for_too_many_at_once(vendor: Callable[..., Any]) -> None:
    account = vendor("zoho", limits=True)
    busy = failure_of(account, 429, body={"code": "TOO_MANY_REQUESTS"})
    assert (busy.code, busy.retry_after) == ("RATE_LIMITED", None)
    account.fake.limits["credits"].amount = 0
    with pytest.raises(QuotaReached) as spent:
        account.pull()
    assert spent.value.window == "credits"


def test_zoho_pages_neither_end_at_two_thousand_nor_expire_overnight(zoho: ZohoAccount) -> None:
    everybody = zoho.fake.add_people(4100)
    since = zoho.fake.now - timedelta(days=1)
    found = set()
    for page in zoho.pages(since=since):
        found |= {record.id for record in page.records}
        zoho.fake.advance(25 * 3600)
        zoho.refresh()
    assert found == set(everybody)
    assert set(zoho.all_ids()) == found


def test_zoho_many_deletions_go_on_by_token_which_lives_a_day(zoho: ZohoAccount) -> None:
    since = zoho.fake.now
    everybody = zoho.fake.add_people(2300)
    for id in everybody:
        zoho.fake.delete(id)
    assert {gone.id for gone in zoho.gone(since=since)} == set(everybody)
    page = zoho.provider.gone(zoho.remote, Kind.CONTACTS, since=since, position="")
    zoho.fake.advance(25 * 3600)
    zoho.refresh()
    with pytest.raises(PositionLost):
        zoho.provider.gone(zoho.remote, Kind.CONTACTS, since=since, position=page.position)


def test_zoho_more_than_fifty_fields_are_read_in_parts(zoho: ZohoAccount) -> None:
    extra = {f"Extra_{number}": f"value {number}" for number in range(60)}
    id = zoho.fake.add({"Last_Name": "Miller", **extra})
    zoho.fake.add_people(150)
    names = [*zoho.names(), *extra]
    page = zoho.provider.changes(zoho.remote, Kind.CONTACTS, since=None, position="", names=names)
    (record,) = [record for record in page.records if record.id == id]
    assert {name: record.values[name] for name in extra} == extra
    (found,) = zoho.provider.fetch(zoho.remote, Kind.CONTACTS, ids=[id], names=names).records
    assert {name: found.values[name] for name in extra} == extra
    assert found == record


def test_zoho_credits_are_spent_as_stated(vendor: Callable[..., Any]) -> None:
    account = vendor("zoho", limits=True)
    account.provider.fields(account.remote, Kind.CONTACTS)
    limit = account.fake.limits["credits"]
    before = limit.total
    items = [account.person(number) for number in range(95)]
    account.create(*items)
    # 10 for the rows, 1 to read them back.
    assert limit.total - before == 11
    assert account.provider.cost(Kind.CONTACTS, Operation.CREATE, 95)["credits"] == 11
    assert account.remote.spent["credits"] == 10
    before = limit.total
    account.pull()
    assert account.remote.spent["credits"] == 3
    assert limit.total - before == 3 + 1


def test_zoho_tells_its_credits_when_half_are_gone(vendor: Callable[..., Any]) -> None:
    account = vendor("zoho", limits=True)
    assert account.provider.quotas(account.remote.call("GET", "/crm/v8/org")) == ()
    account.fake.limits["credits"].amount = 4
    (quota,) = account.provider.quotas(account.remote.call("GET", "/crm/v8/org"))
    assert (quota.window, quota.remaining) == ("credits", 2)


def test_zoho_rows_are_answered_one_by_one_whatever_the_status(zoho: ZohoAccount) -> None:
    bad, good = zoho.person(1, lastName=None), zoho.person(2)
    results = zoho.push(Operation.CREATE, [bad, good])
    assert (results[bad.key].outcome, results[bad.key].field) == (Outcome.REJECTED, "Last_Name")
    assert results[good.key].outcome is Outcome.DONE
    # With status 400, as all of them failed.
    assert zoho.push(Operation.CREATE, [bad])[bad.key].outcome is Outcome.REJECTED
    zoho.fake.unique_email = True
    twin = zoho.person(2)
    result = zoho.push(Operation.CREATE, [twin])[twin.key]
    assert (result.outcome, result.remote_id) == (Outcome.DUPLICATE, zoho.fake.live()[0].id)


def test_zoho_without_the_unique_field_sends_nothing_and_says_so(zoho: ZohoAccount) -> None:
    zoho.fake.has_id_field = False
    assert len(zoho.provider.test(zoho.remote).warnings) == 2
    with pytest.raises(PluginError) as refused:
        zoho.push(Operation.CREATE, [zoho.person(1)])
    assert refused.value.code == "ID_FIELD_MISSING"
    assert zoho.fake.creates == 0


def test_zoho_the_token_is_short_and_the_channel_ends_and_is_renewed(zoho: ZohoAccount) -> None:
    secret = "s" * 80
    made = zoho.provider.subscribe(zoho.remote, url=HOOK, secret=secret, current=None)
    (channel,) = zoho.fake.channels.values()
    assert len(channel["token"]) <= 50
    assert secret not in json.dumps(channel)
    assert made.expires_at is not None
    assert timedelta(days=6) < made.expires_at - datetime.now(UTC) <= timedelta(days=7)
    zoho.fake.advance(8 * 86_400)
    assert zoho.fake.webhook_urls() == []
    zoho.fake.advance(-8 * 86_400)
    again = zoho.provider.subscribe(zoho.remote, url=HOOK, secret=secret, current=made)
    assert again.id == made.id
    assert len(zoho.fake.channels) == 1


def test_zoho_times_are_those_of_the_org_and_ours_are_utc(zoho: ZohoAccount) -> None:
    zoho.fake.frozen = datetime(2026, 11, 1, 20, 0, 5, tzinfo=UTC)
    zoho.refresh()
    (id,) = zoho.fake.add_people(1)
    record = zoho.pull()[id]
    assert re.fullmatch(r"2026-11-02T01:30:05\+05:30", record.version)
    assert record.changed_at == datetime(2026, 11, 1, 20, 0, 5, tzinfo=UTC)
    assert set(zoho.pull(since=datetime(2026, 11, 1, 20, 0, 5, tzinfo=UTC))) == {id}
    assert zoho.pull(since=datetime(2026, 11, 1, 20, 0, 6, tzinfo=UTC)) == {}


def test_zoho_the_name_of_the_account_is_read_and_never_written(zoho: ZohoAccount) -> None:
    account = zoho.fake.add({"Account_Name": "Acme"}, "companies")
    id = zoho.fake.add({"Last_Name": "Miller", "Account_Name": account})
    name = zoho.name("company")
    assert zoho.pull()[id].values[name] == "Acme"
    (found,) = zoho.provider.fetch(zoho.remote, Kind.CONTACTS, ids=[id], names=[name, "Account_Name"]).records
    assert dict(found.values) == {name: "Acme", "Account_Name": account}
    fields = {field.name: field for field in zoho.provider.fields(zoho.remote, Kind.CONTACTS)}
    assert not fields[name].is_writable
