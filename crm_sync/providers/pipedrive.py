"""Pipedrive, by version 2 of its API.

https://developers.pipedrive.com/docs/api/v1 (v2 operations of persons, organizations and fields): calls are paid in
tokens of a daily budget, there is no batch write, no upsert and no external id.
"""

import base64
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from crm_sync.providers.failures import (
    AuthExpired,
    OutcomeUnknown,
    PositionLost,
    QuotaReached,
    TokenExpired,
    WebhookRefused,
)
from crm_sync.providers.grants import expiry, request_token
from crm_sync.providers.provider import Provider, retry_after
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    clip,
    read_body,
    read_error,
    read_objects,
    read_position,
    read_time,
    server_time,
    write_position,
    write_time,
)
from crm_sync.providers.values import (
    Account,
    Choice,
    Credential,
    Deleted,
    Fetched,
    FieldType,
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

API = "https://api.pipedrive.com"
LOGIN = "https://oauth.pipedrive.com"
PAGE = 500
# Tokens that a call costs.
LIST, GET, WRITE, REMOVE, SEARCH = 10, 1, 5, 3, 20
# Multiplier of the daily budget, and calls in 2 seconds with a pasted token and with OAuth.
PLANS = {"lite": (1, 20, 80), "growth": (2, 40, 160), "premium": (5, 80, 320), "ultimate": (7, 120, 480)}
BUDGET = 30_000
# Longer than a create that was not answered can still be on its way.
IN_FLIGHT = timedelta(seconds=15)
# Our clock and theirs may differ by this much.
SKEW = timedelta(seconds=120)
ENTITIES = {"person": Kind.CONTACTS, "organization": Kind.COMPANIES}
NAMES = {kind: name for name, kind in ENTITIES.items()}
USER = "vocelio"
CUSTOM = re.compile(r"[0-9a-f]{40}")
TYPES = {
    "double": FieldType.NUMBER,
    "int": FieldType.NUMBER,
    "monetary": FieldType.NUMBER,
    "date": FieldType.DATE,
    "enum": FieldType.CHOICE,
    "set": FieldType.CHOICES,
    "phone": FieldType.PHONE,
    "org": FieldType.REFERENCE,
    "people": FieldType.REFERENCE,
    "user": FieldType.REFERENCE,
}
# Lists of which the primary entry is a field; a field's name, the list's, and the field's type.
PRIMARY = {"email": ("emails", FieldType.EMAIL), "phone": ("phones", FieldType.PHONE)}


class Pipedrive(Provider):
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
            mapping={"firstName": "first_name", "lastName": "last_name", "email": "email", "phone": "phone"},
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
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint_url.rstrip('/') or LOGIN}/oauth/authorize?{urlencode(query)}"

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
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        return self._token(client, app, endpoint_url.rstrip("/") or LOGIN, form)

    def refresh(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> Credential:
        if credential.kind == "key":
            raise AuthExpired("Pipedrive no longer accepts this API token. Paste a new one.")
        form = {"grant_type": "refresh_token", "refresh_token": credential.refresh_token}
        return self._token(client, app, credential.extra["login"], form, credential)

    def _token(
        self,
        client: httpx.Client,
        app: OAuthApp,
        login: str,
        form: Mapping[str, str],
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
        try:
            client.post(
                f"{credential.extra['login']}/oauth/revoke",
                data={"token": credential.refresh_token},
                auth=(app.client_id, app.client_secret),
            )
        except httpx.TransportError:
            raise PluginError("Pipedrive did not answer.", permanent=False, code="NO_ANSWER") from None

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

    # ---- reading

    def fields(self, remote: Remote, kind: Kind) -> Sequence[RemoteField]:
        found = []
        for code, field in self._fields(remote, kind).items():
            if code in ("emails", "phones", "email", "phone"):
                continue
            is_custom = bool(field.get("is_custom_field"))
            found.append(
                RemoteField(
                    name=code,
                    label=str(field.get("field_name") or code),
                    type=TYPES.get(str(field.get("field_type")), FieldType.TEXT),
                    is_writable=is_custom
                    or code in ("name", "first_name", "last_name", "address", "owner_id", "org_id"),
                    is_required=code == "name" and kind is Kind.COMPANIES,
                    is_custom=is_custom,
                    max_length=255 if field.get("field_type") == "varchar" else None,
                    choices=tuple(Choice(str(o["id"]), str(o["label"])) for o in field.get("options") or ()),
                )
            )
        if kind is Kind.CONTACTS:
            found += [RemoteField(name, name.title(), type) for name, (_, type) in PRIMARY.items()]
        return found

    def _fields(self, remote: Remote, kind: Kind) -> Mapping[str, dict[str, Any]]:
        key = f"fields/{kind}"
        if key not in remote.memory:
            rows: dict[str, dict[str, Any]] = {}
            cursor = ""
            while True:
                params = {"limit": str(PAGE), **({"cursor": cursor} if cursor else {})}
                answer = remote.call("GET", f"/api/v2/{NAMES[kind]}Fields", params=params, spend={"day": LIST})
                body = read_body(answer)
                rows |= {field["field_code"]: field for field in body["data"]}
                cursor = _cursor(body)
                if not cursor:
                    break
            remote.memory[key] = rows
        found: Mapping[str, dict[str, Any]] = remote.memory[key]
        return found

    def changes(
        self, remote: Remote, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]
    ) -> Page:
        """Follow the vendor's cursor in order of change times; a record that changes meanwhile moves to the end."""
        params = {"limit": str(PAGE), "sort_by": "update_time", "sort_direction": "asc"}
        if since is not None:
            params["updated_since"] = write_time(since)
        body, response = self._list(remote, kind, params, read_position(position).get("cursor", ""))
        rows = body["data"] or []
        cursor = _cursor(body)
        times = [moment for row in rows if (moment := _changed(row))]
        return Page(
            records=tuple(self._record(remote, kind, row, names) for row in rows),
            position=write_position(cursor=cursor) if cursor else "",
            newest=max(times, default=None) or (None if since or position else server_time(response)),
        )

    def _list(
        self, remote: Remote, kind: Kind, params: dict[str, str], cursor: str
    ) -> tuple[dict[str, Any], httpx.Response]:
        answer = remote.call(
            "GET",
            f"/api/v2/{self.types[kind].remote_name}",
            params={**params, "cursor": cursor} if cursor else params,
            spend={"day": LIST},
            accept=(400,),
        )
        if answer.status_code == 400:
            if cursor and "cursor" in str(read_error(answer).get("error", "")).lower():
                raise PositionLost
            raise self.failure(answer)
        return read_body(answer), answer

    def fetch(self, remote: Remote, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        """Deleted and merged ids look alike here: where a merged one lives on, its webhook alone says."""
        wanted = [id for id in ids if id.isdigit()]
        rows: dict[str, dict[str, Any]] = {}
        if wanted:
            body, _ = self._list(remote, kind, {"ids": ",".join(wanted), "limit": str(len(wanted))}, "")
            rows = {str(row["id"]): row for row in body["data"] or [] if not row.get("is_deleted")}
        return Fetched(
            records=tuple(self._record(remote, kind, rows[id], names) for id in ids if id in rows),
            gone=tuple(Deleted(id) for id in ids if id not in rows),
        )

    def ids(self, remote: Remote, kind: Kind, *, position: str) -> IdPage:
        params = {"limit": str(PAGE), "sort_by": "id", "sort_direction": "asc"}
        body, _ = self._list(remote, kind, params, read_position(position).get("cursor", ""))
        cursor = _cursor(body)
        return IdPage(
            tuple(str(row["id"]) for row in body["data"] or ()), write_position(cursor=cursor) if cursor else ""
        )

    def _record(self, remote: Remote, kind: Kind, row: Mapping[str, Any], names: Sequence[str]) -> RemoteRecord:
        types = self._fields(remote, kind)
        return RemoteRecord(
            id=str(row["id"]),
            values={name: _read(row, name, types.get(name, {})) for name in names},
            changed_at=_changed(row),
            created_at=read_time(row.get("add_time")),
            version=str(row.get("update_time") or row.get("add_time") or ""),
        )

    # ---- writing

    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        """Send records one by one; when a call fails, those not yet sent may be sent again."""
        results: list[PushResult] = []
        for item in items:
            try:
                results.append(self._push(remote, kind, operation, item, names))
            except PluginError as failure:
                if len(items) == 1 or not (results or isinstance(failure, OutcomeUnknown)):
                    raise
                # Changes and deletions may be repeated, and creates come alone. What ails the account, the next
                # call will say again.
                left = items[len(results) :]
                results += [PushResult(waiting.key, Outcome.RETRY, code="NOT_SENT") for waiting in left]
                break
        return results

    def _push(
        self, remote: Remote, kind: Kind, operation: Operation, item: PushItem, names: Sequence[str]
    ) -> PushResult:
        path = f"/api/v2/{self.types[kind].remote_name}"
        if operation is Operation.DELETE:
            answer = remote.call(
                "DELETE", f"{path}/{item.remote_id}", spend={"day": REMOVE}, writes=True, accept=(404, 410)
            )
            outcome = Outcome.DONE if answer.is_success else Outcome.GONE
            return PushResult(item.key, outcome, remote_id=item.remote_id)
        if operation is Operation.CREATE:
            body = self._written(remote, kind, item.values, {})
            id_field = remote.options.get("id_field")
            if id_field and kind is Kind.CONTACTS:
                body.setdefault("custom_fields", {})[id_field] = item.key
            answer = remote.call("POST", path, json=body, spend={"day": WRITE}, writes=True, accept=(400, 422))
        else:
            current: Mapping[str, Any] = {}
            if kind is Kind.CONTACTS and item.values.keys() & {*PRIMARY, "first_name", "last_name"}:
                # Lists are written whole and a name has one field: what is not ours to change is read first.
                before = remote.call("GET", f"{path}/{item.remote_id}", spend={"day": GET}, accept=(404, 410))
                if not before.is_success or (current := read_body(before)["data"]).get("is_deleted"):
                    return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id)
            body = self._written(remote, kind, item.values, current)
            answer = remote.call(
                "PATCH",
                f"{path}/{item.remote_id}",
                json=body,
                spend={"day": WRITE},
                writes=True,
                accept=(400, 404, 410, 422),
            )
            if answer.status_code in (404, 410):
                return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id)
        if answer.status_code in (400, 422):
            error = read_error(answer)
            code = str(error.get("code") or f"HTTP_{answer.status_code}")
            return PushResult(
                item.key, Outcome.REJECTED, code=code, message=clip(error.get("error")), field=_field(error)
            )
        row = read_body(answer)["data"]
        return PushResult(
            item.key, Outcome.DONE, remote_id=str(row["id"]), record=self._record(remote, kind, row, names)
        )

    def _written(self, remote: Remote, kind: Kind, values: Values, current: Mapping[str, Any]) -> dict[str, Any]:
        types = self._fields(remote, kind)
        body: dict[str, Any] = {}
        for name, value in values.items():
            if name in PRIMARY and kind is Kind.CONTACTS:
                kept = [entry for entry in current.get(PRIMARY[name][0]) or () if not entry.get("primary")]
                kept = [entry for entry in kept if entry.get("value") != value]
                label = next((e.get("label") for e in current.get(PRIMARY[name][0]) or () if e.get("primary")), "work")
                first = [{"value": value, "primary": True, "label": label}] if value else []
                if not first and kept:
                    kept = [{**kept[0], "primary": True}, *kept[1:]]
                body[PRIMARY[name][0]] = first + kept
            elif name in ("first_name", "last_name") and kind is Kind.CONTACTS:
                known = {part: values.get(part, current.get(part)) for part in ("first_name", "last_name")}
                whole = " ".join(str(part) for part in known.values() if part)
                body["name"] = whole or str(values.get("email") or values.get("phone") or "?")
            elif name == "address" and kind is Kind.COMPANIES:
                body["address"] = {"value": value} if value else None
            elif CUSTOM.fullmatch(name):
                body.setdefault("custom_fields", {})[name] = _coded(value, types.get(name, {}))
            else:
                body[name] = list(value) if isinstance(value, tuple) else value
        if not current and kind is Kind.CONTACTS and "name" not in body and "emails" in body and body["emails"]:
            # A person without a name is not taken.
            body["name"] = body["emails"][0]["value"]
        return body

    def find(
        self, remote: Remote, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        """Look through what was added since the attempt, in the list, which unlike search lags behind nothing."""
        found: dict[str, RemoteRecord] = {}
        attempts = [item.attempted_at for item in items if item.attempted_at]
        if attempts:
            for row in self._added(remote, kind, min(attempts) - SKEW):
                for item in items:
                    if item.attempted_at and item.key not in found and self._is_same(remote, kind, item, row):
                        found[item.key] = self._record(remote, kind, row, names)
                        break
        for item in items:
            if item.key not in found and (hit := self._searched(remote, kind, item)):
                found[item.key] = self._record(remote, kind, hit, names)
        waiting = [item.attempted_at for item in items if item.attempted_at and item.key not in found]
        if waiting and (left := max(waiting) + IN_FLIGHT - datetime.now(UTC)) > timedelta():
            raise PluginError(
                "Pipedrive may still be at work on it.",
                permanent=False,
                code="MAY_BE_UNDER_WAY",
                retry_after=left.total_seconds(),
            )
        return found

    def _added(self, remote: Remote, kind: Kind, start: datetime) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        cursor = ""
        params = {
            "limit": str(PAGE),
            "sort_by": "update_time",
            "sort_direction": "asc",
            "updated_since": write_time(start),
        }
        while True:
            body, _ = self._list(remote, kind, params, cursor)
            rows += [row for row in body["data"] or () if (added := read_time(row.get("add_time"))) and added >= start]
            cursor = _cursor(body)
            if not cursor:
                return rows

    def _is_same(self, remote: Remote, kind: Kind, item: PushItem, row: Mapping[str, Any]) -> bool:
        id_field = remote.options.get("id_field")
        if id_field and kind is Kind.CONTACTS:
            return bool((row.get("custom_fields") or {}).get(id_field) == item.key)
        sent = self._written(remote, kind, item.values, {})
        mails = {entry["value"].lower() for entry in sent.get("emails", ())}
        if mails:
            return bool(mails & {entry["value"].lower() for entry in row.get("emails") or ()})
        same_phone = {entry["value"] for entry in sent.get("phones", ())} == {
            entry["value"] for entry in row.get("phones") or ()
        }
        return same_phone and str(sent.get("name", "")).strip() == row.get("name")

    def _searched(self, remote: Remote, kind: Kind, item: PushItem) -> dict[str, Any] | None:
        term = item.values.get("email") if kind is Kind.CONTACTS else None
        if not term or len(str(term)) < 2:
            return None
        answer = remote.call(
            "GET",
            f"/api/v2/{self.types[kind].remote_name}/search",
            params={"term": str(term), "fields": "email", "exact_match": "true", "limit": "5"},
            spend={"day": SEARCH, "search": 1},
        )
        hits = [str(hit["item"]["id"]) for hit in read_body(answer)["data"]["items"]]
        if not hits:
            return None
        body, _ = self._list(remote, kind, {"ids": ",".join(hits), "limit": str(len(hits))}, "")
        rows = sorted((row for row in body["data"] or () if not row.get("is_deleted")), key=lambda row: int(row["id"]))
        return rows[0] if rows else None

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
                return QuotaReached("Pipedrive's tokens of today are used up.", window="day", resets_at=_midnight())
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


def _cursor(body: Mapping[str, Any]) -> str:
    return str((body.get("additional_data") or {}).get("next_cursor") or "")


def _changed(row: Mapping[str, Any]) -> datetime | None:
    return read_time(row.get("update_time")) or read_time(row.get("add_time"))


def _read(row: Mapping[str, Any], name: str, type: Mapping[str, Any]) -> Value:
    if name in PRIMARY:
        entries = row.get(PRIMARY[name][0]) or []
        first = next((entry for entry in entries if entry.get("primary")), entries[0] if entries else {})
        return first.get("value") or None
    value = (row.get("custom_fields") or {}).get(name) if CUSTOM.fullmatch(name) else row.get(name)
    if isinstance(value, Mapping):
        value = value.get("value")
    if value is None or value == "":
        return None
    if isinstance(value, (list, tuple)):
        return tuple(str(part) for part in value)
    if type.get("field_type") in ("enum", "org", "people", "user"):
        return str(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _coded(value: Value, type: Mapping[str, Any]) -> Any:
    """Write options by their numbers, as version 2 demands."""
    if type.get("field_type") == "set":
        return [int(part) for part in value] if isinstance(value, tuple) else None
    if type.get("field_type") == "enum":
        return int(str(value)) if value and str(value).isdigit() else value
    return list(value) if isinstance(value, tuple) else value


def _field(error: Mapping[str, Any]) -> str:
    details = error.get("additional_data") or {}
    return str(details.get("field") or "") if isinstance(details, Mapping) else ""


def _midnight() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
