"""A Zoho CRM org: its own data centre, errors with status 200, ends of pages and tokens, rows answered one by one."""

import hashlib
import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

from tests.crm_sync.fakes.query import BadQuery, parse
from tests.crm_sync.fakes.server import Fake, main
from tests.crm_sync.fakes.wire import Answer, Limit, Record, Refused, Request

INDIA = timezone(timedelta(hours=5, minutes=30))
FIELDS: dict[str, dict[str, str]] = {
    "contacts": {
        **dict.fromkeys(
            ("First_Name", "Last_Name", "Title", "Mailing_Street", "Mailing_City", "Mailing_State"), "text"
        ),
        **dict.fromkeys(("Mailing_Zip", "Mailing_Country", "Vocelio_Id"), "text"),
        "Email": "email",
        "Phone": "phone",
        "Description": "textarea",
        "Email_Opt_Out": "boolean",
        "Account_Name": "lookup",
        "Interests": "multiselectpicklist",
        **{f"Extra_{number}": "text" for number in range(60)},
    },
    "companies": {
        **dict.fromkeys(("Account_Name", "Industry", "Billing_Street", "Billing_City", "Billing_State"), "text"),
        **dict.fromkeys(("Billing_Code", "Billing_Country", "Vocelio_Id", "Website"), "text"),
        "Phone": "phone",
    },
}
REQUIRED = {"contacts": "Last_Name", "companies": "Account_Name"}
SYSTEM = ("id", "Modified_Time", "Created_Time")


