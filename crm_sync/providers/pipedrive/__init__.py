"""Pipedrive, by version 2 of its API.

https://developers.pipedrive.com/docs/api/v1 (v2 operations of persons, organizations and fields): calls are paid in
tokens of a daily budget, there is no batch write, no upsert and no external id.
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence

import httpx

from crm_sync.providers.failures import (
    AuthExpired,
    QuotaReached,
    TokenExpired,
    WebhookRefused,
)
from crm_sync.providers.grants import code_form, consent_url, expiry, give_back, refresh_form, request_token
from crm_sync.providers.pipedrive import terms
from crm_sync.providers.pipedrive.terms import (
    API,
    BUDGET,
    ENTITIES,
    GET,
    LIST,
    LOGIN,
    OPT_OUT,
    PAGE,
    PLANS,
    REMOVE,
    USER,
    WRITE,
)
from crm_sync.providers.pipedrive.writing import Writing
from crm_sync.providers.provider import retry_after
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    read_body,
    read_error,
    read_objects,
    read_time,
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
    Subscription,
    WebhookEvent,
    WebhookRequest,
    Window,
)
from vocelio.plugins import PluginError


class Pipedrive(Writing):
    """Creates are sent one by one and never again without a look; deletions are told by webhooks alone."""

    slug = "pipedrive"
    label = "Pipedrive"
    hosts = ("api.pipedrive.com", "oauth.pipedrive.com", ".pipedrive.com")
    credential_kinds = ("oauth", "key")
    key_label = "API token"
    takes_webhooks = True
    subscribes = True
    settings = (
        Setting(
            "plan",
            "Pipedrive plan",
            help="Decides the tokens of a day and the calls of a second.",
            default="lite",
            choices=(
                Choice("lite", "Lite"),
                Choice("growth", "Growth"),
                Choice("premium", "Premium"),
                Choice("ultimate", "Ultimate"),
            ),
        ),
        Setting("seats", "Seats", help="The daily tokens count per seat.", default="1"),
        Setting(
            "id_field",
            "Field for Vocelio's id (optional)",
            help="The API key (40 characters) of a text field on persons. With it a new person whose sending was "
            "interrupted is known again even without an e-mail address.",
        ),
    )
    types = {
        Kind.CONTACTS: ObjectType(
            kind=Kind.CONTACTS,
            remote_name="persons",
            page_size=PAGE,
            fetch_size=100,
            batch={Operation.CREATE: 1, Operation.UPDATE: 20, Operation.DELETE: 20},
            mapping={
                "firstName": "first_name",
                "lastName": "last_name",
                "email": "email",
                "phone": "phone",
                "emailOptOut": OPT_OUT,
            },
        ),
        Kind.COMPANIES: ObjectType(
            kind=Kind.COMPANIES,
            remote_name="organizations",
            page_size=PAGE,
            fetch_size=100,
            batch={Operation.CREATE: 1, Operation.UPDATE: 20, Operation.DELETE: 20},
            mapping={"name": "name", "address": "address"},
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
        # Scopes are those of the app's registration; Pipedrive knows no PKCE and ignores the challenge.
        page = f"{endpoint_url.rstrip('/') or LOGIN}/oauth/authorize"
        return consent_url(
            page, app, redirect_uri=redirect_uri, state=state, code_challenge=code_challenge, response_type="code"
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
        form = code_form(code, redirect_uri, code_verifier)
        return self._token(client, app, endpoint_url.rstrip("/") or LOGIN, form)

    def refresh(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> Credential:
        if credential.kind == "key":
            raise AuthExpired("Pipedrive no longer accepts this API token. Paste a new one.")
        form = refresh_form(credential)
        return self._token(client, app, credential.extra["login"], form, credential)

    def _token(
        self,
        client: httpx.Client,
        app: OAuthApp,
        login: str,
        form: dict[str, str],
        before: Credential | None = None,
    ) -> Credential:
        answer = request_token(
            client, f"{login}/oauth/token", form, basic=httpx.BasicAuth(app.client_id, app.client_secret)
        )
        return Credential(
            access_token=answer["access_token"],
            refresh_token=answer.get("refresh_token") or (before.refresh_token if before else ""),
            api_url=str(answer.get("api_domain") or (before.api_url if before else API)).rstrip("/"),
            kind="oauth",
            expires_at=expiry(answer),
            scopes=tuple(str(answer.get("scope", "")).replace(",", " ").split()),
            extra={"login": login},
        )

    def revoke(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> None:
        if credential.kind == "key":
            return
        give_back(
            client,
            f"{credential.extra['login']}/oauth/revoke",
            data={"token": credential.refresh_token},
            auth=(app.client_id, app.client_secret),
        )

    def credential_from_key(self, key: str, *, options: Mapping[str, str], endpoint_url: str = "") -> Credential:
        return Credential(access_token=key.strip(), api_url=endpoint_url.rstrip("/") or API)

    def headers(self, credential: Credential) -> Mapping[str, str]:
        if credential.kind == "key":
            return {"x-api-token": credential.access_token}
        return {"Authorization": f"Bearer {credential.access_token}"}

    def test(self, remote: Remote) -> Account:
        try:
            answer = remote.call("GET", "/api/v1/users/me", spend={"day": 2})
        except TokenExpired:
            raise AuthExpired from None
        me = read_body(answer)["data"]
        warnings = []
        budget = self._budget(remote.options)
        warnings.append(
            f"Pipedrive allows {budget:,} tokens a day on this plan: about {budget // WRITE:,} records can be sent in "
            "a day, each by a call of its own."
        )
        id_field = remote.options.get("id_field")
        if id_field and id_field not in self._fields(remote, Kind.CONTACTS):
            warnings.append("Pipedrive's persons have no field with the API key given for Vocelio's id.")
        return Account(id=str(me["company_id"]), name=str(me.get("company_name", "")), warnings=tuple(warnings))

    # ---- limits and failures

    def limits(self, credential: Credential, options: Mapping[str, str]) -> Limits:
        _, by_token, by_oauth = PLANS.get(options.get("plan", ""), PLANS["lite"])
        burst = by_oauth if credential.kind == "oauth" else by_token
        return Limits(
            (
                Window("burst", burst, 2),
                Window("search", 10, 2, per_call=0),
                Window("day", self._budget(options), 86_400, unit="tokens", per_call=LIST),
            ),
            concurrent=4,
        )

    @staticmethod
    def _budget(options: Mapping[str, str]) -> int:
        seats = options.get("seats") or "1"
        multiplier = PLANS.get(options.get("plan", ""), PLANS["lite"])[0]
        return BUDGET * multiplier * max(1, int(seats) if seats.isdigit() else 1)

    def cost(self, kind: Kind, operation: Operation, count: int) -> Mapping[str, int]:
        match operation:
            case Operation.CREATE:
                return {"requests": count, "tokens": count * WRITE}
            case Operation.UPDATE:
                # At most: a name, an e-mail address or a phone is read before it is changed.
                return {"requests": 2 * count, "tokens": count * (WRITE + GET)}
        return {"requests": count, "tokens": count * REMOVE}

    def quotas(self, response: httpx.Response) -> Sequence[Quota]:
        found = []
        for window, prefix in (("burst", "x-ratelimit"), ("day", "x-daily-ratelimit-token")):
            remaining = response.headers.get(f"{prefix}-remaining", "")
            if remaining.isdigit():
                limit = response.headers.get(f"{prefix}-limit", "")
                found.append(Quota(window, int(limit) if limit.isdigit() else None, int(remaining)))
        return found

    def failure(self, response: httpx.Response) -> PluginError:
        if response.status_code == 429:
            # One status for the burst of two seconds and for the tokens of the day.
            spent = response.headers.get("x-daily-ratelimit-token-remaining") == "0"
            if spent or "daily" in str(read_error(response).get("error", "")).lower():
                return QuotaReached(
                    "Pipedrive's tokens of today are used up.", window="day", resets_at=terms.midnight()
                )
            wait = retry_after(response)
            if wait is None:
                reset = response.headers.get("x-ratelimit-reset", "")
                wait = float(reset) if re.fullmatch(r"\d{1,3}", reset) else None
            if wait is None or wait <= 120:
                return PluginError(
                    "Pipedrive asks to slow down.", permanent=False, code="RATE_LIMITED", retry_after=wait
                )
        return super().failure(response)

    # ---- webhooks

    def verify_webhook(self, request: WebhookRequest, *, app: OAuthApp | None, secret: str) -> None:
        """Check the password: Pipedrive signs nothing."""
        expected = base64.b64encode(f"{USER}:{secret}".encode())
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if not secret or scheme.lower() != "basic" or not hmac.compare_digest(expected, given.strip().encode()):
            raise WebhookRefused

    def parse_webhook(self, request: WebhookRequest) -> Sequence[WebhookEvent]:
        meta = next((told.get("meta") for told in read_objects(request.body)), None)
        if not isinstance(meta, dict):
            return ()
        kind = ENTITIES.get(str(meta.get("entity")))
        if kind is None or not meta.get("entity_id"):
            return ()
        id, action, into = str(meta["entity_id"]), str(meta.get("action")), str(meta.get("merged_to_id") or "")
        change = "merged" if into else "deleted" if action == "delete" else "changed"
        # One event has one id, whatever the attempt.
        key = f"{meta.get('id', '')}:{meta.get('timestamp', '')}:{action}:{id}"
        return (WebhookEvent(kind, id, key, change, into, read_time(meta.get("timestamp"))),)

    def subscribe(self, remote: Remote, *, url: str, secret: str, current: Subscription | None) -> Subscription:
        if current is not None:
            return current
        made = []
        for name in ENTITIES:
            answer = remote.call(
                "POST",
                "/api/v1/webhooks",
                json={
                    "subscription_url": url,
                    "event_action": "*",
                    "event_object": name,
                    "http_auth_user": USER,
                    "http_auth_password": secret,
                    "version": "2.0",
                },
                spend={"day": LIST},
                writes=True,
            )
            made.append(str(read_body(answer)["data"]["id"]))
        return Subscription(",".join(made))

    def unsubscribe(self, remote: Remote, subscription: Subscription) -> None:
        for id in subscription.id.split(","):
            remote.call("DELETE", f"/api/v1/webhooks/{id}", spend={"day": REMOVE}, writes=True, accept=(403, 404, 410))
