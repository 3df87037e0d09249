"""What every CRM provider promises, against a fake of its vendor.

A provider found by find_plugins is tested here by being found: it needs tests/crm_sync/fakes/<slug>.py and nothing
else. What one vendor alone does wrong is in test_provider_traps.py.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from crm_sync.providers.failures import AuthExpired, OutcomeUnknown, TokenExpired, WebhookRefused
from crm_sync.providers.values import Deleted, Kind, Operation, Outcome, PushItem, RemoteRecord, WebhookRequest
from tests.crm_sync.vendor_accounts import APP, PROVIDERS, VendorAccount
from vocelio.outbound import check_address
from vocelio.plugins import PluginError

HOOK = "https://vocelio.example/v1/webhooks/crm/a-token-nobody-guesses"
BOTH = pytest.mark.parametrize("kind", [Kind.CONTACTS, Kind.COMPANIES])


@pytest.fixture(params=sorted(PROVIDERS))
def account(request: pytest.FixtureRequest, vendor: Callable[..., VendorAccount]) -> VendorAccount:
    return vendor(request.param)


@pytest.mark.parametrize("slug", sorted(PROVIDERS))
def test_a_provider_says_what_it_handles(slug: str) -> None:
    provider = PROVIDERS[slug]
    assert provider.label
    assert set(provider.credential_kinds) <= {"oauth", "key"}
    assert provider.key_label or "key" not in provider.credential_kinds
    for kind, type in provider.types.items():
        assert type.kind is kind
        assert set(type.batch) == set(Operation)
        assert min(*type.batch.values(), type.page_size, type.fetch_size) > 0
    assert {"firstName", "lastName", "email", "phone"} <= set(provider.types[Kind.CONTACTS].mapping)


def test_a_person_connects_by_consent(account: VendorAccount) -> None:
    callback = account.consent()
    assert callback["state"] == "a-state"
    credential = account.exchange(callback)
    assert (credential.kind, credential.api_url) == ("oauth", account.fake.url)
    found = account.provider.test(account.remote)
    assert found.id
    assert found.id == account.provider.test(account.open()).id


def test_a_code_serves_once(account: VendorAccount) -> None:
    callback = account.consent()
    account.exchange(callback)
    with pytest.raises(AuthExpired):
        account.exchange(callback)


def test_a_code_caught_on_the_way_is_worth_nothing(account: VendorAccount) -> None:
    with pytest.raises(AuthExpired):
        account.exchange(account.consent(), verifier="somebody-elses-verifier-of-43-characters-or-more")


def test_credentials_hide_their_secrets(account: VendorAccount) -> None:
    shown = repr(account.credential) + repr(APP)
    assert account.credential.access_token not in shown
    assert account.credential.refresh_token not in shown
    assert APP.client_secret not in shown


def test_calls_go_to_the_vendor_alone(account: VendorAccount) -> None:
    made = account.provider
    address = made.authorization_url(
        APP, redirect_uri="https://x.example/", state="s", code_challenge="c" * 43, options={}
    )
    assert address.startswith("https://")
    if "key" in made.credential_kinds:
        check_address(made.credential_from_key("k", options={}).api_url, made.hosts)


def test_a_pasted_key_works_where_there_are_keys(account: VendorAccount) -> None:
    if "key" not in account.provider.credential_kinds:
        with pytest.raises(PluginError) as refused:
            account.provider.credential_from_key("a-key", options={})
        assert refused.value.permanent
        return
    account.use_key()
    assert account.provider.test(account.remote).id
    account.fake.revoke()
    with pytest.raises(AuthExpired):
        account.provider.test(account.remote)
    with pytest.raises(AuthExpired):
        account.provider.refresh(account.client, APP, account.credential)


def test_an_expired_token_is_told_and_the_read_goes_on_after_a_refresh(account: VendorAccount) -> None:
    account.fake.add_people(5)
    account.fake.expire_tokens()
    with pytest.raises(TokenExpired):
        account.pull()
    account.refresh()
    assert len(account.pull()) == 5
    account.fake.expire_tokens()
    account.refresh()
    assert len(account.pull()) == 5


def test_a_token_that_ends_between_two_pages_loses_no_page(account: VendorAccount) -> None:
    everybody = account.fake.add_people(account.provider.types[Kind.CONTACTS].page_size + 3)
    page = account.provider.changes(account.remote, Kind.CONTACTS, since=None, position="", names=account.names())
    account.fake.expire_after = 0
    with pytest.raises(TokenExpired):
        account.provider.changes(
            account.open(), Kind.CONTACTS, since=None, position=page.position, names=account.names()
        )
    account.refresh()
    rest = account.provider.changes(
        account.open(), Kind.CONTACTS, since=None, position=page.position, names=account.names()
    )
    assert {record.id for record in (*page.records, *rest.records)} == set(everybody)


def test_a_grant_given_back_is_one_the_vendor_no_longer_knows(account: VendorAccount) -> None:
    for _ in range(2):
        account.provider.revoke(account.client, APP, account.credential)
        assert account.fake.grants == {}


def test_a_revoked_grant_needs_a_person(account: VendorAccount) -> None:
    account.fake.revoke()
    with pytest.raises(AuthExpired):
        account.refresh()
    with pytest.raises(AuthExpired):
        account.provider.test(account.remote)


def test_a_log_in_server_in_trouble_ends_no_connection(account: VendorAccount) -> None:
    account.fake.fail(503, operation="token")
    with pytest.raises(PluginError) as busy:
        account.refresh()
    assert not busy.value.permanent
    account.fake.drop(operation="token")
    with pytest.raises(PluginError) as silent:
        account.refresh()
    assert not silent.value.permanent
    account.refresh()


@BOTH
def test_mapped_fields_exist(account: VendorAccount, kind: Kind) -> None:
    fields = {field.name: field for field in account.provider.fields(account.remote, kind)}
    assert set(account.names(kind)) <= set(fields)
    assert len(fields) == len(account.provider.fields(account.remote, kind))
    if kind is Kind.CONTACTS:
        assert fields[account.name("email")].is_writable


@BOTH
def test_a_full_read_finds_everything(account: VendorAccount, kind: Kind) -> None:
    everybody = account.fake.add_people(account.provider.types[kind].page_size + 7, str(kind))
    account.fake.delete(everybody.pop(), str(kind))
    found = account.pull(kind)
    assert set(found) == set(everybody)
    assert set(account.all_ids(kind)) == set(everybody)
    assert account.provider.count(account.remote, kind, since=None) in (None, len(everybody))


def test_values_come_by_their_names_and_absent_ones_as_none(account: VendorAccount) -> None:
    (id,) = account.fake.add_people(1)
    record = account.pull()[id]
    assert set(record.values) == set(account.names())
    assert record.values[account.name("firstName")] == "Person1"
    assert record.values[account.name("email")] == "person1@people.example"
    assert record.values[account.name("phone")] == "+12025550001"
    assert record.changed_at == account.fake.records["contacts"][id].changed_at
    bare = account.provider.types[Kind.CONTACTS].mapping.get("title")
    assert bare is None or record.values[bare] is None


@BOTH
def test_an_incremental_read_finds_what_changed_since_and_at_that_moment(account: VendorAccount, kind: Kind) -> None:
    old = account.fake.add_people(5, str(kind))
    account.fake.advance(1200)
    account.fake.frozen = account.fake.now
    changed = [*account.fake.add_people(2, str(kind)), old[0]]
    account.fake.edit(old[0], account.fake.sample(99, str(kind)), str(kind))
    since = account.fake.frozen
    account.fake.advance(60)
    assert set(account.pull(kind, since)) == set(changed)
    assert account.provider.count(account.remote, kind, since=since) in (None, 3)
    assert account.pull(kind, since + timedelta(seconds=30)) == {}


def test_any_number_of_records_may_share_one_moment(account: VendorAccount) -> None:
    account.fake.frozen = account.fake.now
    since = account.fake.frozen
    everybody = account.fake.add_people(2 * account.provider.types[Kind.CONTACTS].page_size + 450)
    account.fake.frozen = None
    account.fake.advance(1200)
    later = account.fake.add_people(3)
    assert set(account.pull(since=since)) == {*everybody, *later}


@pytest.mark.parametrize("is_full", [True, False])
def test_records_that_change_while_pages_are_read_are_not_missed(account: VendorAccount, is_full: bool) -> None:
    since = account.fake.now - timedelta(hours=1)
    everybody = []
    # Of the last hour, so that what changes meanwhile is later.
    account.fake.frozen = since
    for _ in range(6):
        account.fake.advance(60)
        everybody += account.fake.add_people(account.provider.types[Kind.CONTACTS].page_size // 2)
    account.fake.frozen = None
    first, last = everybody[0], everybody[-1]
    found: dict[str, RemoteRecord] = {}
    newest = []
    for number, page in enumerate(account.pages(since=None if is_full else since)):
        found |= {record.id: record for record in page.records}
        newest.append(page.newest)
        if number == 0:
            account.fake.edit(first, account.fake.sample(7001, "contacts"))
            account.fake.edit(last, account.fake.sample(7002, "contacts"))
            account.fake.edit(everybody[1], account.fake.sample(7003, "contacts"))
    assert set(found) == set(everybody)
    assert found[last].values[account.name("firstName")] == "Person7002"
    # What this run did not see, the next one does, which begins where this one's pages vouch for.
    vouched = max(moment for moment in newest if moment)
    overlap = timedelta(seconds=account.provider.types[Kind.CONTACTS].overlap)
    found |= account.pull(since=vouched - overlap)
    assert found[first].values[account.name("firstName")] == "Person7001"
    assert found[everybody[1]].values[account.name("firstName")] == "Person7003"


def test_reading_by_id_tells_what_became_of_each(account: VendorAccount) -> None:
    here, deleted, loser, winner = account.fake.add_people(4)
    account.fake.delete(deleted)
    account.fake.merge(loser, winner)
    ids = [here, deleted, loser, winner]
    found = account.provider.fetch(account.remote, Kind.CONTACTS, ids=ids, names=account.names())
    assert {record.id for record in found.records} == {here, winner}
    gone = {gone.id: gone for gone in found.gone}
    assert set(gone) == {deleted, loser}
    assert isinstance(gone[deleted], Deleted)
    # Some vendors do not say where a merged record lives on; none may say something else.
    told = gone[loser]
    assert isinstance(told, Deleted) or told.into == winner


def test_deletions_are_told_where_the_vendor_tells_them(account: VendorAccount) -> None:
    kept, deleted = account.fake.add_people(2)
    since = account.fake.now
    account.fake.delete(deleted)
    account.fake.advance(120)
    if account.provider.types[Kind.CONTACTS].tells_gone:
        assert {gone.id for gone in account.gone(since=since)} == {deleted}
        assert account.gone(since=account.fake.now) == []
    else:
        with pytest.raises(PluginError):
            account.provider.gone(account.remote, Kind.CONTACTS, since=since, position="")
    assert account.all_ids() == [kept]


def test_a_restored_record_comes_back_with_the_changes(account: VendorAccount) -> None:
    (id,) = account.fake.add_people(1)
    account.fake.delete(id)
    account.fake.advance(600)
    since = account.fake.now
    assert account.pull(since=since) == {}
    account.fake.restore(id)
    assert set(account.pull(since=since)) == {id}


def test_what_is_created_is_there_with_its_values(account: VendorAccount) -> None:
    items = [account.person(number) for number in range(5)]
    ids = account.create(*items)
    assert len(set(ids)) == 5
    found = account.pull()
    for item, id in zip(items, ids, strict=True):
        assert {name: found[id].values[name] for name in item.values} == item.values


def test_a_write_tells_what_the_vendor_stored(account: VendorAccount) -> None:
    item = account.person(1, firstName="  Spaced  ")
    result = account.push(Operation.CREATE, [item])[item.key]
    assert result.record is not None
    assert result.record.values[account.name("firstName")] == "Spaced"
    assert result.record == account.pull()[result.remote_id]


def test_a_change_touches_its_own_values_alone_and_none_empties(account: VendorAccount) -> None:
    (id,) = account.create(account.person(1))
    change = PushItem(key=str(uuid4()), remote_id=id, values={account.name("phone"): None})
    assert account.push(Operation.UPDATE, [change])[change.key].outcome is Outcome.DONE
    change = PushItem(key=str(uuid4()), remote_id=id, values={account.name("lastName"): "Changed"})
    assert account.push(Operation.UPDATE, [change])[change.key].outcome is Outcome.DONE
    values = account.pull()[id].values
    assert values[account.name("lastName")] == "Changed"
    assert values[account.name("firstName")] == "New1"
    assert values[account.name("email")] == "new1@people.example"
    assert values[account.name("phone")] is None


def test_a_create_sent_twice_makes_one_record_where_that_is_promised(account: VendorAccount) -> None:
    item = account.person(1)
    first = account.create(item)
    if account.provider.types[Kind.CONTACTS].creates_repeat:
        assert account.create(item) == first
        assert account.fake.creates == 1
    found = account.provider.find(account.remote, Kind.CONTACTS, [item], names=account.names())
    assert found[item.key].id == first[0]


@pytest.mark.parametrize("email", ["new1@people.example", None])
def test_a_create_without_an_answer_is_neither_lost_nor_doubled(account: VendorAccount, email: str | None) -> None:
    item = account.person(1, email=email)
    account.provider.fields(account.remote, Kind.CONTACTS)
    account.fake.drop(after=True)
    with pytest.raises(OutcomeUnknown):
        account.push(Operation.CREATE, [item])
    if account.provider.types[Kind.CONTACTS].creates_repeat:
        account.create(item)
    else:
        attempted = account.again(item)
        found = account.provider.find(account.remote, Kind.CONTACTS, [attempted], names=account.names())
        assert found[item.key].id == account.fake.live()[0].id
    assert account.fake.creates == 1
    assert len(account.fake.live()) == 1


def test_a_lost_connection_before_the_write_says_that_nothing_is_known(account: VendorAccount) -> None:
    (id,) = account.create(account.person(1))
    change = PushItem(key=str(uuid4()), remote_id=id, values={account.name("email"): "other@people.example"})
    for write in ("batch_update", "update_records", "change_record"):
        account.fake.drop(operation=write)
    with pytest.raises(OutcomeUnknown):
        account.push(Operation.UPDATE, [change])
    assert account.push(Operation.UPDATE, [change])[change.key].outcome is Outcome.DONE


def test_a_bad_row_keeps_no_good_one_back(account: VendorAccount) -> None:
    items = [account.person(number) for number in range(9)]
    bad = account.person(9, email="no e-mail address")
    results = account.push(Operation.CREATE, [*items[:4], bad, *items[4:]])
    assert results[bad.key].outcome is Outcome.REJECTED
    assert results[bad.key].code
    assert {results[item.key].outcome for item in items} == {Outcome.DONE}
    assert account.fake.creates == 9


def test_a_change_of_a_lost_record_says_so_and_the_others_go_through(account: VendorAccount) -> None:
    here, deleted = account.create(account.person(1), account.person(2))
    account.fake.delete(deleted)
    items = [
        PushItem(key=str(uuid4()), remote_id=id, values={account.name("lastName"): "Changed"}) for id in (deleted, here)
    ]
    results = account.push(Operation.UPDATE, items)
    assert results[items[0].key].outcome is Outcome.GONE
    assert results[items[1].key].outcome is Outcome.DONE
    assert account.pull()[here].values[account.name("lastName")] == "Changed"


def test_a_deletion_may_be_repeated(account: VendorAccount) -> None:
    (id,) = account.create(account.person(1))
    item = PushItem(key=str(uuid4()), remote_id=id)
    assert account.push(Operation.DELETE, [item])[item.key].outcome is Outcome.DONE
    assert account.fake.live() == []
    assert account.push(Operation.DELETE, [item])[item.key].outcome in (Outcome.DONE, Outcome.GONE)


def test_a_person_who_is_there_already_is_found_by_e_mail(account: VendorAccount) -> None:
    account.fake.add_people(3)
    items = [
        PushItem(key=str(uuid4()), values={account.name("email"): "PERSON2@people.example"}),
        PushItem(key=str(uuid4()), values={account.name("email"): "nobody@people.example"}),
        PushItem(key=str(uuid4()), values={account.name("lastName"): "Nobody"}),
    ]
    found = account.provider.find(account.remote, Kind.CONTACTS, items, names=account.names())
    assert set(found) == {items[0].key}
    assert found[items[0].key].values[account.name("firstName")] == "Person2"


def test_companies_are_written_as_well(account: VendorAccount) -> None:
    item = PushItem(key=str(uuid4()), values={account.name("name", Kind.COMPANIES): "Vocelio Ltd"})
    result = account.push(Operation.CREATE, [item], Kind.COMPANIES)[item.key]
    assert result.outcome is Outcome.DONE
    change = PushItem(
        key=item.key, remote_id=result.remote_id, values={account.name("name", Kind.COMPANIES): "Vocelio Inc"}
    )
    assert account.push(Operation.UPDATE, [change], Kind.COMPANIES)[item.key].outcome is Outcome.DONE
    record = account.pull(Kind.COMPANIES)[result.remote_id]
    assert record.values[account.name("name", Kind.COMPANIES)] == "Vocelio Inc"
    assert account.push(Operation.DELETE, [change], Kind.COMPANIES)[item.key].outcome is Outcome.DONE
    assert account.pull(Kind.COMPANIES) == {}


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [(429, {"Retry-After": "7"}, 7), (429, {}, None), (500, {}, None), (503, {"Retry-After": "3"}, 3)],
)
def test_trouble_that_passes_is_told_as_such(
    account: VendorAccount, status: int, headers: dict[str, str], wait: float | None
) -> None:
    account.fake.fail(status, headers=headers)
    with pytest.raises(PluginError) as busy:
        account.pull()
    assert (busy.value.permanent, busy.value.retry_after) == (False, wait)
    assert account.pull() == {}


def test_a_gateways_word_about_a_write_is_no_answer(account: VendorAccount) -> None:
    item = account.person(1)
    account.provider.fields(account.remote, Kind.CONTACTS)
    account.fake.fail(502)
    with pytest.raises(OutcomeUnknown):
        account.push(Operation.CREATE, [item])


def test_an_answer_that_is_no_json_is_trouble_that_passes(account: VendorAccount) -> None:
    account.provider.fields(account.remote, Kind.CONTACTS)
    account.fake.fail(502, body="<html>")
    with pytest.raises(PluginError) as strange:
        account.pull()
    assert not strange.value.permanent


def test_limits_and_costs_are_stated(account: VendorAccount) -> None:
    limits = account.provider.limits(account.credential, {})
    assert limits.concurrent > 0
    assert all(window.amount > 0 and window.seconds > 0 for window in limits.windows)
    for kind in account.provider.types:
        for operation in Operation:
            cost = account.provider.cost(kind, operation, 1000)
            assert cost["requests"] >= 1000 / account.provider.types[kind].batch[operation]


def test_failures_hold_no_values_and_no_secret(account: VendorAccount) -> None:
    told = f"person person1@people.example {account.credential.access_token}"
    for status in (400, 401, 403, 404, 409, 422, 429, 500):
        account.fake.fail(status, body={"message": told, "error": told, "code": told[:10], "category": "X"})
        with pytest.raises(PluginError) as failure:
            account.pull()
        assert "people.example" not in str(failure.value)
        assert account.credential.access_token not in str(failure.value)


def test_webhooks_are_proven_and_name_their_records(account: VendorAccount) -> None:
    provider = account.provider
    secret = "a-webhook-secret-that-is-longer-than-fifty-characters-to-see-what-happens"
    if not provider.takes_webhooks:
        with pytest.raises(PluginError):
            provider.subscribe(account.remote, url=HOOK, secret=secret, current=None)
        return
    subscription = None
    if provider.subscribes:
        subscription = provider.subscribe(account.remote, url=HOOK, secret=secret, current=None)
        assert provider.subscribe(account.remote, url=HOOK, secret=secret, current=subscription).id == subscription.id
    (id,) = account.fake.add_people(1)
    request = account.delivered(HOOK)
    provider.verify_webhook(request, app=APP, secret=secret)
    (event,) = provider.parse_webhook(request)
    assert (event.kind, event.remote_id, event.change) == (Kind.CONTACTS, id, "changed")
    assert provider.parse_webhook(request)[0].key == event.key
    account.fake.events.clear()
    account.fake.delete(id)
    (gone,) = provider.parse_webhook(account.delivered(HOOK))
    assert (gone.remote_id, gone.change) == (id, "deleted")
    assert gone.key != event.key
    if subscription:
        provider.unsubscribe(account.remote, subscription)
        provider.unsubscribe(account.remote, subscription)
        assert account.fake.webhook_urls() == []


def test_webhooks_that_prove_nothing_are_refused(account: VendorAccount) -> None:
    provider = account.provider
    if not provider.takes_webhooks:
        return
    if provider.subscribes:
        provider.subscribe(account.remote, url=HOOK, secret="right", current=None)
    account.fake.add_people(1)
    request = account.delivered(HOOK)
    provider.verify_webhook(request, app=APP, secret="right")
    forged = type(request)(request.method, request.url, {}, b"{}", request.received_at)
    with pytest.raises(WebhookRefused):
        provider.verify_webhook(forged, app=APP, secret="right")
    with pytest.raises(WebhookRefused):
        provider.verify_webhook(forged, app=None, secret="")
    if provider.subscribes:
        with pytest.raises(WebhookRefused):
            provider.verify_webhook(request, app=APP, secret="wrong")


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"{}", b'{"meta": 3}', b'[{"objectId": 3}]', b"null"])
def test_nonsense_in_a_webhook_is_no_event(account: VendorAccount, body: bytes) -> None:
    told = WebhookRequest("POST", HOOK, {}, body, datetime.now(UTC))
    assert tuple(account.provider.parse_webhook(told)) == ()