class FakeZoho(Fake):
    """Zoho CRM on loopback."""

    vendor = "zoho"
    types = {"contacts": "Contacts", "companies": "Accounts"}
    indexed = ("Email", "Vocelio_Id")
    resolution = timedelta(seconds=1)

    def prepare(self) -> None:
        self.channels: dict[str, dict[str, Any]] = {}
        self.refreshes: list[datetime] = []
        self.unique_email = False
        self.has_id_field = True
        self.accounts_server = ""
        self.page_tokens: dict[str, tuple[int, datetime]] = {}

    def vendor_limits(self) -> dict[str, Limit]:
        return {"credits": Limit(50_000, 86_400)}

    def sample(self, number: int, kind: str) -> dict[str, Any]:
        if kind == "companies":
            return {"Account_Name": f"Company {number}", "Website": f"company{number}.example"}
        return {
            "First_Name": f"Person{number}",
            "Last_Name": f"Number{number}",
            "Email": f"person{number}@people.example",
            "Phone": f"+1202555{number % 10_000:04}",
            "Mailing_City": "Austin",
            "Email_Opt_Out": False,
        }

    def new_id(self, kind: str) -> str:
        self.serial += 1
        return str(4150868000000624001 + self.serial)

    def clean(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}

    def unauthorized(self) -> Refused:
        return _error(401, "INVALID_TOKEN", "invalid oauth token")

    def bad_request(self, problems: list[str]) -> Refused:
        return _error(400 if problems else 404, "INVALID_REQUEST", problems[0] if problems else "invalid url pattern")

    def spend(self, request: Request) -> None:
        rows = len(request.body.get("data", ())) if isinstance(request.body, dict) else 0
        credits = max(1, -(-rows // 10))
        if request.operation == "coql":
            limit = re.search(r"limit\s+(\d+)", request.body["select_query"], re.IGNORECASE)
            size = int(limit[1]) if limit else 200
            credits = 1 if size <= 200 else 2 if size <= 1000 else 3
        if not self.take("credits", credits):
            raise Refused(429, {"code": "API_LIMIT_EXCEEDED", "status": "error"})

    def dispatch(self, request: Request) -> Answer:
        answer = super().dispatch(request)
        credits = self.limits.get("credits")
        if credits and credits.left <= credits.amount // 2:
            answer.headers["X-API-CREDITS-REMAINING"] = str(credits.left)
        return answer

    # ---- tokens

    def bearer(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return token if scheme == "Zoho-oauthtoken" else ""

    def token(self, request: Request) -> Answer:
        if request.body["grant_type"] == "refresh_token":
            self.refreshes = [moment for moment in self.refreshes if moment > self.now - timedelta(minutes=10)]
            if len(self.refreshes) >= 10:
                words = "You have made too many requests continuously. Please try again after some time."
                return Answer(400, {"error": "Access Denied", "error_description": words, "status": "failure"})
            self.refreshes.append(self.now)
        answer = super().token(request)
        # The 21st refresh token of a user ends the first.
        while len(self.grants) > 20:
            self.grants.pop(next(iter(self.grants)))
        return answer

    def token_error(self, error: str) -> Answer:
        # With status 200.
        return Answer(200, {"error": {"invalid_grant": "invalid_code"}.get(error, error)})

    def token_body(self, access: str, refresh: str) -> dict[str, Any]:
        return {**super().token_body(access, refresh), "api_domain": self.url, "scope": "ZohoCRM.modules.ALL"}

    def callback_extras(self) -> dict[str, str]:
        return {"location": "us", "accounts-server": self.accounts_server or self.url}

    # ---- reading

    def org(self, request: Request) -> Answer:
        return Answer(200, {"org": [{"id": "4150868000000225013", "zgid": "640000", "company_name": "Acme"}]})

    def fields(self, request: Request) -> Answer:
        kind = self._kind(request.query["module"])
        fields = [
            {
                "api_name": name,
                "field_label": name.replace("_", " "),
                "data_type": type,
                "length": 255 if type == "text" else None,
                "read_only": False,
                "system_mandatory": name == REQUIRED[kind],
                "custom_field": name.startswith(("Vocelio", "Extra", "Interests")),
                "unique": {"casesensitive": False} if name == "Vocelio_Id" else {},
                "pick_list_values": [{"actual_value": v, "display_value": v} for v in ("golf", "chess")]
                if type == "multiselectpicklist"
                else [],
            }
            for name, type in FIELDS[kind].items()
            if name != "Vocelio_Id" or self.has_id_field
        ]
        return Answer(200, {"fields": fields})

    def coql(self, request: Request) -> Answer:
        try:
            query = parse(request.body["select_query"], self._literal, pairs_only=True)
        except BadQuery as error:
            raise _error(400, "SYNTAX_ERROR", str(error)) from None
        kind = self._kind(query.table)
        if len(query.fields) > 50 or (query.limit or 200) > 2000 or query.offset > 100_000:
            raise _error(400, "LIMIT_EXCEEDED", "too many fields, rows or too deep")
        for name in query.fields:
            if not query.counts and name.partition(".")[0] not in FIELDS[kind] and name not in SYSTEM:
                raise _error(400, "INVALID_QUERY", f"no column {name}")
        records = [
            record
            for record in self.records[kind].values()
            if record.is_live and query.where(lambda name, record=record: self._get(record, name))  # type: ignore[misc]
        ]
        if query.counts:
            return Answer(200, {"data": [{query.fields[0]: len(records)}], "info": {"count": 1, "more_records": False}})
        for name, descending in reversed(query.orders):
            records.sort(key=lambda record: self._get(record, name), reverse=descending)
        limit = query.limit or 200
        found = records[query.offset : query.offset + limit]
        if not found:
            return Answer(204)
        rows = [self._row(kind, record, query.fields, in_query=True) for record in found]
        more = len(records) > query.offset + limit
        return Answer(200, {"data": rows, "info": {"count": len(rows), "more_records": more}})

    def list_records(self, request: Request) -> Answer:
        kind, query = self._kind(request.variables["module"]), request.query
        names = query["fields"].split(",")
        records = [record for record in self.records[kind].values() if record.is_live]
        if "ids" in query:
            wanted = query["ids"].split(",")
            found = [self.records[kind][id] for id in wanted if id in self.records[kind]]
            rows = [self._row(kind, record, names) for record in found if record.is_live]
            return Answer(200, {"data": rows, "info": {"more_records": False}}) if rows else Answer(204)
        if since := request.headers.get("if-modified-since"):
            records = [record for record in records if record.changed_at >= datetime.fromisoformat(since)]
            if not records:
                return Answer(304)
        order = query.get("sort_by", "id")
        records.sort(key=lambda record: self._get(record, order), reverse=query.get("sort_order", "desc") == "desc")
        return self._page(request, [self._row(kind, record, names) for record in records])

    def deleted_records(self, request: Request) -> Answer:
        kind = self._kind(request.variables["module"])
        since = request.headers.get("if-modified-since")
        records = [
            record
            for record in self.records[kind].values()
            if record.deleted_at
            and request.query.get("type", "all") in ("all", "permanent" if record.is_purged else "recycle")
            and (not since or record.deleted_at >= datetime.fromisoformat(since))
        ]
        if since and not records:
            return Answer(304)
        records.sort(key=lambda record: record.deleted_at or record.changed_at, reverse=True)
        rows = [
            {
                "id": record.id,
                "display_name": str(record.values.get("Last_Name", "")),
                "type": "permanent" if record.is_purged or record.merged_into else "recycle",
                "deleted_time": _stamp(record.deleted_at or record.changed_at),
            }
            for record in records
        ]
        return self._page(request, rows)

    def _page(self, request: Request, rows: list[dict[str, Any]]) -> Answer:
        size = int(request.query.get("per_page", "200"))
        if token := request.query.get("page_token"):
            start, made = self.page_tokens.get(token, (0, datetime.min.replace(tzinfo=INDIA)))
            if made < self.now - timedelta(hours=24):
                raise _error(400, "EXPIRED_VALUE", "the page token has expired")
        else:
            start = (int(request.query.get("page", "1")) - 1) * size
            if start + size > 2000:
                raise _error(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", "the first 2000 records alone have pages")
        found = rows[start : start + size]
        info: dict[str, Any] = {"count": len(found), "more_records": len(rows) > start + size}
        if info["more_records"]:
            info["next_page_token"] = hashlib.sha256(f"{request.path}{start + size}".encode()).hexdigest()
            self.page_tokens[info["next_page_token"]] = (start + size, self.now)
        return Answer(200, {"data": found, "info": info}) if found else Answer(204)

    def _literal(self, name: str, text: str) -> Any:
        if name.endswith("_Time"):
            return datetime.fromisoformat(text)
        return int(text) if name == "id" else text.lower()

    def _get(self, record: Record, name: str) -> Any:
        own = {"id": int(record.id), "Modified_Time": record.changed_at, "Created_Time": record.created_at}
        value = own.get(name, record.values.get(name))
        return value.lower() if isinstance(value, str) else value

    def _row(self, kind: str, record: Record, names: list[str], *, in_query: bool = False) -> dict[str, Any]:
        row: dict[str, Any] = {"id": record.id}
        for name in names:
            if name in ("Modified_Time", "Created_Time"):
                row[name] = _stamp(self._get(record, name))
            elif name.startswith("Account_Name") and kind == "contacts":
                account = self.records["companies"].get(record.values.get("Account_Name") or "")
                if account and in_query and "." in name:
                    row[name] = account.values.get("Account_Name")
                elif account:
                    row[name] = {"id": account.id, "name": account.values.get("Account_Name")}
                else:
                    row[name] = None
            elif name != "id":
                row[name] = record.values.get(name)
        return row

    # ---- writing

    def upsert_records(self, request: Request) -> Answer:
        kind = self._kind(request.variables["module"])
        checks = request.body.get("duplicate_check_fields") or ["Email"]
        rows = []
        for given in request.body["data"]:
            found = next(
                (same for name in checks if given.get(name) for same in self.having(kind, name, given[name])), None
            )
            rows.append(self._put(kind, found, given))
        return self._answer(rows)

    def update_records(self, request: Request) -> Answer:
        kind = self._kind(request.variables["module"])
        rows = []
        for given in request.body["data"]:
            record = self.records[kind].get(given["id"])
            if record is None or not record.is_live:
                rows.append(_failed("INVALID_DATA", "the id given seems to be invalid", "id"))
            else:
                rows.append(self._put(kind, record, {k: v for k, v in given.items() if k != "id"}))
        return self._answer(rows)

    def delete_records(self, request: Request) -> Answer:
        kind = self._kind(request.variables["module"])
        rows = []
        for id in request.query["ids"].split(","):
            record = self.records[kind].get(id)
            if record is None or not record.is_live:
                rows.append(_failed("INVALID_DATA", "the id given seems to be invalid", "id"))
            else:
                self.remove(kind, record)
                rows.append(
                    {"code": "SUCCESS", "details": {"id": id}, "message": "record deleted", "status": "success"}
                )
        return self._answer(rows)

    def _put(self, kind: str, record: Record | None, values: dict[str, Any]) -> dict[str, Any]:
        for name, value in values.items():
            type = FIELDS[kind].get(name)
            if type is None:
                continue
            wrong = (
                (type == "boolean" and not isinstance(value, (bool, type_none)))
                or (type == "multiselectpicklist" and not isinstance(value, (list, type_none)))
                or (type == "email" and value and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value))
            )
            if wrong:
                return _failed("INVALID_DATA", "invalid data", name)
        required = REQUIRED[kind]
        if not {**(record.values if record else {}), **values}.get(required):
            return _failed("MANDATORY_NOT_FOUND", "required field not found", required)
        if self.unique_email and values.get("Email"):
            for other in self.having(kind, "Email", values["Email"]):
                if other is not record:
                    failed = _failed("DUPLICATE_DATA", "duplicate data", "Email")
                    failed["details"]["duplicate_record"] = {"id": other.id}
                    return failed
        action = "update" if record else "insert"
        if record is None:
            record = self.create(kind, values)
        else:
            self.change(kind, record, values)
        details = {"id": record.id, "Modified_Time": _stamp(record.changed_at)}
        return {"code": "SUCCESS", "action": action, "details": details, "message": "done", "status": "success"}

    def _answer(self, rows: list[dict[str, Any]]) -> Answer:
        good = sum(row["status"] == "success" for row in rows)
        return Answer(200 if good == len(rows) else 207 if good else 400, {"data": rows})

    def _kind(self, module: str) -> str:
        for kind, name in self.types.items():
            if name.lower() == module.lower():
                return kind
        raise _error(400, "INVALID_QUERY", f"no module {module}")

    # ---- webhooks

    def watch(self, request: Request) -> Answer:
        rows = []
        for channel in request.body["watch"]:
            expiry = datetime.fromisoformat(channel["channel_expiry"])
            if expiry > self.now + timedelta(days=7):
                rows.append({"code": "INVALID_DATA", "status": "error", "details": {"api_name": "channel_expiry"}})
                continue
            self.channels[channel["channel_id"]] = channel
            rows.append({"code": "SUCCESS", "status": "success", "details": {}})
        return Answer(200, {"watch": rows})

    def unwatch(self, request: Request) -> Answer:
        if self.channels.pop(request.query["channel_ids"], None) is None:
            return Answer(400, {"watch": [{"code": "INVALID_DATA", "status": "error"}]})
        return Answer(200, {"watch": [{"code": "SUCCESS", "status": "success"}]})

    def webhook_urls(self) -> list[str]:
        now = self.now
        return [c["notify_url"] for c in self.channels.values() if datetime.fromisoformat(c["channel_expiry"]) > now]

    def webhook(self, events: list[tuple[str, str, str, str, datetime]], url: str) -> tuple[dict[str, str], bytes]:
        """Return the webhook of the events that are like the first: one module and operation a request."""
        kind, _, change, _, at = events[0]
        channel = next(c for c in self.channels.values() if c["notify_url"] == url)
        operation = {"created": "insert", "changed": "update", "deleted": "delete", "merged": "delete"}[change]
        body = {
            "server_time": int(at.timestamp() * 1000),
            "module": self.types[kind],
            "resource_uri": f"{self.url}/crm/v8/{self.types[kind]}",
            "ids": [id for other, id, same, _, _ in events if (other, same) == (kind, change)],
            "operation": operation,
            "channel_id": channel["channel_id"],
            "token": channel["token"],
        }
        return {"Content-Type": "application/json"}, json.dumps(body).encode()

    def deliver(self, url: str = "") -> int:
        """Send the events of each record in a request of their own."""
        with self.lock:
            events, self.events = self.events, []
        taken = 0
        for event in events:
            self.events = [event]
            taken += super().deliver(url)
        return taken


type_none = type(None)


def _stamp(moment: datetime) -> str:
    """Return a time as the org's users see it, in their zone."""
    return moment.astimezone(INDIA).isoformat(timespec="seconds")


def _failed(code: str, message: str, name: str) -> dict[str, Any]:
    return {"code": code, "details": {"api_name": name}, "message": message, "status": "error"}


def _error(status: int, code: str, message: str) -> Refused:
    return Refused(status, {"code": code, "details": {}, "message": message, "status": "error"})


if __name__ == "__main__":
    main(FakeZoho, 9104)
