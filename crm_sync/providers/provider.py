"""The provider interface: everything the engine needs from a CRM vendor, and nothing of how it syncs."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import ClassVar

import httpx

from crm_sync.providers.failures import QuotaReached, TokenExpired
from crm_sync.providers.remote import Remote
from crm_sync.providers.values import (
    Account,
    Credential,
    Fetched,
    GonePage,
    IdPage,
    Kind,
    Limits,
    OAuthApp,
    ObjectType,
    Operation,
    Page,
    PushItem,
    PushResult,
    Quota,
    RemoteField,
    RemoteRecord,
    Setting,
    Subscription,
    WebhookEvent,
    WebhookRequest,
)
from vocelio.plugins import Plugin, PluginError


class Provider(Plugin):
    """A CRM vendor. Stateless: one instance serves every organization, and everything it knows comes as arguments.

    Methods that take a `Remote` make calls; the engine has limited, authorized and guarded them, and holds no
    transaction meanwhile. Failures are the classes of failures.py or PluginError, nothing else. `names` are the
    vendor's field names to read; ids are compared as text, never as numbers.
    """

    label: ClassVar[str]
    # Names that calls may go to: exact, or ".vendor.com" for all below it. `endpointUrl` must be among them.
    hosts: ClassVar[tuple[str, ...]]
    types: ClassVar[Mapping[Kind, ObjectType]]
    # What a connection may be made with: "oauth", "key" or both; the first is recommended.
    credential_kinds: ClassVar[tuple[str, ...]]
    # What the vendor calls a pasted key, e.g. "Service key".
    key_label: ClassVar[str] = ""
    settings: ClassVar[tuple[Setting, ...]] = ()
    # Whether verify_webhook works, and whether subscribe makes the webhook (else a person does, at the vendor's).
    takes_webhooks: ClassVar[bool] = False
    subscribes: ClassVar[bool] = False

    # ---- access

    def authorization_url(
        self,
        app: OAuthApp,
        *,
        redirect_uri: str,
        state: str,
        code_challenge: str,
        options: Mapping[str, str],
        endpoint_url: str = "",
    ) -> str:
        """Return where the person's browser goes to consent (PKCE: S256). `endpoint_url` stands in for all hosts."""
        raise PluginError(f"{self.label} is not connected by OAuth.", permanent=True, code="NO_OAUTH")

    def exchange(
        self,
        client: httpx.Client,
        app: OAuthApp,
        *,
        code: str,
        redirect_uri: str,
        code_verifier: str,
        callback: Mapping[str, str],
        options: Mapping[str, str],
        endpoint_url: str = "",
    ) -> Credential:
        """Turn the code into a credential. `callback` is the whole query of the redirect (Zoho names its centre there)."""
        raise PluginError(f"{self.label} is not connected by OAuth.", permanent=True, code="NO_OAUTH")

    def refresh(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> Credential:
        """Return a fresh credential; the engine holds the account's lock and stores it before it is used.

        Raise AuthExpired when the vendor refuses the refresh token, a temporary PluginError when it cannot say.
        A vendor that keeps the old refresh token gets it carried over by the adapter.
        """
        raise PluginError(f"{self.label} has nothing to refresh.", permanent=True, code="NO_REFRESH")

    def revoke(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> None:
        """Give the grant back to the vendor when a connection is deleted, where it can be."""

    @abstractmethod
    def credential_from_key(self, key: str, *, options: Mapping[str, str], endpoint_url: str = "") -> Credential:
        """Return the credential of a pasted key; makes no call."""

    @abstractmethod
    def headers(self, credential: Credential) -> Mapping[str, str]:
        """Return the headers that authorize a call."""

    @abstractmethod
    def test(self, remote: Remote) -> Account:
        """Prove that the credential works and say whose account it is; raise AuthExpired when it does not."""

    # ---- reading

    @abstractmethod
    def fields(self, remote: Remote, kind: Kind) -> Sequence[RemoteField]:
        """Return every field of the object that can be read."""

    @abstractmethod
    def changes(
        self, remote: Remote, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]
    ) -> Page:
        """Return the page at `position` ("" for the first) of what changed at or after `since`, or of all when None.

        Every record changed at or after `since` and not changed again meanwhile is on some page, at least once, also
        when records change while pages are read, share one timestamp in any number, or exceed the vendor's cap on
        results. A position survives the process: the engine stores it and goes on from it hours later, or is told
        PositionLost. An empty page with a position is not the end.
        """

    def gone(self, remote: Remote, kind: Kind, *, since: datetime, position: str) -> GonePage:
        """Return a page of what was deleted or merged since, where the type `tells_gone`; HistoryGone when unknown."""
        raise PluginError(f"{self.label} does not list deletions.", permanent=True, code="NOT_TOLD")

    @abstractmethod
    def fetch(self, remote: Remote, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        """Read these records (at most `fetch_size`) as they are now, past any lagging index."""

    @abstractmethod
    def ids(self, remote: Remote, kind: Kind, *, position: str) -> IdPage:
        """Return a page of the ids of all records that exist, as cheaply as the vendor allows."""

    def count(self, remote: Remote, kind: Kind, *, since: datetime | None) -> int | None:
        """Return how many records `changes` will read, if one cheap call tells; None otherwise."""
        return None

    # ---- writing

    @abstractmethod
    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        """Write one batch (at most `batch[operation]`) and return one result for each item, in any order.

        Values are the changed ones alone; None empties a field. `names` are the fields to tell in `record`.
        Raise BatchRejected when the vendor refused all for the sake of one and wrote nothing, OutcomeUnknown when it
        did not answer. Where a batch is several calls (no batch endpoint), results of calls that were answered are
        returned and the rest have the outcome RETRY; OutcomeUnknown then is for a batch of one.
        """

    @abstractmethod
    def find(
        self, remote: Remote, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        """Return, by item key, the record that an earlier create of the item made, or that is the same by e-mail.

        Must be certain: where the vendor's search lags behind its writes and nothing was found, raise a temporary
        PluginError with `retry_after` until `attempted_at` is further back than the lag.
        """

    # ---- limits and failures

    @abstractmethod
    def limits(self, credential: Credential, options: Mapping[str, str]) -> Limits:
        """Return what the vendor allows this account."""

    def cost(self, kind: Kind, operation: Operation, count: int) -> Mapping[str, int]:
        """Return what writing `count` records will spend, by unit ("requests", "tokens", ...), shown before a push."""
        return {"requests": -(-count // self.types[kind].batch[operation])}

    def quotas(self, response: httpx.Response) -> Sequence[Quota]:
        """Return what an answer's headers say about quotas."""
        return ()

    def failure(self, response: httpx.Response) -> PluginError:
        """Return the failure that an answer of 3xx, 4xx or 5xx means. Vendors refine this; it quotes no body."""
        status = response.status_code
        if status == 401:
            return TokenExpired()
        if status == 429:
            wait = retry_after(response)
            if wait is not None and wait > 120:
                return QuotaReached(resets_at=datetime.fromtimestamp(datetime.now(UTC).timestamp() + wait, UTC))
            return PluginError("The CRM asks to slow down.", permanent=False, code="RATE_LIMITED", retry_after=wait)
        if status >= 500 or status == 408:
            return PluginError(
                "The CRM has a problem of its own.",
                permanent=False,
                code=f"HTTP_{status}",
                retry_after=retry_after(response),
            )
        return PluginError(f"The CRM refused the request ({status}).", permanent=True, code=f"HTTP_{status}")

    # ---- webhooks

    def verify_webhook(self, request: WebhookRequest, *, app: OAuthApp | None, secret: str) -> None:
        """Raise WebhookRefused unless the vendor sent this, lately. `secret` is the one given to `subscribe`."""
        raise PluginError(f"{self.label} sends no webhooks.", permanent=True, code="NO_WEBHOOKS")

    def parse_webhook(self, request: WebhookRequest) -> Sequence[WebhookEvent]:
        """Return the events of a verified webhook; unknown ones are left out."""
        return ()

    def subscribe(self, remote: Remote, *, url: str, secret: str, current: Subscription | None) -> Subscription:
        """Make, or renew, the webhook that calls `url`; the vendor will prove itself by `secret`."""
        raise PluginError(f"{self.label} takes no subscriptions.", permanent=True, code="NO_WEBHOOKS")

    def unsubscribe(self, remote: Remote, subscription: Subscription) -> None:
        """Remove the webhook; one that is gone already is no failure."""


def retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that Retry-After asks for, given as seconds or as a date; None without it."""
    value = response.headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
