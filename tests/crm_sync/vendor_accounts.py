"""A provider connected to its fake, and the little that an engine does with it."""

import base64
import hashlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import httpx
import pytest

import crm_sync.providers
from crm_sync.providers.failures import BatchRejected
from crm_sync.providers.provider import Provider
from crm_sync.providers.remote import Remote
from crm_sync.providers.values import (
    Credential,
    Deleted,
    Kind,
    Merged,
    OAuthApp,
    Operation,
    Outcome,
    Page,
    PushItem,
    PushResult,
    RemoteRecord,
    WebhookRequest,
)
from tests.crm_sync.fakes.oauth import CLIENT_ID, CLIENT_SECRET
from tests.crm_sync.fakes.server import Fake
from vocelio.plugins import PluginError, find_plugins

# What the product ships; the engine's tests drop a provider of their own beside.
PROVIDERS = {
    slug: provider
    for slug, provider in find_plugins("crm_sync.providers", Provider).items()
    if Path(inspect.getfile(type(provider))).is_relative_to(Path(crm_sync.providers.__file__).parent)
}

APP = OAuthApp(CLIENT_ID, CLIENT_SECRET)
VERIFIER = "a-verifier-of-43-characters-or-more-as-pkce-demands"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BACK = "https://vocelio.example/v1/crm-integrations/oauth/callback"


