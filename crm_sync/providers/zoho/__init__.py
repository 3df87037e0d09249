"""Zoho CRM, by version 8 of its API.

https://www.zoho.com/crm/developer/docs/api/v8/: an account lives in one data centre with hosts of its own, calls are
paid in credits of rolling 24 hours, and refusals come with every status there is, 200 included.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from crm_sync.providers.failures import AuthExpired, QuotaReached, TokenExpired, WebhookRefused
from crm_sync.providers.grants import app_form, code_form, consent_url, expiry, give_back, refresh_form, request_token
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
    Subscription,
    WebhookEvent,
    WebhookRequest,
    Window,
)
from crm_sync.providers.zoho import terms
from crm_sync.providers.zoho.terms import (
    ACCOUNT_NAME,
    BATCH,
    CENTRES,
    CHANNEL,
    CRM,
    EDITIONS,
    MODULES,
    PAGE,
    ROWS,
    ROWS_PER_CREDIT,
    SCOPES,
)
from crm_sync.providers.zoho.writing import Writing
from vocelio.plugins import PluginError


class Zoho(Writing):
    """Reads by queries from key to key, upserts by a unique field, renews its webhook every week."""

    slug = "zoho"
    label = "Zoho CRM"
    hosts = tuple(
        host
        for accounts, api in CENTRES.values()
        for host in (accounts.removeprefix("https://"), api.removeprefix("https://www"))
    )
    credential_kinds = ("oauth",)
    takes_webhooks = True
    subscribes = True
    settings = (
        Setting(
            "data_centre",
            "Data centre",
            help="Where you log in: zoho.com, zoho.eu, ...",
            default="us",
            choices=(
                Choice("us", "United States (zoho.com)"),
                Choice("eu", "Europe (zoho.eu)"),
                Choice("in", "India (zoho.in)"),
                Choice("au", "Australia (zoho.com.au)"),
                Choice("jp", "Japan (zoho.jp)"),
                Choice("ca", "Canada (zohocloud.ca)"),
                Choice("sa", "Saudi Arabia (zoho.sa)"),
                Choice("cn", "China (zoho.com.cn)"),
            ),
        ),
        Setting(
            "edition",
            "Edition",
            help="Decides the credits of a day.",
            default="standard",
            choices=tuple(Choice(name, name.title()) for name in EDITIONS),
        ),
        Setting(
            "id_field",
            "Field for Vocelio's id",
            help="API name of a single-line field that does not allow duplicates, made by you on contacts and accounts.",
            default="Vocelio_Id",
        ),
    )
    types = {
        Kind.CONTACTS: ObjectType(
            kind=Kind.CONTACTS,
            remote_name="Contacts",
            page_size=PAGE,
            fetch_size=ROWS,
            batch=BATCH,
            mapping={
                "firstName": "First_Name",
                "lastName": "Last_Name",
                "email": "Email",
                "phone": "Phone",
                "company": ACCOUNT_NAME,
                "title": "Title",
                "address": "Mailing_Street",
                "city": "Mailing_City",
                "state": "Mailing_State",
                "zip": "Mailing_Zip",
                "country": "Mailing_Country",
                "notes": "Description",
                "emailOptOut": "Email_Opt_Out",
            },
            creates_repeat=True,
            tells_gone=True,
        ),
        Kind.COMPANIES: ObjectType(
            kind=Kind.COMPANIES,
            remote_name="Accounts",
            page_size=PAGE,
            fetch_size=ROWS,
            batch=BATCH,
            mapping={
                "name": "Account_Name",
                "website": "Website",
                "industry": "Industry",
                "phone": "Phone",
                "address": "Billing_Street",
                "city": "Billing_City",
                "state": "Billing_State",
                "zip": "Billing_Code",
                "country": "Billing_Country",
            },
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
        accounts = endpoint_url.rstrip("/") or terms.centre(options.get("data_centre", ""))[0]
        return consent_url(
            f"{accounts}/oauth/v2/auth",
            app,
            redirect_uri=redirect_uri,
            state=state,
            code_challenge=code_challenge,
            response_type="code",
            scope=",".join(SCOPES),
            # Without these two there is no refresh token, or none the second time.
            access_type="offline",
            prompt="consent",
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
        if endpoint_url:
            accounts = api = endpoint_url.rstrip("/")
        else:
            accounts, api = self._centre_of(callback, options)
        form = code_form(code, redirect_uri, code_verifier)
        return self._token(client, app, accounts, form, api_url=api, refresh_token="")

    @staticmethod
    def _centre_of(callback: Mapping[str, str], options: Mapping[str, str]) -> tuple[str, str]:
        """Return the person's own data centre: it says so itself when she came back, whatever was chosen before."""
        named = callback.get("accounts-server", "").rstrip("/")
        for accounts, api in CENTRES.values():
            if named == accounts:
                return accounts, api
        if named:
            raise AuthExpired("Zoho named a log-in server that is none of its own.")
        return terms.centre(callback.get("location") or options.get("data_centre", ""))

    def refresh(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> Credential:
        form = refresh_form(credential)
        return self._token(
            client,
            app,
            credential.extra["accounts"],
            form,
            api_url=credential.api_url,
            refresh_token=credential.refresh_token,
        )

    def _token(
        self,
        client: httpx.Client,
        app: OAuthApp,
        accounts: str,
        form: dict[str, str],
        *,
        api_url: str,
        refresh_token: str,
    ) -> Credential:
        answer = request_token(client, f"{accounts}/oauth/v2/token", form | app_form(app))
        return Credential(
            access_token=answer["access_token"],
            # One refresh token for good.
            refresh_token=answer.get("refresh_token") or refresh_token,
            api_url=str(answer.get("api_domain") or api_url).rstrip("/"),
            kind="oauth",
            expires_at=expiry(answer),
            scopes=tuple(str(answer.get("scope", "")).replace(",", " ").split()),
            extra={"accounts": accounts},
        )

    def revoke(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> None:
        """Give the refresh token back: a user has 20, and the 21st silently ends the first."""
        url = f"{credential.extra['accounts']}/oauth/v2/token/revoke"
        give_back(client, url, params={"token": credential.refresh_token})

    def credential_from_key(self, key: str, *, options: Mapping[str, str], endpoint_url: str = "") -> Credential:
        raise PluginError("Zoho is connected by OAuth alone.", permanent=True, code="NO_KEY")

    def headers(self, credential: Credential) -> Mapping[str, str]:
        return {"Authorization": f"Zoho-oauthtoken {credential.access_token}"}

    def test(self, remote: Remote) -> Account:
        try:
            found = read_body(remote.call("GET", f"{CRM}/org"))["org"][0]
        except TokenExpired:
            raise AuthExpired from None
        warnings = []
        for kind, described in self.types.items():
            field = self._described(remote, kind).get(terms.id_field(remote), {})
            if not field.get("unique"):
                warnings.append(
                    f"{described.remote_name} have no field {terms.id_field(remote)} without duplicates: new records cannot "
                    "be sent there until you make it."
                )
        id = str(found.get("zgid") or found["id"])
        return Account(id=id, name=str(found.get("company_name", "")), warnings=tuple(warnings))

    # ---- limits and failures

    def limits(self, credential: Credential, options: Mapping[str, str]) -> Limits:
        credits, at_once = EDITIONS.get(options.get("edition", ""), EDITIONS["standard"])
        # Queries and writes of many rows have ten places of their own; others share the account's places too.
        window = Window("credits", credits, 86_400, unit="credits")
        return Limits((window,), concurrent=max(2, min(10, at_once) // 2))

    def cost(self, kind: Kind, operation: Operation, count: int) -> Mapping[str, int]:
        calls = -(-count // ROWS)
        read_back = 0 if operation is Operation.DELETE else calls
        return {"requests": calls + read_back, "credits": -(-count // ROWS_PER_CREDIT) + read_back}

    def quotas(self, response: httpx.Response) -> Sequence[Quota]:
        # Told only when half of the credits are gone.
        remaining = response.headers.get("x-api-credits-remaining", "")
        return (Quota("credits", None, int(remaining)),) if remaining.isdigit() else ()

    def failure(self, response: httpx.Response) -> PluginError:
        code = str(read_error(response).get("code", ""))
        if response.status_code == 401 and code in ("OAUTH_SCOPE_MISMATCH", "AUTHORIZATION_FAILED", "NO_PERMISSION"):
            return PluginError("The connection lacks a scope of Zoho's: connect it again.", permanent=True, code=code)
        if response.status_code == 429 or code == "TOO_MANY_REQUESTS":
            # One status for the credits of 24 hours and for too many calls at once; never with Retry-After.
            if code in ("API_LIMIT_EXCEEDED", "LIMIT_EXCEEDED", "CREDITS_EXHAUSTED") or (
                response.headers.get("x-api-credits-remaining") == "0"
            ):
                return QuotaReached("Zoho's credits of the last 24 hours are used up.", window="credits")
            return PluginError(
                "Zoho asks to slow down.", permanent=False, code="RATE_LIMITED", retry_after=retry_after(response)
            )
        if response.status_code < 500 and code and response.status_code not in (401, 408):
            return PluginError(f"Zoho refused the request ({code}).", permanent=True, code=code)
        return super().failure(response)

    # ---- webhooks

    def verify_webhook(self, request: WebhookRequest, *, app: OAuthApp | None, secret: str) -> None:
        """Check the token that Zoho repeats: it signs nothing."""
        given = str(next(iter(read_objects(request.body)), {}).get("token", ""))
        if not secret or not hmac.compare_digest(terms.token(secret).encode(), given.encode()):
            raise WebhookRefused

    def parse_webhook(self, request: WebhookRequest) -> Sequence[WebhookEvent]:
        told = next(iter(read_objects(request.body)), {})
        kind = MODULES.get(str(told.get("module")))
        if kind is None:
            return ()
        stamp = told.get("server_time")
        at = datetime.fromtimestamp(stamp / 1000, UTC) if isinstance(stamp, (int, float)) else None
        change = "deleted" if told.get("operation") == "delete" else "changed"
        key = f"{told.get('channel_id')}:{stamp}:{told.get('operation')}"
        return [WebhookEvent(kind, str(id), f"{key}:{id}", change, at=at) for id in told.get("ids") or ()]

    def subscribe(self, remote: Remote, *, url: str, secret: str, current: Subscription | None) -> Subscription:
        """Open the channel for a week, or open it again: its number follows from the secret."""
        channel = current.id if current else str(int(hashlib.sha256(terms.token(secret).encode()).hexdigest()[:13], 16))
        expires_at = datetime.now(UTC).replace(microsecond=0) + CHANNEL - timedelta(minutes=10)
        body = {
            "watch": [
                {
                    "channel_id": channel,
                    "events": [f"{module}.all" for module in MODULES],
                    "channel_expiry": terms.written_time(expires_at),
                    "token": terms.token(secret),
                    "notify_url": url,
                    "notify_on_related_action": False,
                }
            ]
        }
        answer = remote.call("POST", f"{CRM}/actions/watch", json=body, writes=True, accept=(400,))
        row = (read_body(answer).get("watch") or [{}])[0]
        if row.get("status") != "success":
            raise PluginError(
                "Zoho did not accept the webhook's address.", permanent=True, code=str(row.get("code", "REFUSED"))
            )
        return Subscription(channel, expires_at)

    def unsubscribe(self, remote: Remote, subscription: Subscription) -> None:
        remote.call(
            "DELETE",
            f"{CRM}/actions/watch",
            params={"channel_ids": subscription.id},
            writes=True,
            accept=(400, 404),
        )
