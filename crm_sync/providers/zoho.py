"""Zoho CRM, by version 8 of its API.

https://www.zoho.com/crm/developer/docs/api/v8/: an account lives in one data centre with hosts of its own, calls are
paid in credits of rolling 24 hours, and refusals come with every status there is, 200 included.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from crm_sync.providers.failures import AuthExpired, PositionLost, QuotaReached, TokenExpired, WebhookRefused
from crm_sync.providers.grants import expiry, request_token
from crm_sync.providers.provider import Provider, retry_after
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    check_names,
    clip,
    parts,
    read_body,
    read_error,
    read_objects,
    read_position,
    read_time,
    server_time,
    write_position,
)
from crm_sync.providers.values import (
    Account,
    Choice,
    Credential,
    Deleted,
    Fetched,
    FieldType,
    GonePage,
    IdPage,
    Kind,
    Limits,
    OAuthApp,
    ObjectType,
    Operation,
    Outcome,
    Page,
    PushItem,
    PushResult,
    Quota,
    RemoteField,
    RemoteRecord,
    Setting,
    Subscription,
    Value,
    Values,
    WebhookEvent,
    WebhookRequest,
    Window,
)
from vocelio.plugins import PluginError

CRM = "/crm/v8"
# Data centre: the accounts server and the domain of the API.
CENTRES = {
    "us": ("https://accounts.zoho.com", "https://www.zohoapis.com"),
    "eu": ("https://accounts.zoho.eu", "https://www.zohoapis.eu"),
    "in": ("https://accounts.zoho.in", "https://www.zohoapis.in"),
    "au": ("https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
    "jp": ("https://accounts.zoho.jp", "https://www.zohoapis.jp"),
    "ca": ("https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
    "sa": ("https://accounts.zoho.sa", "https://www.zohoapis.sa"),
    "cn": ("https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
}
SCOPES = (
    "ZohoCRM.modules.contacts.ALL",
    "ZohoCRM.modules.accounts.ALL",
    "ZohoCRM.settings.fields.READ",
    "ZohoCRM.org.READ",
    "ZohoCRM.coql.READ",
    "ZohoCRM.notifications.ALL",
)
# Rows of a COQL query; by offset it ends at 100,000 and a list at 2,000 with a token that lives a day: we go by key.
PAGE = 2000
# Fields that a query or a request may name.
FIELDS = 50
ROWS = 100
# Credits: a query of up to 2,000 rows; rows written for one.
QUERY_CREDITS, ROWS_PER_CREDIT = 3, 10
# Credits of 24 hours and calls at once, by edition.
EDITIONS = {
    "free": (5_000, 5),
    "standard": (50_000, 10),
    "professional": (50_000, 15),
    "enterprise": (50_000, 20),
    "ultimate": (50_000, 25),
}
CHANNEL = timedelta(days=7)
TYPES = {
    "boolean": FieldType.BOOLEAN,
    "integer": FieldType.NUMBER,
    "bigint": FieldType.NUMBER,
    "double": FieldType.NUMBER,
    "currency": FieldType.NUMBER,
    "percent": FieldType.NUMBER,
    "date": FieldType.DATE,
    "datetime": FieldType.TIME,
    "email": FieldType.EMAIL,
    "phone": FieldType.PHONE,
    "picklist": FieldType.CHOICE,
    "multiselectpicklist": FieldType.CHOICES,
    "lookup": FieldType.REFERENCE,
    "ownerlookup": FieldType.REFERENCE,
}
# Types that are no values, or that a query cannot name.
UNREAD = {"subform", "fileupload", "imageupload", "profileimage", "consent_lookup", "multiselectlookup", "rich_text"}
# The company's name, read through the contact's account: as a query says it, and as a record shows it.
ACCOUNT_NAME = "Account_Name.Account_Name"
MODULES = {"Contacts": Kind.CONTACTS, "Accounts": Kind.COMPANIES}
BATCH = {Operation.CREATE: ROWS, Operation.UPDATE: ROWS, Operation.DELETE: ROWS}


class Zoho(Provider):
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
        accounts = endpoint_url.rstrip("/") or _centre(options.get("data_centre", ""))[0]
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "scope": ",".join(SCOPES),
            "state": state,
            # Without these two there is no refresh token, or none the second time.
            "access_type": "offline",
            "prompt": "consent",
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        return f"{accounts}/oauth/v2/auth?{urlencode(query)}"

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
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
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
        return _centre(callback.get("location") or options.get("data_centre", ""))

    def refresh(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> Credential:
        form = {"grant_type": "refresh_token", "refresh_token": credential.refresh_token}
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
        form: Mapping[str, str],
        *,
        api_url: str,
        refresh_token: str,
    ) -> Credential:
        asked = {**form, "client_id": app.client_id, "client_secret": app.client_secret}
        answer = request_token(client, f"{accounts}/oauth/v2/token", asked)
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
        try:
            client.post(url, params={"token": credential.refresh_token})
        except httpx.TransportError:
            raise PluginError("Zoho did not answer.", permanent=False, code="NO_ANSWER") from None

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
            field = self._described(remote, kind).get(_id_field(remote), {})
            if not field.get("unique"):
                warnings.append(
                    f"{described.remote_name} have no field {_id_field(remote)} without duplicates: new records cannot "
                    "be sent there until you make it."
                )
        id = str(found.get("zgid") or found["id"])
        return Account(id=id, name=str(found.get("company_name", "")), warnings=tuple(warnings))

    # ---- reading

    def fields(self, remote: Remote, kind: Kind) -> Sequence[RemoteField]:
        found = [
            RemoteField(
                name=name,
                label=str(field.get("field_label") or name),
                type=TYPES.get(str(field.get("data_type")), FieldType.TEXT),
                is_writable=not field.get("read_only", False) and not field.get("field_read_only", False),
                is_required=bool(field.get("system_mandatory")),
                is_unique=bool(field.get("unique")),
                is_custom=bool(field.get("custom_field")),
                max_length=field.get("length"),
                choices=tuple(
                    Choice(str(o["actual_value"]), str(o["display_value"])) for o in field.get("pick_list_values") or ()
                ),
            )
            for name, field in self._described(remote, kind).items()
            if field.get("data_type") not in UNREAD
        ]
        through = [RemoteField(ACCOUNT_NAME, "Account name", is_writable=False)] if kind is Kind.CONTACTS else []
        return [*found, *through]

    def _described(self, remote: Remote, kind: Kind) -> Mapping[str, dict[str, Any]]:
        key = f"fields/{kind}"
        if key not in remote.memory:
            answer = remote.call("GET", f"{CRM}/settings/fields", params={"module": self.types[kind].remote_name})
            remote.memory[key] = {field["api_name"]: field for field in read_body(answer)["fields"]}
        found: Mapping[str, dict[str, Any]] = remote.memory[key]
        return found

    def changes(
        self, remote: Remote, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]
    ) -> Page:
        """Query from the pair of change time and id on: no page number to run out of, no token to expire."""
        check_names(names)
        place = read_position(position)
        if place:
            time, id = place["time"], place["id"]
            condition = f"((Modified_Time = '{time}' and id > '{id}') or Modified_Time > '{time}')"
        elif since is not None:
            condition = f"Modified_Time >= '{_written_time(since)}'"
        else:
            condition = "Modified_Time is not null"
        own = ["id", "Modified_Time", "Created_Time"]
        first, rest = names[: FIELDS - len(own)], names[FIELDS - len(own) :]
        body = self._query(
            remote,
            kind,
            [*own, *first],
            f"where {condition} order by Modified_Time asc, id asc limit {PAGE}",
            credits=QUERY_CREDITS,
        )
        rows: list[dict[str, Any]] = body.get("data") or []
        if rest:
            ids = [str(row["id"]) for row in rows]
            more = {row["id"]: row for part in parts(ids, ROWS) for row in self._read_ids(remote, kind, part, rest)}
            # A record deleted between the two calls has no page any more.
            rows = [
                {**row, **more[row["id"]], "Modified_Time": row["Modified_Time"]} for row in rows if row["id"] in more
            ]
        newest = read_time(rows[-1]["Modified_Time"]) if rows else None
        following = ""
        if body.get("data") and body.get("info", {}).get("more_records"):
            last = body["data"][-1]
            moment = read_time(last["Modified_Time"])
            if moment is None:
                raise PluginError("Zoho's answer cannot be read.", permanent=False, code="BAD_ANSWER")
            following = write_position(time=_written_time(moment), id=str(last["id"]))
        return Page(tuple(self._record(remote, kind, row, names) for row in rows), (), following, newest)

    def _read_ids(self, remote: Remote, kind: Kind, ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        """Read up to 100 records by id, in as many calls as their fields need."""
        rows: dict[str, dict[str, Any]] = {}
        own = ["Modified_Time", "Created_Time"]
        asked = [name.partition(".")[0] for name in names]
        for part in list(parts(list(dict.fromkeys(asked)), FIELDS - len(own))) or [[]]:
            answer = remote.call(
                "GET",
                f"{CRM}/{self.types[kind].remote_name}",
                params={"ids": ",".join(ids), "fields": ",".join([*own, *part])},
            )
            for row in read_body(answer).get("data") or ():
                rows.setdefault(str(row["id"]), {}).update(row)
        return list(rows.values())

    def gone(self, remote: Remote, kind: Kind, *, since: datetime, position: str) -> GonePage:
        """List what is in the recycle bin or deleted for good; what was merged away is deleted, winners are not told."""
        place = read_position(position)
        params = {"type": "all", "per_page": "200"}
        if place.get("token"):
            params["page_token"] = place["token"]
        else:
            params["page"] = str(place.get("page", 1))
        answer = remote.call(
            "GET",
            f"{CRM}/{self.types[kind].remote_name}/deleted",
            params=params,
            headers={"If-Modified-Since": _written_time(since)},
            accept=(304, 400),
        )
        if answer.status_code == 400:
            if place.get("token"):
                # Tokens live for a day.
                raise PositionLost
            raise self.failure(answer)
        body = read_body(answer)
        started = place.get("started") or server_time(answer).isoformat()
        info = body.get("info") or {}
        following = ""
        if info.get("more_records"):
            page = int(place.get("page", 1)) + 1
            token = info.get("next_page_token") or ""
            following = write_position(page=page, token=token, started=started)
        found = tuple(Deleted(str(row["id"]), read_time(row.get("deleted_time"))) for row in body.get("data") or ())
        return GonePage(found, following, read_time(started))

    def fetch(self, remote: Remote, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        check_names(names)
        rows = {str(row["id"]): row for row in self._read_ids(remote, kind, ids, names)}
        return Fetched(
            tuple(self._record(remote, kind, rows[id], names) for id in ids if id in rows),
            tuple(Deleted(id) for id in ids if id not in rows),
        )

    def ids(self, remote: Remote, kind: Kind, *, position: str) -> IdPage:
        last = read_position(position).get("id", "")
        condition = f"id > '{last}'" if last else "id is not null"
        body = self._query(
            remote, kind, ["id"], f"where {condition} order by id asc limit {PAGE}", credits=QUERY_CREDITS
        )
        found = tuple(str(row["id"]) for row in body.get("data") or ())
        more = found and body.get("info", {}).get("more_records")
        return IdPage(found, write_position(id=found[-1]) if more else "")

    def count(self, remote: Remote, kind: Kind, *, since: datetime | None) -> int | None:
        condition = f"Modified_Time >= '{_written_time(since)}'" if since else "id is not null"
        rows = self._query(remote, kind, ["COUNT(id)"], f"where {condition}").get("data") or []
        return int(rows[0]["COUNT(id)"]) if rows else 0

    def _query(
        self, remote: Remote, kind: Kind, names: Sequence[str], rest: str, *, credits: int = 1
    ) -> dict[str, Any]:
        query = f"select {', '.join(names)} from {self.types[kind].remote_name} {rest}"
        answer = remote.call("POST", f"{CRM}/coql", json={"select_query": query}, spend={"credits": credits})
        body: dict[str, Any] = read_body(answer)
        return body

    def _record(self, remote: Remote, kind: Kind, row: Mapping[str, Any], names: Sequence[str]) -> RemoteRecord:
        described = self._described(remote, kind)
        return RemoteRecord(
            id=str(row["id"]),
            values={name: _read(row, name, described.get(name, {})) for name in names},
            changed_at=read_time(row.get("Modified_Time")),
            created_at=read_time(row.get("Created_Time")),
            version=str(row.get("Modified_Time", "")),
        )

    # ---- writing

    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        module = f"{CRM}/{self.types[kind].remote_name}"
        credits = {"credits": -(-len(items) // ROWS_PER_CREDIT)}
        if operation is Operation.DELETE:
            ids = ",".join(item.remote_id for item in items)
            answer = remote.call("DELETE", module, params={"ids": ids}, spend=credits, writes=True, accept=(400,))
        elif operation is Operation.CREATE:
            id_field = _id_field(remote)
            if not self._described(remote, kind).get(id_field, {}).get("unique"):
                raise PluginError(
                    f"Zoho has no field {id_field} without duplicates: make it, so that nothing is sent twice.",
                    permanent=True,
                    code="ID_FIELD_MISSING",
                )
            # A plain create sent twice makes two records.
            body = {
                "data": [{**_written(item.values), id_field: item.key} for item in items],
                "duplicate_check_fields": [id_field],
            }
            answer = remote.call("POST", f"{module}/upsert", json=body, spend=credits, writes=True, accept=(400,))
        else:
            body = {"data": [{**_written(item.values), "id": item.remote_id} for item in items]}
            answer = remote.call("PUT", module, json=body, spend=credits, writes=True, accept=(400,))
        # Rows are answered with 200, 201, 202, 207 or 400, as it falls; a refusal of all has no rows.
        rows = read_body(answer).get("data")
        if not isinstance(rows, list) or len(rows) != len(items):
            raise self.failure(answer)
        results = [self._outcome(item, operation, row) for item, row in zip(items, rows, strict=True)]
        return results if operation is Operation.DELETE else self._completed(remote, kind, results, names)

    def _outcome(self, item: PushItem, operation: Operation, row: Mapping[str, Any]) -> PushResult:
        details = row.get("details") or {}
        code = str(row.get("code", "REJECTED"))
        if row.get("status") == "success":
            return PushResult(item.key, Outcome.DONE, remote_id=str(details.get("id") or item.remote_id))
        field = str(details.get("api_name") or "")
        if (
            item.remote_id
            and code in ("INVALID_DATA", "RECORD_NOT_FOUND")
            and field in ("id", "")
            and (field == "id" or operation is Operation.DELETE)
        ):
            return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id, code=code)
        if code == "DUPLICATE_DATA":
            existing = str(details.get("id") or (details.get("duplicate_record") or {}).get("id") or "")
            return PushResult(item.key, Outcome.DUPLICATE, remote_id=existing, code=code, field=field)
        if code in ("RECORD_LOCKED", "INTERNAL_ERROR", "INTERNAL_SERVER_ERROR"):
            return PushResult(item.key, Outcome.RETRY, code=code)
        return PushResult(item.key, Outcome.REJECTED, code=code, message=clip(row.get("message")), field=field)

    def _completed(
        self, remote: Remote, kind: Kind, results: list[PushResult], names: Sequence[str]
    ) -> Sequence[PushResult]:
        """Add what Zoho stored. The writes are done: a failure here is none."""
        ids = [result.remote_id for result in results if result.outcome is Outcome.DONE]
        if not ids:
            return results
        try:
            records = {record.id: record for record in self.fetch(remote, kind, ids=ids, names=names).records}
        except PluginError:
            return results
        return [
            PushResult(r.key, r.outcome, remote_id=r.remote_id, record=records.get(r.remote_id))
            if r.outcome is Outcome.DONE
            else r
            for r in results
        ]

    def find(
        self, remote: Remote, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        check_names(names)
        ids: dict[str, str] = {}
        lookups = [(_id_field(remote), {item.key.lower(): item.key for item in items})]
        if kind is Kind.CONTACTS:
            mails = {str(item.values["Email"]).lower(): item.key for item in items if item.values.get("Email")}
            lookups.append(("Email", mails))
        for name, keys in lookups:
            for part in parts([value for value, key in keys.items() if key not in ids], 50):
                values = ", ".join(_quoted(value) for value in part)
                body = self._query(
                    remote, kind, ["id", name], f"where {name} in ({values}) order by id asc limit {PAGE}"
                )
                for row in body.get("data") or ():
                    key = keys.get(str(row.get(name)).lower())
                    if key:
                        ids.setdefault(key, str(row["id"]))
        records: dict[str, RemoteRecord] = {}
        for part in parts(list(dict.fromkeys(ids.values())), ROWS):
            records |= {record.id: record for record in self.fetch(remote, kind, ids=part, names=names).records}
        return {key: records[id] for key, id in ids.items() if id in records}

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
        if not secret or not hmac.compare_digest(_token(secret).encode(), given.encode()):
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
        channel = current.id if current else str(int(hashlib.sha256(_token(secret).encode()).hexdigest()[:13], 16))
        expires_at = datetime.now(UTC).replace(microsecond=0) + CHANNEL - timedelta(minutes=10)
        body = {
            "watch": [
                {
                    "channel_id": channel,
                    "events": [f"{module}.all" for module in MODULES],
                    "channel_expiry": _written_time(expires_at),
                    "token": _token(secret),
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


def _centre(name: str) -> tuple[str, str]:
    return CENTRES.get(name.strip().lower(), CENTRES["us"])


def _id_field(remote: Remote) -> str:
    name = remote.options.get("id_field") or "Vocelio_Id"
    check_names([name])
    return name


def _token(secret: str) -> str:
    """Return what Zoho repeats: at most 50 characters, whatever the secret's length."""
    return hashlib.sha256(secret.encode()).hexdigest()[:48]


def _written_time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def _quoted(value: str) -> str:
    escaped = re.sub(r"(['\\])", r"\\\1", value)
    return f"'{escaped}'"


def _read(row: Mapping[str, Any], name: str, field: Mapping[str, Any]) -> Value:
    # A query answers with the whole name, a record with the lookup that its first part names.
    value = row.get(name, row.get(name.partition(".")[0]))
    if isinstance(value, Mapping):
        value = value.get("name" if "." in name else "id")
    if value is None or value == "":
        return None
    if isinstance(value, list):
        return tuple(str(part) for part in value)
    if field.get("data_type") == "datetime":
        moment = read_time(value)
        return moment.isoformat() if moment else str(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _written(values: Values) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
