"""HubSpot, by its date-versioned API.

https://developers.hubspot.com/docs/api-reference/2026-03: versions live 18 months, paths without a date end in 2027.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import httpx

from crm_sync.providers.failures import (
    AuthExpired,
    QuotaReached,
    TokenExpired,
    WebhookRefused,
)
from crm_sync.providers.grants import app_form, code_form, consent_url, expiry, give_back, refresh_form, request_token
from crm_sync.providers.hubspot import terms
from crm_sync.providers.hubspot.opting_out import OptingOut
from crm_sync.providers.hubspot.terms import (
    API,
    CHANGES,
    DECODED,
    OBJECTS,
    OPT_OUT,
    OPTIONAL_SCOPES,
    PAGE,
    PLANS,
    SCOPES,
)
from crm_sync.providers.provider import retry_after
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    read_body,
    read_error,
    read_objects,
)
from crm_sync.providers.values import (
    Account,
    Choice,
    Credential,
    Kind,
    Limits,
    OAuthApp,
    ObjectType,
    Operation,
    Quota,
    Setting,
    WebhookEvent,
    WebhookRequest,
    Window,
)
from vocelio.plugins import PluginError


class HubSpot(OptingOut):
    """Search finds changes and lags behind writes; writes are upserts by a unique property; merges vanish."""

    slug = "hubspot"
    label = "HubSpot"
    hosts = ("api.hubapi.com",)
    credential_kinds = ("oauth", "key")
    key_label = "Service key"
    takes_webhooks = True
    settings = (
        Setting(
            "id_property",
            "Property for Vocelio's id",
            help="A single-line text property with unique values, made by you on contacts and companies.",
            default="vocelio_id",
        ),
        Setting(
            "plan",
            "HubSpot plan",
            help="Decides how many calls a service key has.",
            default="starter",
            choices=(
                Choice("starter", "Free or Starter"),
                Choice("professional", "Professional"),
                Choice("enterprise", "Enterprise"),
            ),
        ),
        Setting("api_version", "API version", help="As in HubSpot's paths, e.g. 2026-03.", default="2026-03"),
    )
    types = {
        Kind.CONTACTS: ObjectType(
            kind=Kind.CONTACTS,
            remote_name="contacts",
            page_size=PAGE,
            fetch_size=100,
            batch={Operation.CREATE: 100, Operation.UPDATE: 100, Operation.DELETE: 100},
            mapping={
                "firstName": "firstname",
                "lastName": "lastname",
                "email": "email",
                "phone": "phone",
                "company": "company",
                "title": "jobtitle",
                "address": "address",
                "city": "city",
                "state": "state",
                "zip": "zip",
                "country": "country",
                "emailOptOut": OPT_OUT,
            },
            # The search index lags behind by minutes after bulk changes.
            overlap=600,
            creates_repeat=True,
            tells_gone=True,
        ),
        Kind.COMPANIES: ObjectType(
            kind=Kind.COMPANIES,
            remote_name="companies",
            page_size=PAGE,
            fetch_size=100,
            batch={Operation.CREATE: 100, Operation.UPDATE: 100, Operation.DELETE: 100},
            mapping={
                "name": "name",
                "domain": "domain",
                "website": "website",
                "industry": "industry",
                "phone": "phone",
                "address": "address",
                "city": "city",
                "state": "state",
                "zip": "zip",
                "country": "country",
            },
            overlap=600,
            creates_repeat=True,
            tells_gone=True,
        ),
    }

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
        page = f"{endpoint_url.rstrip('/') or 'https://app.hubspot.com'}/oauth/authorize"
        return consent_url(
            page,
            app,
            redirect_uri=redirect_uri,
            state=state,
            code_challenge=code_challenge,
            scope=" ".join(SCOPES),
            optional_scope=" ".join(OPTIONAL_SCOPES),
        )

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
        url = endpoint_url.rstrip("/") or API
        form = code_form(code, redirect_uri, code_verifier)
        return self._token(client, app, url, form, refresh_token="")

    def refresh(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> Credential:
        if credential.kind == "key":
            raise AuthExpired("HubSpot no longer accepts this service key. Paste a new one.")
        form = refresh_form(credential)
        return self._token(client, app, credential.api_url, form, refresh_token=credential.refresh_token)

    def _token(
        self, client: httpx.Client, app: OAuthApp, url: str, form: dict[str, str], *, refresh_token: str
    ) -> Credential:
        answer = request_token(
            client,
            f"{url}/oauth/2026-03/token",
            form | app_form(app),
        )
        return Credential(
            access_token=answer["access_token"],
            refresh_token=answer.get("refresh_token") or refresh_token,
            api_url=url,
            kind="oauth",
            expires_at=expiry(answer),
            scopes=tuple(answer.get("scopes") or ()),
            extra={"portal": str(answer.get("hub_id", ""))},
        )

    def revoke(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> None:
        if credential.kind == "oauth":
            form = {"token": credential.refresh_token, "token_type_hint": "refresh_token"}
            give_back(client, f"{credential.api_url}/oauth/2026-03/token/revoke", data=form | app_form(app))

    def credential_from_key(self, key: str, *, options: Mapping[str, str], endpoint_url: str = "") -> Credential:
        return Credential(access_token=key.strip(), api_url=endpoint_url.rstrip("/") or API)

    def headers(self, credential: Credential) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {credential.access_token}"}

    def test(self, remote: Remote) -> Account:
        try:
            details = read_body(remote.call("GET", f"/account-info/{terms.version(remote)}/details"))
        except TokenExpired:
            raise AuthExpired from None
        warnings = []
        for kind, described in self.types.items():
            field = self._properties(remote, kind).get(terms.id_property(remote))
            if field is None or not field.get("hasUniqueValue"):
                warnings.append(
                    f"HubSpot's {described.remote_name} have no property {terms.id_property(remote)} with unique values: "
                    "new records cannot be sent there until you make it."
                )
        if remote.credential.kind == "key":
            warnings.append("A service key gets no webhooks from HubSpot: changes are found by asking regularly.")
        portal = str(details["portalId"])
        return Account(id=portal, name=f"HubSpot {portal}", warnings=tuple(warnings))

    # ---- limits and failures

    def limits(self, credential: Credential, options: Mapping[str, str]) -> Limits:
        # Search has a budget of its own: 5 a second for the account.
        search = Window("search", 5, 1, per_call=0)
        if credential.kind == "oauth":
            return Limits((Window("burst", 110, 10), search), concurrent=5)
        burst, day = PLANS.get(options.get("plan", ""), PLANS["starter"])
        return Limits((Window("burst", burst, 10), search, Window("day", day, 86_400)), concurrent=5)

    def quotas(self, response: httpx.Response) -> Sequence[Quota]:
        pairs = (
            ("day", "x-hubspot-ratelimit-daily", "x-hubspot-ratelimit-daily-remaining"),
            ("burst", "x-hubspot-ratelimit-max", "x-hubspot-ratelimit-remaining"),
        )
        return [
            Quota(window, terms.number(response.headers.get(limit)), terms.number(response.headers[remaining]))
            for window, limit, remaining in pairs
            if remaining in response.headers
        ]

    def failure(self, response: httpx.Response) -> PluginError:
        error = read_error(response)
        if response.status_code == 429:
            if error.get("policyName") == "DAILY":
                return QuotaReached("HubSpot's calls of today are used up.", window="day")
            # Retry-After is not always sent; a search's second is over soon.
            wait = retry_after(response)
            if wait is None and error.get("policyName") == "SECONDLY":
                wait = 1.0
            return PluginError("HubSpot asks to slow down.", permanent=False, code="RATE_LIMITED", retry_after=wait)
        if response.status_code in (423, 477):
            # Locked for two seconds, or moving to another data centre.
            return PluginError(
                "HubSpot asks to wait.",
                permanent=False,
                code=f"HTTP_{response.status_code}",
                retry_after=retry_after(response) or 2.0,
            )
        if response.status_code == 403:
            return PluginError(
                "HubSpot does not let this connection do that: a scope is missing.",
                permanent=True,
                code=str(error.get("category") or "FORBIDDEN"),
            )
        return super().failure(response)

    # ---- webhooks

    def verify_webhook(self, request: WebhookRequest, *, app: OAuthApp | None, secret: str) -> None:
        """Check signature v3: HMAC over method, address, body and time, no older than five minutes."""
        signature = request.headers.get("x-hubspot-signature-v3", "")
        stamp = request.headers.get("x-hubspot-request-timestamp", "")
        if app is None or not app.client_secret or not signature or not stamp.isdigit():
            raise WebhookRefused
        age = request.received_at.timestamp() * 1000 - int(stamp)
        if abs(age) > 300_000:
            raise WebhookRefused("This webhook is too old.")
        url = re.sub("|".join(DECODED), lambda found: DECODED[found[0].upper()], request.url, flags=re.IGNORECASE)
        signed = request.method.encode() + url.encode() + request.body + stamp.encode()
        expected = base64.b64encode(hmac.new(app.client_secret.encode(), signed, hashlib.sha256).digest())
        if not hmac.compare_digest(expected, signature.encode()):
            raise WebhookRefused

    def parse_webhook(self, request: WebhookRequest) -> Sequence[WebhookEvent]:
        events = []
        for event in read_objects(request.body):
            name, _, action = str(event.get("subscriptionType", "")).partition(".")
            kind = OBJECTS.get(str(event.get("objectTypeId")) if name == "object" else name)
            change = CHANGES.get(action)
            if kind is None or change is None or not event.get("objectId"):
                continue
            # An eventId alone is not unique.
            key = ":".join(str(event.get(part, "")) for part in ("eventId", "subscriptionId", "occurredAt", "objectId"))
            at = datetime.fromtimestamp(event["occurredAt"] / 1000, UTC) if event.get("occurredAt") else None
            if change == "merged":
                into = str(event.get("newObjectId") or event.get("primaryObjectId") or event["objectId"])
                losers = {str(id) for id in (*event.get("mergedObjectIds", ()), event.get("primaryObjectId", into))}
                events += [WebhookEvent(kind, id, f"{key}:{id}", change, into, at) for id in sorted(losers - {into})]
                events.append(WebhookEvent(kind, into, f"{key}:{into}", "changed", at=at))
            else:
                events.append(WebhookEvent(kind, str(event["objectId"]), key, change, at=at))
        return events
