"""Salesforce, by SOQL and sObject Collections of the REST API.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/: reading is transactional, so a record is
seen as soon as it is committed; writing goes 200 records a call, with an outcome for each.
"""

import re
from collections.abc import Mapping, Sequence

import httpx

from crm_sync.providers.failures import AuthExpired, QuotaReached, TokenExpired
from crm_sync.providers.grants import app_form, code_form, consent_url, expiry, give_back, refresh_form, request_token
from crm_sync.providers.provider import retry_after
from crm_sync.providers.remote import Remote
from crm_sync.providers.salesforce import terms
from crm_sync.providers.salesforce.terms import (
    BATCH,
    IDS,
    PAGE,
    PASSING,
)
from crm_sync.providers.salesforce.writing import Writing
from crm_sync.providers.texts import (
    read_error,
)
from crm_sync.providers.values import (
    Account,
    Credential,
    Kind,
    Limits,
    OAuthApp,
    ObjectType,
    Operation,
    Quota,
    Setting,
    Window,
)
from vocelio.plugins import PluginError


class Salesforce(Writing):
    """Reads by the pair of change time and id, upserts by an external id field, follows merges by MasterRecordId."""

    slug = "salesforce"
    label = "Salesforce"
    hosts = (".salesforce.com",)
    credential_kinds = ("oauth",)
    settings = (
        Setting(
            "login_host",
            "Log-in host",
            help="login.salesforce.com, test.salesforce.com for a sandbox, or your My Domain.",
            default="login.salesforce.com",
        ),
        Setting(
            "id_field",
            "Field for Vocelio's id",
            help="API name of a text field of 36 characters, unique and marked External ID, made by you on contacts "
            "and accounts.",
            default="Vocelio_Id__c",
        ),
    )
    types = {
        Kind.CONTACTS: ObjectType(
            kind=Kind.CONTACTS,
            remote_name="Contact",
            page_size=PAGE,
            fetch_size=IDS,
            batch=BATCH,
            mapping={
                "firstName": "FirstName",
                "lastName": "LastName",
                "email": "Email",
                "phone": "Phone",
                "company": "Account.Name",
                "title": "Title",
                "address": "MailingStreet",
                "city": "MailingCity",
                "state": "MailingState",
                "zip": "MailingPostalCode",
                "country": "MailingCountry",
                "notes": "Description",
                "doNotCall": "DoNotCall",
                "emailOptOut": "HasOptedOutOfEmail",
            },
            # Change times are given before the commit: a long transaction shows late.
            overlap=300,
            creates_repeat=True,
            tells_gone=True,
        ),
        Kind.COMPANIES: ObjectType(
            kind=Kind.COMPANIES,
            remote_name="Account",
            page_size=PAGE,
            fetch_size=IDS,
            batch=BATCH,
            mapping={
                "name": "Name",
                "website": "Website",
                "industry": "Industry",
                "phone": "Phone",
                "address": "BillingStreet",
                "city": "BillingCity",
                "state": "BillingState",
                "zip": "BillingPostalCode",
                "country": "BillingCountry",
            },
            overlap=300,
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
        page = f"{terms.login(options, endpoint_url)}/services/oauth2/authorize"
        return consent_url(
            page,
            app,
            redirect_uri=redirect_uri,
            state=state,
            code_challenge=code_challenge,
            scope="api refresh_token",
            response_type="code",
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
        return self._token(client, app, terms.login(options, endpoint_url), form)

    def refresh(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> Credential:
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
            client,
            f"{login}/services/oauth2/token",
            form | app_form(app),
        )
        return Credential(
            access_token=answer["access_token"],
            # With rotation on, the old refresh token is used up and the answer holds the next.
            refresh_token=answer.get("refresh_token") or (before.refresh_token if before else ""),
            api_url=str(answer.get("instance_url") or (before.api_url if before else login)).rstrip("/"),
            kind="oauth",
            # How long a session lives is the org's setting and not told, except with JWT-based tokens.
            expires_at=expiry(answer),
            scopes=tuple(str(answer.get("scope", "")).split()),
            extra={"login": login},
        )

    def revoke(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> None:
        form = {"token": credential.refresh_token or credential.access_token}
        give_back(client, f"{credential.extra['login']}/services/oauth2/revoke", data=form)

    def credential_from_key(self, key: str, *, options: Mapping[str, str], endpoint_url: str = "") -> Credential:
        raise PluginError("Salesforce is connected by OAuth alone.", permanent=True, code="NO_KEY")

    def headers(self, credential: Credential) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {credential.access_token}"}

    def test(self, remote: Remote) -> Account:
        try:
            found = self._query(remote, "SELECT Id, Name, IsSandbox FROM Organization")["records"][0]
        except TokenExpired:
            raise AuthExpired from None
        warnings = []
        for kind, described in self.types.items():
            field = self._described(remote, kind).get(terms.id_field(remote), {})
            if not (field.get("externalId") and field.get("unique")):
                warnings.append(
                    f"{described.remote_name} has no external id field {terms.id_field(remote)} with unique values: "
                    "new records cannot be sent there until you make it."
                )
        name = str(found["Name"]) + (" (sandbox)" if found.get("IsSandbox") else "")
        return Account(id=str(found["Id"]), name=name, warnings=tuple(warnings))

    # ---- limits and failures

    def limits(self, credential: Credential, options: Mapping[str, str]) -> Limits:
        # 100,000 in rolling 24 hours and more with every licence; the answers tell the true figure. At most 25
        # requests of over 20 seconds run at once: we take few of them.
        return Limits((Window("day", 100_000, 86_400),), concurrent=5)

    def cost(self, kind: Kind, operation: Operation, count: int) -> Mapping[str, int]:
        calls = -(-count // self.types[kind].batch[operation])
        # A second call reads back what was stored.
        return {"requests": calls if operation is Operation.DELETE else 2 * calls}

    def quotas(self, response: httpx.Response) -> Sequence[Quota]:
        usage = re.search(r"api-usage=(\d+)/(\d+)", response.headers.get("sforce-limit-info", ""))
        if not usage:
            return ()
        used, limit = int(usage[1]), int(usage[2])
        return (Quota("day", limit, max(0, limit - used)),)

    def failure(self, response: httpx.Response) -> PluginError:
        error = read_error(response)
        code = str(error.get("errorCode", ""))
        if code == "REQUEST_LIMIT_EXCEEDED":
            # 403 without Retry-After, for the day's allocation and for too many long requests at once.
            if "concurrent" in str(error.get("message", "")).lower():
                return PluginError(
                    "Salesforce runs too many long requests.", permanent=False, code="RATE_LIMITED", retry_after=20
                )
            return QuotaReached("Salesforce's calls of the last 24 hours are used up.", window="day")
        if code in PASSING:
            return PluginError("Salesforce is busy.", permanent=False, code=code, retry_after=retry_after(response))
        if response.status_code in (400, 403, 404) and code:
            words = {
                "INVALID_FIELD": "Salesforce does not know a field of the mapping, or may not show it.",
                "INVALID_TYPE": "Salesforce does not show this object to the connected user.",
                "API_DISABLED_FOR_ORG": "This Salesforce edition has no API.",
                "INSUFFICIENT_ACCESS": "The connected user may not do that in Salesforce.",
            }
            message = words.get(code, f"Salesforce refused the request ({code}).")
            return PluginError(message, permanent=True, code=code)
        return super().failure(response)
