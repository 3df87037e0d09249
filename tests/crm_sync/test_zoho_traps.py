"""What Zoho alone does, and its adapter handles. The name of each test is the trap.

A header of its own; data centres; errors with 200; ten tokens in ten minutes; twenty refresh tokens; 401 for a
scope; two kinds of 429; ends of pages and of page tokens; fifty fields; credits; outcomes of rows; short tokens and
channels that end; times in the zone of the org.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from crm_sync.providers.failures import (
    AuthExpired,
    PositionLost,
    QuotaReached,
)
from crm_sync.providers.values import (
    Kind,
    Operation,
    Outcome,
)
from tests.crm_sync.fakes.zoho import FakeZoho
from tests.crm_sync.vendor_accounts import APP, VendorAccount, failure_of
from vocelio.plugins import PluginError

HOOK = "https://vocelio.example/v1/webhooks/crm/a%3Atoken"


class ZohoAccount(VendorAccount):
    fake: FakeZoho


@pytest.fixture
def zoho(vendor: Callable[..., Any]) -> ZohoAccount:
    return vendor("zoho")


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


def test_zoho_what_left_the_recycle_bin_is_told_too(zoho: ZohoAccount) -> None:
    since = zoho.fake.now
    binned, purged, _ = zoho.fake.add_people(3)
    zoho.fake.delete(binned)
    zoho.fake.delete(purged)
    zoho.fake.purge(purged)
    assert {gone.id for gone in zoho.gone(since=since)} == {binned, purged}


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
