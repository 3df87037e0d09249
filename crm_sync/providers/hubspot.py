"""HubSpot, by its date-versioned API.

https://developers.hubspot.com/docs/api-reference/2026-03: versions live 18 months, paths without a date end in 2027.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from crm_sync.providers.failures import (
    AuthExpired,
    BatchRejected,
    HistoryGone,
    QuotaReached,
    TokenExpired,
    WebhookRefused,
)
from crm_sync.providers.grants import expiry, request_token
from crm_sync.providers.provider import Provider, retry_after
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
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
    Merged,
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
    Value,
    Values,
    WebhookEvent,
    WebhookRequest,
    Window,
)
from vocelio.plugins import PluginError

API = "https://api.hubapi.com"
SCOPES = (
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.companies.write",
    "crm.schemas.contacts.read",
    "crm.schemas.companies.read",
)
PAGE = 100
SEARCH_PAGE = 200
# Archived records can be listed, and restored, for this long.
ARCHIVE = timedelta(days=90)
# What a winner tells of the records it took in.
MERGED_IDS = "hs_merged_object_ids"
# The property of the last change: contacts alone have it without the prefix.
CHANGED = {Kind.CONTACTS: "lastmodifieddate", Kind.COMPANIES: "hs_lastmodifieddate"}
# Requests in 10 seconds and in a day of a service key, by plan; an OAuth app has 110 in 10 seconds whatever the plan.
PLANS = {"starter": (100, 250_000), "professional": (190, 650_000), "enterprise": (190, 1_000_000)}
TYPES = {
    "bool": FieldType.BOOLEAN,
    "number": FieldType.NUMBER,
    "date": FieldType.DATE,
    "datetime": FieldType.TIME,
    "enumeration": FieldType.CHOICE,
    "phone_number": FieldType.PHONE,
}
# Percent-encodings that HubSpot decodes before it signs an address.
DECODED = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$", "%27": "'", "%28": "(", "%29": ")",
    "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
OBJECTS = {"contact": Kind.CONTACTS, "0-1": Kind.CONTACTS, "company": Kind.COMPANIES, "0-2": Kind.COMPANIES}
CHANGES = {
    "creation": "changed", "propertyChange": "changed", "restore": "changed", "associationChange": "changed",
    "deletion": "deleted", "privacyDeletion": "deleted", "merge": "merged",
}  # fmt: skip


class HubSpot(Provider):
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
                "emailOptOut": "hs_email_optout",
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
                "website": "domain",
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
        query = {
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(SCOPES),
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        return f"{endpoint_url.rstrip('/') or 'https://app.hubspot.com'}/oauth/authorize?{urlencode(query)}"

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
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        }
        return self._token(client, app, url, form, refresh_token="")

    def refresh(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> Credential:
        if credential.kind == "key":
            raise AuthExpired("HubSpot no longer accepts this service key. Paste a new one.")
        form = {"grant_type": "refresh_token", "refresh_token": credential.refresh_token}
        return self._token(client, app, credential.api_url, form, refresh_token=credential.refresh_token)

    def _token(
        self, client: httpx.Client, app: OAuthApp, url: str, form: Mapping[str, str], *, refresh_token: str
    ) -> Credential:
        # In the body alone: what stands in an address ends up in logs.
        answer = request_token(
            client,
            f"{url}/oauth/2026-03/token",
            {**form, "client_id": app.client_id, "client_secret": app.client_secret},
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

    def credential_from_key(self, key: str, *, options: Mapping[str, str], endpoint_url: str = "") -> Credential:
        return Credential(access_token=key.strip(), api_url=endpoint_url.rstrip("/") or API)

    def headers(self, credential: Credential) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {credential.access_token}"}

    def test(self, remote: Remote) -> Account:
        try:
            details = read_body(remote.call("GET", f"/account-info/{_version(remote)}/details"))
        except TokenExpired:
            raise AuthExpired from None
        warnings = []
        for kind, described in self.types.items():
            field = self._properties(remote, kind).get(_id_property(remote))
            if field is None or not field.get("hasUniqueValue"):
                warnings.append(
                    f"HubSpot's {described.remote_name} have no property {_id_property(remote)} with unique values: "
                    "new records cannot be sent there until you make it."
                )
        if remote.credential.kind == "key":
            warnings.append("A service key gets no webhooks from HubSpot: changes are found by asking regularly.")
        portal = str(details["portalId"])
        return Account(id=portal, name=f"HubSpot {portal}", warnings=tuple(warnings))

    # ---- reading

    def fields(self, remote: Remote, kind: Kind) -> Sequence[RemoteField]:
        return [
            RemoteField(
                name=name,
                label=found.get("label") or name,
                type=self._type(found),
                is_writable=not found.get("modificationMetadata", {}).get("readOnlyValue", False)
                and not found.get("calculated", False),
                is_unique=found.get("hasUniqueValue", False) or (kind, name) == (Kind.CONTACTS, "email"),
                is_custom=not found.get("hubspotDefined", False),
                max_length=65_536 if found.get("type") == "string" else None,
                choices=tuple(
                    Choice(str(option["value"]), str(option["label"])) for option in found.get("options") or ()
                ),
            )
            for name, found in self._properties(remote, kind).items()
            if not found.get("hidden") and not found.get("archived")
        ]

    def _properties(self, remote: Remote, kind: Kind) -> Mapping[str, dict[str, Any]]:
        key = f"properties/{kind}"
        if key not in remote.memory:
            answer = remote.call("GET", f"/crm/properties/{_version(remote)}/{self.types[kind].remote_name}")
            remote.memory[key] = {found["name"]: found for found in read_body(answer)["results"]}
        found: Mapping[str, dict[str, Any]] = remote.memory[key]
        return found

    @staticmethod
    def _type(found: Mapping[str, Any]) -> FieldType:
        if found.get("fieldType") == "checkbox" and found.get("type") == "enumeration":
            return FieldType.CHOICES
        if found.get("name") == "email":
            return FieldType.EMAIL
        if found.get("fieldType") == "phonenumber":
            return FieldType.PHONE
        return TYPES.get(str(found.get("type")), FieldType.TEXT)

    def changes(
        self, remote: Remote, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]
    ) -> Page:
        place = read_position(position)
        if since is None:
            return self._all(remote, kind, place, names)
        return self._changed(remote, kind, place or {"from": _milliseconds(since)}, names)

    def _all(self, remote: Remote, kind: Kind, place: Mapping[str, Any], names: Sequence[str]) -> Page:
        """Read the list, which comes in order of ids: it vouches for changes up to its beginning only."""
        body, response = self._list(remote, kind, after=place.get("after", ""), properties=[*names, MERGED_IDS])
        started = read_time(place.get("started")) or server_time(response)
        after = body.get("paging", {}).get("next", {}).get("after", "")
        records = [self._record(remote, kind, row, names) for row in body["results"]]
        return Page(
            records=tuple(records),
            gone=tuple(_merges(body["results"])),
            position=write_position(after=after, started=started.isoformat()) if after else "",
            newest=started,
        )

    def _changed(self, remote: Remote, kind: Kind, place: dict[str, Any], names: Sequence[str]) -> Page:
        """Search from a time on, never deeper than one page.

        Offsets skip records that change places meanwhile, and end at 10,000. So every page begins with the last time
        of the one before; when all of a page has one time, that time's records are read by id. Ids are compared in
        HubSpot's own order, whatever it is. `from` is a time in milliseconds, `same` with `id` the walk through one.
        """
        changed = CHANGED[kind]
        if "same" in place:
            filters = [{"propertyName": changed, "operator": "EQ", "value": str(place["same"])}]
            if place["id"]:
                filters.append({"propertyName": "hs_object_id", "operator": "GT", "value": place["id"]})
            order = "hs_object_id"
        else:
            operator = "GT" if place.get("past") else "GTE"
            filters = [{"propertyName": changed, "operator": operator, "value": str(place["from"])}]
            order = changed
        query: dict[str, Any] = {
            "filterGroups": [{"filters": filters}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": [*names, changed, MERGED_IDS],
            "limit": SEARCH_PAGE,
        }
        if place.get("after"):
            query["after"] = place["after"]
        body = self._search(remote, kind, query)
        rows = body["results"]
        after = body.get("paging", {}).get("next", {}).get("after", "")
        times = [moment for row in rows if (moment := read_time(row["properties"].get(changed)))]
        newest = max(times, default=None)
        following: dict[str, Any] = {}
        if not rows and after:
            # A page may be empty and not the last.
            following = {**place, "after": after}
        elif "same" in place:
            if after:
                following = {"same": place["same"], "id": rows[-1]["id"]}
            else:
                following = {"from": place["same"], "past": True}
        elif after and newest:
            last = _milliseconds(newest)
            following = {"from": last} if last > place["from"] else {"same": last, "id": ""}
        return Page(
            records=tuple(self._record(remote, kind, row, names) for row in rows),
            gone=tuple(_merges(rows)),
            position=write_position(**following) if following else "",
            newest=newest,
        )

    def gone(self, remote: Remote, kind: Kind, *, since: datetime, position: str) -> GonePage:
        place = read_position(position)
        body, response = self._list(
            remote, kind, after=place.get("after", ""), properties=["hs_object_id"], archived=True
        )
        started = read_time(place.get("started")) or server_time(response)
        if since < started - ARCHIVE:
            raise HistoryGone
        after = body.get("paging", {}).get("next", {}).get("after", "")
        found = [(str(row["id"]), read_time(row.get("archivedAt"))) for row in body["results"]]
        return GonePage(
            gone=tuple(Deleted(id, at) for id, at in found if at is None or at >= since),
            position=write_position(after=after, started=started.isoformat()) if after else "",
            newest=started,
        )

    def fetch(self, remote: Remote, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        answer = remote.call(
            "POST",
            f"{self._path(remote, kind)}/batch/read",
            json={
                "inputs": [{"id": id} for id in ids],
                "properties": [*names, CHANGED[kind], MERGED_IDS],
                "propertiesWithHistory": [],
            },
        )
        rows = {str(row["id"]): row for row in read_body(answer)["results"]}
        into = {merged.id: merged for merged in _merges(rows.values())}
        gone: list[Deleted | Merged] = []
        for id in ids:
            if id not in rows:
                gone.append(into[id] if id in into else self._whereabouts(remote, kind, id))
        return Fetched(
            records=tuple(self._record(remote, kind, rows[id], names) for id in ids if id in rows), gone=tuple(gone)
        )

    def _whereabouts(self, remote: Remote, kind: Kind, id: str) -> Deleted | Merged:
        """Ask for one id: a merged one is answered with the record it lives on in."""
        answer = remote.call("GET", f"{self._path(remote, kind)}/{id}", accept=(404,))
        found = str(read_body(answer).get("id", "")) if answer.status_code != 404 else ""
        return Merged(id, found) if found and found != id else Deleted(id)

    def ids(self, remote: Remote, kind: Kind, *, position: str) -> IdPage:
        after = read_position(position).get("after", "")
        body, _ = self._list(remote, kind, after=after, properties=["hs_object_id"])
        after = body.get("paging", {}).get("next", {}).get("after", "")
        return IdPage(
            ids=tuple(str(row["id"]) for row in body["results"]), position=write_position(after=after) if after else ""
        )

    def count(self, remote: Remote, kind: Kind, *, since: datetime | None) -> int | None:
        groups = []
        if since is not None:
            value = str(_milliseconds(since))
            groups = [{"filters": [{"propertyName": CHANGED[kind], "operator": "GTE", "value": value}]}]
        total = self._search(remote, kind, {"filterGroups": groups, "properties": [], "limit": 1})["total"]
        return int(total)

    def _path(self, remote: Remote, kind: Kind) -> str:
        return f"/crm/objects/{_version(remote)}/{self.types[kind].remote_name}"

    def _list(
        self, remote: Remote, kind: Kind, *, after: str, properties: Sequence[str], archived: bool = False
    ) -> tuple[dict[str, Any], httpx.Response]:
        params = {"limit": str(PAGE), "properties": ",".join(properties), "archived": str(archived).lower()}
        answer = remote.call("GET", self._path(remote, kind), params={**params, "after": after} if after else params)
        return read_body(answer), answer

    def _search(self, remote: Remote, kind: Kind, query: Mapping[str, Any]) -> dict[str, Any]:
        answer = remote.call("POST", f"{self._path(remote, kind)}/search", json=query, spend={"search": 1})
        body: dict[str, Any] = read_body(answer)
        return body

    def _record(self, remote: Remote, kind: Kind, row: Mapping[str, Any], names: Sequence[str]) -> RemoteRecord:
        given = row.get("properties") or {}
        properties = self._properties(remote, kind)
        return RemoteRecord(
            id=str(row["id"]),
            values={name: self._read(properties.get(name, {}), given.get(name)) for name in names},
            changed_at=read_time(given.get(CHANGED[kind])) or read_time(row.get("updatedAt")),
            created_at=read_time(row.get("createdAt")),
            version=str(row.get("updatedAt", "")),
        )

    def _read(self, found: Mapping[str, Any], value: Any) -> Value:
        """Turn a property, always text with HubSpot, into what its type means."""
        if value is None or value == "":
            return None
        match self._type(found):
            case FieldType.BOOLEAN:
                return str(value).lower() == "true"
            case FieldType.CHOICES:
                return tuple(part for part in str(value).split(";") if part)
            case FieldType.NUMBER:
                try:
                    number = float(value)
                except ValueError:
                    return str(value)
                return int(number) if number.is_integer() else number
            case FieldType.TIME:
                moment = read_time(str(value))
                return moment.isoformat() if moment else str(value)
        return str(value)

    # ---- writing

    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        if operation is Operation.DELETE:
            inputs: list[dict[str, Any]] = [{"id": item.remote_id} for item in items]
            remote.call("POST", f"{self._path(remote, kind)}/batch/archive", json={"inputs": inputs}, writes=True)
            return [PushResult(item.key, Outcome.DONE, remote_id=item.remote_id) for item in items]
        id_property = _id_property(remote)
        if operation is Operation.CREATE:
            self._need_id_property(remote, kind, id_property)
            # An upsert by e-mail would not be a partial one, hs_object_id is not taken: a property of our own.
            inputs = [
                {
                    "id": item.key,
                    "idProperty": id_property,
                    "objectWriteTraceId": item.key,
                    "properties": {**_written(item.values), id_property: item.key},
                }
                for item in items
            ]
        else:
            inputs = [
                {"id": item.remote_id, "objectWriteTraceId": item.key, "properties": _written(item.values)}
                for item in items
            ]
        action = "upsert" if operation is Operation.CREATE else "update"
        answer = remote.call(
            "POST",
            f"{self._path(remote, kind)}/batch/{action}",
            json={"inputs": inputs},
            writes=True,
            accept=(400, 404, 409),
        )
        body = read_error(answer)
        if answer.status_code >= 400:
            return self._refused(answer, body, operation, items)
        return self._outcomes(remote, kind, operation, items, body, names)

    def _need_id_property(self, remote: Remote, kind: Kind, id_property: str) -> None:
        if not self._properties(remote, kind).get(id_property, {}).get("hasUniqueValue"):
            raise PluginError(
                f"HubSpot has no property {id_property} with unique values: make it, so that nothing is sent twice.",
                permanent=True,
                code="ID_FIELD_MISSING",
            )

    def _refused(
        self, answer: httpx.Response, body: Mapping[str, Any], operation: Operation, items: Sequence[PushItem]
    ) -> Sequence[PushResult]:
        """Nothing was written. What the row is, HubSpot does not say while there are several."""
        code = str(body.get("category") or f"HTTP_{answer.status_code}")
        if len(items) > 1:
            raise BatchRejected("HubSpot refused the batch for the sake of a row of it.", code=code)
        if answer.status_code == 404 and operation is Operation.UPDATE:
            return [PushResult(items[0].key, Outcome.GONE, remote_id=items[0].remote_id, code=code)]
        return [_failed(items[0], body, code)]

    def _outcomes(
        self,
        remote: Remote,
        kind: Kind,
        operation: Operation,
        items: Sequence[PushItem],
        body: Mapping[str, Any],
        names: Sequence[str],
    ) -> Sequence[PushResult]:
        """Find each item's row: HubSpot answers in an order of its own, and with the winner for a merged id."""
        id_property = _id_property(remote)
        rows: dict[str, Mapping[str, Any]] = {}
        for row in body.get("results", ()):
            for name in (
                row.get("objectWriteTraceId"),
                row.get("properties", {}).get(id_property) if operation is Operation.CREATE else str(row["id"]),
            ):
                if name:
                    rows.setdefault(str(name), row)
        errors: dict[str, Mapping[str, Any]] = {}
        for error in body.get("errors", ()):
            context = error.get("context") or {}
            for name in (*context.get("objectWriteTraceId", ()), *context.get("ids", ()), *context.get("id", ())):
                errors.setdefault(str(name), error)
        results = []
        for item in items:
            row = rows.get(item.key) or rows.get(item.remote_id or item.key, {})
            error = errors.get(item.key) or errors.get(item.remote_id or item.key, {})
            found = str(row.get("id", ""))
            if found and operation is Operation.UPDATE and found != item.remote_id:
                results.append(PushResult(item.key, Outcome.MERGED, remote_id=found))
            elif found:
                record = self._record(remote, kind, row, names)
                results.append(PushResult(item.key, Outcome.DONE, remote_id=found, record=record))
            elif error.get("category") == "OBJECT_NOT_FOUND":
                results.append(self._lost(remote, kind, item))
            elif error:
                results.append(_failed(item, error, str(error.get("category") or "REJECTED")))
            else:
                # HubSpot said nothing of this row: not written, or written and left out. Upserts may be repeated.
                results.append(PushResult(item.key, Outcome.RETRY, code="NOT_TOLD"))
        return results

    def _lost(self, remote: Remote, kind: Kind, item: PushItem) -> PushResult:
        where = self._whereabouts(remote, kind, item.remote_id)
        if isinstance(where, Merged):
            return PushResult(item.key, Outcome.MERGED, remote_id=where.into)
        return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id)

    def find(
        self, remote: Remote, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        """Read by unique properties, which unlike search knows what was written a moment ago."""
        found: dict[str, RemoteRecord] = {}
        lookups = [(_id_property(remote), {item.key: item.key for item in items})]
        if kind is Kind.CONTACTS:
            lookups.append(
                ("email", {str(item.values["email"]).lower(): item.key for item in items if item.values.get("email")})
            )
        for name, keys in lookups:
            left = [value for value, key in keys.items() if key not in found]
            by_value = {value.lower(): keys[value] for value in left}
            for part in parts(left, 100):
                answer = remote.call(
                    "POST",
                    f"{self._path(remote, kind)}/batch/read",
                    json={
                        "inputs": [{"id": value} for value in part],
                        "idProperty": name,
                        "properties": [*names, name, CHANGED[kind]],
                        "propertiesWithHistory": [],
                    },
                )
                for row in read_body(answer)["results"]:
                    key = by_value.get(str(row["properties"].get(name, "")).lower())
                    if key:
                        found[key] = self._record(remote, kind, row, names)
        return found

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
            Quota(window, _number(response.headers.get(limit)), _number(response.headers[remaining]))
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


def _version(remote: Remote) -> str:
    version = remote.options.get("api_version") or "2026-03"
    if not re.fullmatch(r"20\d\d-\d\d", version):
        raise PluginError(
            "HubSpot's API version is a year and a month, e.g. 2026-03.", permanent=True, code="BAD_OPTION"
        )
    return version


def _id_property(remote: Remote) -> str:
    return remote.options.get("id_property") or "vocelio_id"


def _milliseconds(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _merges(rows: Any) -> list[Merged]:
    """Return the merges that winners tell of: the merged ids themselves are found nowhere."""
    return [
        Merged(loser.strip(), str(row["id"]))
        for row in rows
        for loser in str((row.get("properties") or {}).get(MERGED_IDS) or "").split(";")
        if loser.strip()
    ]


def _written(values: Values) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for name, value in values.items():
        if value is None:
            written[name] = ""
        elif isinstance(value, bool):
            written[name] = str(value).lower()
        elif isinstance(value, tuple):
            written[name] = ";".join(value)
        else:
            written[name] = str(value)
    return written


def _failed(item: PushItem, error: Mapping[str, Any], code: str) -> PushResult:
    message = str(error.get("message", ""))
    existing = re.search(r"Existing ID: (\d+)", message)
    if existing or code == "CONFLICT":
        found = existing[1] if existing else ""
        return PushResult(item.key, Outcome.DUPLICATE, remote_id=found, code=code, message=clip(message))
    field = ""
    for detail in error.get("errors") or ():
        context = detail.get("context") or {}
        field = field or str((context.get("propertyName") or [""])[0])
    return PushResult(item.key, Outcome.REJECTED, code=code, message=clip(message), field=field)