class Spending(Remote):
    """Adds up what the calls say they spend."""

    spent: dict[str, int]

    def call(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        for window, units in (kwargs.get("spend") or {}).items():
            self.spent[window] = self.spent.get(window, 0) + units
        return super().call(method, path, **kwargs)


class VendorAccount:
    """A connection by OAuth, where the vendor has it."""

    def __init__(self, provider: Provider, fake: Fake, client: httpx.Client) -> None:
        self.provider = provider
        self.fake = fake
        self.client = client
        self.options: dict[str, str] = {}
        self.credential = self.connect()
        self.remote = self.open()

    def open(self) -> Spending:
        """Begin anew, as another process would: nothing is remembered but the credential."""
        remote = Spending(self.provider, self.client, self.credential, self.options)
        remote.spent = {}
        self.remote = remote
        return remote

    def consent(self) -> dict[str, str]:
        """Send a person to the vendor and return the query she comes back with."""
        address = self.provider.authorization_url(
            APP,
            redirect_uri=BACK,
            state="a-state",
            code_challenge=CHALLENGE,
            options=self.options,
            endpoint_url=self.fake.url,
        )
        answer = self.client.get(address)
        assert answer.status_code == 302, answer.text
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))

    def exchange(self, callback: dict[str, str], verifier: str = VERIFIER) -> Credential:
        return self.provider.exchange(
            self.client,
            APP,
            code=callback["code"],
            redirect_uri=BACK,
            code_verifier=verifier,
            callback=callback,
            options=self.options,
            endpoint_url=self.fake.url,
        )

    def connect(self) -> Credential:
        return self.exchange(self.consent())

    def use_key(self) -> None:
        self.credential = self.provider.credential_from_key(
            self.fake.key(), options=self.options, endpoint_url=self.fake.url
        )
        self.open()

    def refresh(self) -> None:
        self.credential = self.provider.refresh(self.client, APP, self.credential)
        self.remote.credential = self.credential

    # ---- reading

    def name(self, ours: str, kind: Kind = Kind.CONTACTS) -> str:
        return self.provider.types[kind].mapping[ours]

    def names(self, kind: Kind = Kind.CONTACTS) -> list[str]:
        return list(self.provider.types[kind].mapping.values())

    def pages(self, kind: Kind = Kind.CONTACTS, since: datetime | None = None) -> Iterator[Page]:
        """Read all pages, each as another process would that found the position."""
        position = ""
        for _ in range(1000):
            page = self.provider.changes(self.open(), kind, since=since, position=position, names=self.names(kind))
            yield page
            position = page.position
            if not position:
                return
        raise AssertionError("the pages never end")

    def pull(self, kind: Kind = Kind.CONTACTS, since: datetime | None = None) -> dict[str, RemoteRecord]:
        """Return what all pages hold, the last word on each record."""
        return {record.id: record for page in self.pages(kind, since) for record in page.records}

    def gone(self, kind: Kind = Kind.CONTACTS, since: datetime | None = None) -> list[Deleted | Merged]:
        """Return what `gone` tells, and what the pages of changes tell beside."""
        since = since or datetime(2026, 1, 1, tzinfo=UTC)
        found = [gone for page in self.pages(kind, since) for gone in page.gone]
        if not self.provider.types[kind].tells_gone:
            return found
        position = ""
        for _ in range(1000):
            page = self.provider.gone(self.open(), kind, since=since, position=position)
            found += page.gone
            position = page.position
            if not position:
                return found
        raise AssertionError("the pages never end")

    def all_ids(self, kind: Kind = Kind.CONTACTS) -> list[str]:
        found: list[str] = []
        position = ""
        for _ in range(1000):
            page = self.provider.ids(self.open(), kind, position=position)
            found += page.ids
            position = page.position
            if not position:
                return found
        raise AssertionError("the pages never end")

    # ---- writing

    def person(self, number: int, **changed: Any) -> PushItem:
        """Return the create of a made-up person; None leaves a value out."""
        values = {
            "firstName": f"New{number}",
            "lastName": f"Maker{number}",
            "email": f"new{number}@people.example",
            "phone": f"+1303555{number % 10_000:04}",
            **changed,
        }
        return PushItem(
            key=str(uuid4()), values={self.name(ours): value for ours, value in values.items() if value is not None}
        )

    def push(
        self, operation: Operation, items: Sequence[PushItem], kind: Kind = Kind.CONTACTS
    ) -> dict[str, PushResult]:
        """Push in batches, halving those that are refused whole."""
        results: dict[str, PushResult] = {}
        size = self.provider.types[kind].batch[operation]
        waiting = [list(items[start : start + size]) for start in range(0, len(items), size)]
        while waiting:
            batch = waiting.pop(0)
            try:
                done = self.provider.push(self.remote, kind, operation, batch, names=self.names(kind))
            except BatchRejected as rejected:
                if len(batch) == 1:
                    done = [PushResult(batch[0].key, Outcome.REJECTED, code=rejected.code, field=rejected.field)]
                else:
                    half = len(batch) // 2
                    waiting += [batch[:half], batch[half:]]
                    continue
            assert sorted(result.key for result in done) == sorted(item.key for item in batch)
            results |= {result.key: result for result in done}
        return results

    def create(self, *items: PushItem) -> list[str]:
        """Create and return the remote ids, all of which must be there."""
        results = self.push(Operation.CREATE, items)
        assert {result.outcome for result in results.values()} == {Outcome.DONE}, results
        return [results[item.key].remote_id for item in items]

    def again(self, item: PushItem) -> PushItem:
        """Return a create as the engine sends it when its outcome is not known."""
        return replace(item, attempted_at=self.fake.now)

    # ---- webhooks

    def delivered(self, url: str) -> WebhookRequest:
        """Return the fake's next webhook as our server would receive it."""
        headers, body = self.fake.webhook(self.fake.events, url)
        return WebhookRequest(
            "POST", url, {name.lower(): value for name, value in headers.items()}, body, datetime.now(UTC)
        )


def update(id: str, **values: Any) -> PushItem:
    return PushItem(key=str(uuid4()), remote_id=id, values=values)


def failure_of(account: VendorAccount, status: int, **kwargs: Any) -> PluginError:
    """Return what a read raises when the vendor answers so."""
    account.fake.fail(status, **kwargs)
    with pytest.raises(PluginError) as failure:
        account.pull()
    return failure.value
