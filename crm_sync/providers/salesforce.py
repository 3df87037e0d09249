"""Salesforce, by SOQL and sObject Collections of the REST API.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/: reading is transactional, so a record is
seen as soon as it is committed; writing goes 200 records a call, with an outcome for each.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx

from crm_sync.providers.failures import AuthExpired, BatchRejected, HistoryGone, QuotaReached, TokenExpired
from crm_sync.providers.grants import expiry, request_token
from crm_sync.providers.provider import Provider, retry_after
from crm_sync.providers.remote import Remote
from crm_sync.providers.texts import (
    check_names,
    clip,
    parts,
    read_body,
    read_error,
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
    Window,
)
from vocelio.plugins import PluginError

VERSION = "v64.0"
DATA = f"/services/data/{VERSION}"
PAGE = 2000
# Ids that fit in the address of a query beside its fields.
IDS = 200
BATCH = {Operation.CREATE: 200, Operation.UPDATE: 200, Operation.DELETE: 200}
TYPES = {
    "boolean": FieldType.BOOLEAN,
    "int": FieldType.NUMBER,
    "double": FieldType.NUMBER,
    "currency": FieldType.NUMBER,
    "percent": FieldType.NUMBER,
    "date": FieldType.DATE,
    "datetime": FieldType.TIME,
    "email": FieldType.EMAIL,
    "phone": FieldType.PHONE,
    "picklist": FieldType.CHOICE,
    "combobox": FieldType.CHOICE,
    "multipicklist": FieldType.CHOICES,
    "reference": FieldType.REFERENCE,
}
# Compound fields repeat what their parts say; binary ones are no values.
UNREAD = {"address", "location", "base64", "anyType", "complexvalue"}
# Names of companies, read through the contact's account and written nowhere.
THROUGH = {Kind.CONTACTS: (("Account.Name", "Account name"),)}
GONE = {"ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "NOT_FOUND", "MALFORMED_ID"}
PASSING = {
    "UNABLE_TO_LOCK_ROW",
    "SERVER_UNAVAILABLE",
    "REQUEST_RUNNING_TOO_LONG",
    "QUERY_TIMEOUT",
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
}
DUPLICATE = {"DUPLICATES_DETECTED", "DUPLICATE_VALUE", "DUPLICATE_EXTERNAL_ID"}


class Salesforce(Provider):
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
        query = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "scope": "api refresh_token",
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        return f"{_login(options, endpoint_url)}/services/oauth2/authorize?{urlencode(query)}"

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
        return self._token(client, app, _login(options, endpoint_url), form)

    def refresh(self, client: httpx.Client, app: OAuthApp, credential: Credential) -> Credential:
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
            client,
            f"{login}/services/oauth2/token",
            {**form, "client_id": app.client_id, "client_secret": app.client_secret},
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
        try:
            client.post(f"{credential.extra['login']}/services/oauth2/revoke", data=form)
        except httpx.TransportError:
            raise PluginError("Salesforce did not answer.", permanent=False, code="NO_ANSWER") from None

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
            field = self._described(remote, kind).get(_id_field(remote), {})
            if not (field.get("externalId") and field.get("unique")):
                warnings.append(
                    f"{described.remote_name} has no external id field {_id_field(remote)} with unique values: "
                    "new records cannot be sent there until you make it."
                )
        name = str(found["Name"]) + (" (sandbox)" if found.get("IsSandbox") else "")
        return Account(id=str(found["Id"]), name=name, warnings=tuple(warnings))

    # ---- reading

    def fields(self, remote: Remote, kind: Kind) -> Sequence[RemoteField]:
        found = [
            RemoteField(
                name=name,
                label=described["label"],
                type=TYPES.get(described["type"], FieldType.TEXT),
                is_writable=described["updateable"],
                is_required=described["createable"]
                and not described["nillable"]
                and not described.get("defaultedOnCreate", False),
                is_unique=described.get("unique", False),
                is_custom=described.get("custom", False),
                max_length=described.get("length") or None,
                choices=tuple(
                    Choice(option["value"], option.get("label") or option["value"])
                    for option in described.get("picklistValues") or ()
                    if option.get("active", True)
                ),
            )
            for name, described in self._described(remote, kind).items()
            if described["type"] not in UNREAD
        ]
        through = [RemoteField(name, label, is_writable=False) for name, label in THROUGH.get(kind, ())]
        return [*found, *through]

    def _described(self, remote: Remote, kind: Kind) -> Mapping[str, dict[str, Any]]:
        key = f"describe/{kind}"
        if key not in remote.memory:
            answer = remote.call("GET", f"{DATA}/sobjects/{self.types[kind].remote_name}/describe")
            remote.memory[key] = {field["name"]: field for field in read_body(answer)["fields"]}
        found: Mapping[str, dict[str, Any]] = remote.memory[key]
        return found

    def changes(
        self, remote: Remote, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]
    ) -> Page:
        """Read by the pair of change time and id: any number of records may share one time."""
        check_names(names)
        place = read_position(position)
        conditions = ""
        if place:
            time, id = place["time"], _quoted(place["id"])
            conditions = f"WHERE (SystemModstamp = {time} AND Id > {id}) OR SystemModstamp > {time}"
        elif since is not None:
            conditions = f"WHERE SystemModstamp >= {write_time(since)}"
        body = self._query(
            remote,
            f"{_select(['Id', 'SystemModstamp', 'CreatedDate', *names])} FROM {self.types[kind].remote_name} "
            f"{conditions} ORDER BY SystemModstamp, Id LIMIT {PAGE}",
        )
        rows = body["records"]
        newest = read_time(rows[-1]["SystemModstamp"]) if rows else None
        following = ""
        # Wide rows come in smaller pages. Their locator ends with the user's next ten queries; the pair never does.
        if rows and newest and (len(rows) == PAGE or not body["done"]):
            following = write_position(time=write_time(newest), id=rows[-1]["Id"])
        return Page(
            records=tuple(self._record(remote, kind, row, names) for row in rows), position=following, newest=newest
        )

    def gone(self, remote: Remote, kind: Kind, *, since: datetime, position: str) -> GonePage:
        """List deletions of up to 15 days; which of them were merges, the records themselves tell."""
        place = read_position(position)
        start = read_time(place.get("time")) or since
        path = f"{DATA}/sobjects/{self.types[kind].remote_name}/deleted/"
        # Seconds are ignored, and the period must be a minute at least. On the vendor's clock, not ours.
        end = read_time(place.get("end"))
        if end is None:
            end = server_time(remote.call("GET", DATA + "/")) + timedelta(minutes=1)
        if end - start < timedelta(minutes=2):
            start = end - timedelta(minutes=2)
        if start < end - timedelta(days=29):
            raise HistoryGone
        answer = remote.call("GET", path, params={"start": write_time(start), "end": write_time(end)}, accept=(400,))
        if answer.status_code == 400:
            if read_error(answer).get("errorCode") in ("INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT"):
                raise HistoryGone
            raise self.failure(answer)
        body = read_body(answer)
        earliest = read_time(body.get("earliestDateAvailable"))
        if earliest and earliest > since:
            # The log was emptied past the place where we left off.
            raise HistoryGone
        last = (place.get("time", ""), place.get("id", ""))
        rows = sorted((row["deletedDate"], row["id"]) for row in body["deletedRecords"])
        rows = [row for row in rows if row > last][:PAGE]
        winners: dict[str, str] = {}
        for part in parts([id for _, id in rows], IDS):
            winners |= {
                row["Id"]: row["MasterRecordId"]
                for row in self._rows(remote, kind, part, ["MasterRecordId"])
                if row.get("MasterRecordId")
            }
        found: list[Deleted | Merged] = []
        for date, id in rows:
            at = read_time(date)
            found.append(Merged(id, winners[id], at) if id in winners else Deleted(id, at))
        following = ""
        if len(rows) == PAGE:
            following = write_position(time=rows[-1][0], id=rows[-1][1], end=write_time(end))
        return GonePage(tuple(found), following, read_time(body.get("latestDateCovered")) or end)

    def fetch(self, remote: Remote, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        check_names(names)
        rows = {
            row["Id"]: row
            for row in self._rows(
                remote, kind, ids, ["IsDeleted", "MasterRecordId", "SystemModstamp", "CreatedDate", *names]
            )
        }
        gone: list[Deleted | Merged] = []
        records = []
        for id in ids:
            row = rows.get(id)
            if row is None:
                gone.append(Deleted(id))
            elif row.get("MasterRecordId"):
                gone.append(Merged(id, row["MasterRecordId"], read_time(row["SystemModstamp"])))
            elif row["IsDeleted"]:
                gone.append(Deleted(id, read_time(row["SystemModstamp"])))
            else:
                records.append(self._record(remote, kind, row, names))
        return Fetched(tuple(records), tuple(gone))

    def _rows(self, remote: Remote, kind: Kind, ids: Sequence[str], names: Sequence[str]) -> list[dict[str, Any]]:
        """Read records by id, those in the recycle bin and those merged away included."""
        body = self._query(
            remote,
            f"{_select(['Id', *names])} FROM {self.types[kind].remote_name} "
            f"WHERE Id IN ({', '.join(map(_quoted, ids))})",
            all_rows=True,
        )
        rows: list[dict[str, Any]] = body["records"]
        while not body["done"]:
            body = read_body(remote.call("GET", body["nextRecordsUrl"]))
            rows += body["records"]
        return rows

    def ids(self, remote: Remote, kind: Kind, *, position: str) -> IdPage:
        last = read_position(position).get("id", "")
        condition = f"WHERE Id > {_quoted(last)}" if last else ""
        body = self._query(
            remote, f"SELECT Id FROM {self.types[kind].remote_name} {condition} ORDER BY Id LIMIT {PAGE}"
        )
        found = tuple(row["Id"] for row in body["records"])
        more = found and (len(found) == PAGE or not body["done"])
        return IdPage(found, write_position(id=found[-1]) if more else "")

    def count(self, remote: Remote, kind: Kind, *, since: datetime | None) -> int | None:
        condition = f"WHERE SystemModstamp >= {write_time(since)}" if since else ""
        body = self._query(remote, f"SELECT COUNT() FROM {self.types[kind].remote_name} {condition}")
        return int(body["totalSize"])

    def _query(self, remote: Remote, soql: str, *, all_rows: bool = False) -> dict[str, Any]:
        path = f"{DATA}/queryAll" if all_rows else f"{DATA}/query"
        body: dict[str, Any] = read_body(remote.call("GET", path, params={"q": " ".join(soql.split())}))
        return body

    def _record(self, remote: Remote, kind: Kind, row: Mapping[str, Any], names: Sequence[str]) -> RemoteRecord:
        described = self._described(remote, kind)
        return RemoteRecord(
            id=row["Id"],
            values={name: _read(described.get(name, {}).get("type", ""), _inner(row, name)) for name in names},
            changed_at=read_time(row["SystemModstamp"]),
            created_at=read_time(row["CreatedDate"]),
            version=row["SystemModstamp"],
        )

    # ---- writing

    def push(
        self, remote: Remote, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        type = {"type": self.types[kind].remote_name}
        id_field = _id_field(remote)
        if operation is Operation.DELETE:
            ids = ",".join(item.remote_id for item in items)
            answer = remote.call(
                "DELETE", f"{DATA}/composite/sobjects", params={"ids": ids, "allOrNone": "false"}, writes=True
            )
        elif operation is Operation.CREATE:
            described = self._described(remote, kind).get(id_field, {})
            if not described.get("externalId"):
                raise PluginError(
                    f"Salesforce has no external id field {id_field}: make it, so that nothing is sent twice.",
                    permanent=True,
                    code="ID_FIELD_MISSING",
                )
            records = [{"attributes": type, **_written(item.values), id_field: item.key} for item in items]
            answer = self._write(remote, f"{DATA}/composite/sobjects/{type['type']}/{id_field}", records)
        else:
            records = [{"attributes": type, "id": item.remote_id, **_written(item.values)} for item in items]
            answer = self._write(remote, f"{DATA}/composite/sobjects", records)
        rows = read_body(answer)
        if not isinstance(rows, list) or len(rows) != len(items):
            raise PluginError("Salesforce's answer cannot be read.", permanent=False, code="BAD_ANSWER")
        results = [self._outcome(item, operation, row) for item, row in zip(items, rows, strict=True)]
        return self._completed(remote, kind, operation, results, names)

    def _write(self, remote: Remote, path: str, records: Sequence[Mapping[str, Any]]) -> httpx.Response:
        """Send up to 200 records; one value of a wrong shape refuses them all."""
        body = {"allOrNone": False, "records": records}
        answer = remote.call("PATCH", path, json=body, writes=True, accept=(400,))
        if answer.status_code == 400:
            code = str(read_error(answer).get("errorCode", ""))
            if code in ("JSON_PARSER_ERROR", "INVALID_TYPE_ON_FIELD_IN_RECORD", "DUPLICATE_VALUE"):
                raise BatchRejected("Salesforce refused the batch for the sake of a row of it.", code=code)
            raise self.failure(answer)
        return answer

    def _outcome(self, item: PushItem, operation: Operation, row: Mapping[str, Any]) -> PushResult:
        if row.get("success"):
            return PushResult(item.key, Outcome.DONE, remote_id=str(row.get("id") or item.remote_id))
        error = (row.get("errors") or [{}])[0]
        code, message = str(error.get("statusCode", "REJECTED")), str(error.get("message", ""))
        field = str((error.get("fields") or [""])[0])
        if code in GONE and item.remote_id and (operation is Operation.DELETE or field in ("", "id", "Id")):
            return PushResult(item.key, Outcome.GONE, remote_id=item.remote_id, code=code)
        if code in PASSING:
            return PushResult(item.key, Outcome.RETRY, code=code)
        if code in DUPLICATE:
            existing = re.search(r"record with id: (\w{15,18})", message)
            found = existing[1] if existing else ""
            return PushResult(item.key, Outcome.DUPLICATE, remote_id=found, code=code, message=clip(message))
        return PushResult(item.key, Outcome.REJECTED, code=code, message=clip(message), field=field)

    def _completed(
        self, remote: Remote, kind: Kind, operation: Operation, results: list[PushResult], names: Sequence[str]
    ) -> Sequence[PushResult]:
        """Add what Salesforce stored, and where lost records live on. The writes are done: a failure here is none."""
        ids = [
            result.remote_id
            for result in results
            if result.remote_id
            and (
                result.outcome is Outcome.GONE or (result.outcome is Outcome.DONE and operation is not Operation.DELETE)
            )
        ]
        if not ids:
            return results
        try:
            found = self.fetch(remote, kind, ids=ids, names=names)
        except PluginError:
            return results
        records = {record.id: record for record in found.records}
        into = {gone.id: gone.into for gone in found.gone if isinstance(gone, Merged)}
        completed = []
        for result in results:
            if result.outcome is Outcome.GONE and result.remote_id in into:
                result = PushResult(result.key, Outcome.MERGED, remote_id=into[result.remote_id], code=result.code)
            elif result.outcome is Outcome.DONE:
                result = PushResult(
                    result.key, Outcome.DONE, remote_id=result.remote_id, record=records.get(result.remote_id)
                )
            completed.append(result)
        return completed

    def find(
        self, remote: Remote, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        check_names(names)
        found: dict[str, RemoteRecord] = {}
        lookups = [(_id_field(remote), {item.key.lower(): item.key for item in items})]
        if kind is Kind.CONTACTS:
            mails = {str(item.values["Email"]).lower(): item.key for item in items if item.values.get("Email")}
            lookups.append(("Email", mails))
        for name, keys in lookups:
            for part in parts([value for value, key in keys.items() if key not in found], 100):
                body = self._query(
                    remote,
                    f"{_select(['Id', 'SystemModstamp', 'CreatedDate', name, *names])} "
                    f"FROM {self.types[kind].remote_name} "
                    f"WHERE {name} IN ({', '.join(map(_quoted, part))}) ORDER BY CreatedDate, Id LIMIT {PAGE}",
                )
                for row in body["records"]:
                    key = keys.get(str(row[name]).lower())
                    if key:
                        found.setdefault(key, self._record(remote, kind, row, names))
        return found

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


def _login(options: Mapping[str, str], endpoint_url: str) -> str:
    if endpoint_url:
        return endpoint_url.rstrip("/")
    host = (options.get("login_host") or "login.salesforce.com").strip().lower()
    host = host.removeprefix("https://").rstrip("/")
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.salesforce\.com", host):
        raise PluginError("The log-in host ends in .salesforce.com.", permanent=True, code="BAD_OPTION")
    return f"https://{host}"


def _id_field(remote: Remote) -> str:
    name = remote.options.get("id_field") or "Vocelio_Id__c"
    check_names([name])
    return name


def _select(names: Sequence[str]) -> str:
    return f"SELECT {', '.join(dict.fromkeys(names))}"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _inner(row: Mapping[str, Any], name: str) -> Any:
    value: Any = row
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _read(type: str, value: Any) -> Value:
    if value is None or value == "":
        return None
    if type == "multipicklist":
        return tuple(str(value).split(";"))
    if type == "datetime":
        moment = read_time(value)
        return moment.astimezone(UTC).isoformat() if moment else str(value)
    if isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _written(values: Values) -> dict[str, Any]:
    return {name: ";".join(value) if isinstance(value, tuple) else value for name, value in values.items()}
