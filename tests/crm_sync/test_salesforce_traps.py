"""What Salesforce alone does, and its adapter handles. The name of each test is the trap.

Refresh tokens of one use; equal times of whole seconds; wide rows; a log of deletions that ends; merge losers;
deleted records on write; row locks; one type that refuses all; 403 for a quota; no webhooks; external ids.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from crm_sync.providers.failures import (
    AuthExpired,
    HistoryGone,
    QuotaReached,
)
from crm_sync.providers.values import (
    Deleted,
    Kind,
    Merged,
    Operation,
    Outcome,
    PushItem,
    WebhookRequest,
)
from tests.crm_sync.fakes.salesforce import FakeSalesforce
from tests.crm_sync.vendor_accounts import APP, VendorAccount, failure_of, update
from vocelio.plugins import PluginError

HOOK = "https://vocelio.example/v1/webhooks/crm/a%3Atoken"


class SalesforceAccount(VendorAccount):
    fake: FakeSalesforce


@pytest.fixture
def salesforce(vendor: Callable[..., Any]) -> SalesforceAccount:
    return vendor("salesforce")


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
