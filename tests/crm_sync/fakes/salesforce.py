"""A Salesforce org: SOQL with times of whole seconds, rotating refresh tokens, recycle bin, outcomes row by row."""

import re
from datetime import datetime, timedelta
from typing import Any

from tests.crm_sync.fakes.query import BadQuery, Query, parse
from tests.crm_sync.fakes.server import Fake, main
from tests.crm_sync.fakes.wire import Answer, Limit, Record, Refused, Request

# Name, type.
FIELDS: dict[str, dict[str, str]] = {
    "contacts": {
        **dict.fromkeys(("FirstName", "LastName", "Title", "MailingStreet", "MailingCity", "MailingState"), "string"),
        **dict.fromkeys(("MailingPostalCode", "MailingCountry", "Vocelio_Id__c"), "string"),
        "Email": "email",
        "Phone": "phone",
        "Description": "textarea",
        "DoNotCall": "boolean",
        "HasOptedOutOfEmail": "boolean",
        "AccountId": "reference",
        "Interests__c": "multipicklist",
        "MailingAddress": "address",
    },
    "companies": {
        **dict.fromkeys(("Name", "Industry", "BillingStreet", "BillingCity", "BillingState"), "string"),
        **dict.fromkeys(("BillingPostalCode", "BillingCountry", "Vocelio_Id__c"), "string"),
        "Website": "url",
        "Phone": "phone",
    },
}
SYSTEM = ("Id", "SystemModstamp", "CreatedDate", "IsDeleted", "MasterRecordId")
REQUIRED = {"contacts": "LastName", "companies": "Name"}
PREFIX = {"contacts": "003", "companies": "001"}


class FakeSalesforce(Fake):
    """Salesforce on loopback."""

    vendor = "salesforce"
    types = {"contacts": "Contact", "companies": "Account"}
    indexed = ("Email", "Vocelio_Id__c")
    token_seconds = 7200
    rotates = True
    resolution = timedelta(seconds=1)

    def prepare(self) -> None:
        # Rows of one answer when rows are wide; the rest is behind a locator.
        self.wide_rows: int | None = None
        self.locators: dict[str, tuple[Query, list[dict[str, Any]]]] = {}
        self.locked: set[str] = set()
        self.duplicate_rule = False
        self.has_id_field = True
        # The first moment that the log of deletions still holds.
        self.log_since = self.now - timedelta(days=15)

    def vendor_limits(self) -> dict[str, Limit]:
        return {"day": Limit(100_000, 86_400)}

    def sample(self, number: int, kind: str) -> dict[str, Any]:
        if kind == "companies":
            return {"Name": f"Company {number}", "Website": f"company{number}.example", "BillingCity": "Austin"}
        return {
            "FirstName": f"Person{number}",
            "LastName": f"Number{number}",
            "Email": f"person{number}@people.example",
            "Phone": f"+1202555{number % 10_000:04}",
            "MailingCity": "Austin",
            "DoNotCall": False,
        }

    def new_id(self, kind: str) -> str:
        self.serial += 1
        return f"{PREFIX[kind]}5g{self.serial:010}AAA"

    def clean(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        cleaned = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: None if value == "" else value for name, value in cleaned.items()}

    def unauthorized(self) -> Refused:
        return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")

    def bad_request(self, problems: list[str]) -> Refused:
        return _error(400 if problems else 404, "NOT_FOUND", problems[0] if problems else "no such path")

    def spend(self, request: Request) -> None:
        if not self.take("day"):
            raise _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")

    def dispatch(self, request: Request) -> Answer:
        answer = super().dispatch(request)
        day = self.limits.get("day")
        used, amount = (day.total, day.amount) if day else (self.calls.total(), 100_000)
        answer.headers["Sforce-Limit-Info"] = f"api-usage={used}/{amount}"
        return answer

    def token_body(self, access: str, refresh: str) -> dict[str, Any]:
        # No expires_in: how long a session lives is a setting of the org.
        body = {"access_token": access, "instance_url": self.url, "scope": "api refresh_token", "token_type": "Bearer"}
        return {**body, "refresh_token": refresh} if refresh else body

    # ---- reading

    def resources(self, request: Request) -> Answer:
        return Answer(200, {"query": "/services/data/v64.0/query"})

    def describe(self, request: Request) -> Answer:
        kind = self._kind(request.variables["object"])
        fields: list[dict[str, Any]] = [
            {
                "name": name,
                "label": name,
                "type": type,
                "length": 80 if type == "string" else 0,
                "createable": type != "address",
                "updateable": type != "address",
                "nillable": name != REQUIRED[kind],
                "defaultedOnCreate": type == "boolean",
                "custom": name.endswith("__c"),
                "unique": name == "Vocelio_Id__c",
                "externalId": name == "Vocelio_Id__c",
                "picklistValues": [{"value": v, "label": v, "active": True} for v in ("golf", "chess")]
                if type == "multipicklist"
                else [],
            }
            for name, type in FIELDS[kind].items()
            if name != "Vocelio_Id__c" or self.has_id_field
        ]
        return Answer(200, {"name": request.variables["object"], "fields": fields})

    def query(self, request: Request) -> Answer:
        return self._select(request.query["q"], everything=False)

    def query_all(self, request: Request) -> Answer:
        return self._select(request.query["q"], everything=True)

    def query_more(self, request: Request) -> Answer:
        found = self.locators.pop(request.variables["locator"], None)
        if found is None:
            raise _error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._page(*found)

    def _select(self, soql: str, *, everything: bool) -> Answer:
        if re.search(r"from\s+organization", soql, re.IGNORECASE):
            row = {"Id": "00D5g000000ACMEAAA", "Name": "Acme", "IsSandbox": False}
            return Answer(200, {"totalSize": 1, "done": True, "records": [row]})
        try:
            query = parse(soql, self._literal)
        except BadQuery as error:
            raise _error(400, "MALFORMED_QUERY", str(error)) from None
        kind = self._kind(query.table)
        for name in query.fields:
            known = name in SYSTEM or name in FIELDS[kind] or name == "Account.Name" or query.counts
            if not known or (name == "Vocelio_Id__c" and not self.has_id_field):
                raise _error(400, "INVALID_FIELD", f"No such column '{name}' on entity '{query.table}'")
        records = [
            record
            for record in self.records[kind].values()
            if (record.is_live or (everything and not record.is_purged))
            and query.where(lambda name, record=record: self._get(record, name))  # type: ignore[misc]
        ]
        if query.counts:
            return Answer(200, {"totalSize": len(records), "done": True, "records": []})
        for name, descending in reversed(query.orders):
            records.sort(key=lambda record: self._get(record, name), reverse=descending)
        rows = [self._row(kind, record, query.fields) for record in records[: query.limit]]
        return self._page(query, rows)

    def _page(self, query: Query, rows: list[dict[str, Any]]) -> Answer:
        size = self.wide_rows or 2000
        body: dict[str, Any] = {"totalSize": len(rows), "done": len(rows) <= size, "records": rows[:size]}
        if not body["done"]:
            locator = f"01g5g{len(self.locators):010}-{size}"
            self.locators[locator] = (query, rows[size:])
            body["nextRecordsUrl"] = f"/services/data/v64.0/query/{locator}"
        return Answer(200, body)

    def _literal(self, name: str, text: str) -> Any:
        if name in ("SystemModstamp", "CreatedDate"):
            return datetime.fromisoformat(text.replace("Z", "+00:00"))
        return text if name in ("Id", "MasterRecordId") else text.lower()

    def _get(self, record: Record, name: str) -> Any:
        own = {
            "Id": record.id,
            "SystemModstamp": record.changed_at,
            "CreatedDate": record.created_at,
            "IsDeleted": not record.is_live,
            "MasterRecordId": record.merged_into or None,
        }
        if name in own:
            return own[name]
        value = record.values.get(name)
        return value.lower() if isinstance(value, str) else value

    def _row(self, kind: str, record: Record, names: list[str]) -> dict[str, Any]:
        row: dict[str, Any] = {"attributes": {"type": self.types[kind]}}
        for name in names:
            if name in SYSTEM:
                value = self._get(record, name)
                row[name] = value.strftime("%Y-%m-%dT%H:%M:%S.000+0000") if isinstance(value, datetime) else value
            elif name == "Account.Name":
                account = self.records["companies"].get(record.values.get("AccountId") or "")
                row["Account"] = {"Name": account.values.get("Name")} if account else None
            elif FIELDS[kind][name] == "boolean":
                row[name] = bool(record.values.get(name))
            else:
                row[name] = record.values.get(name)
        return row

    def deleted(self, request: Request) -> Answer:
        kind = self._kind(request.variables["object"])
        start, end = (
            datetime.fromisoformat(request.query[name].replace("Z", "+00:00")).replace(second=0, microsecond=0)
            for name in ("start", "end")
        )
        if end - start < timedelta(minutes=1) or start < self.now - timedelta(days=30):
            raise _error(400, "INVALID_REPLICATION_DATE", "the period is not possible")
        earliest = max(self.log_since, self.now - timedelta(days=15))
        return Answer(
            200,
            {
                "deletedRecords": [
                    {"id": record.id, "deletedDate": _stamp(record.deleted_at)}
                    for record in self.records[kind].values()
                    if record.deleted_at and start <= record.deleted_at < end and record.deleted_at >= earliest
                ],
                "earliestDateAvailable": _stamp(earliest),
                "latestDateCovered": _stamp(min(self.now, end)),
            },
        )

    # ---- writing

    def upsert_records(self, request: Request) -> Answer:
        kind = self._kind(request.variables["object"])
        field = request.variables["field"]
        if field not in FIELDS[kind] or not self.has_id_field:
            raise _error(404, "NOT_FOUND", "Provided external ID field does not exist or is not accessible")
        self._check(kind, request.body["records"])
        rows = []
        for given in request.body["records"]:
            values = {name: value for name, value in given.items() if name != "attributes"}
            found = self.having(kind, field, values[field])
            rows.append(self._put(kind, found[0] if found else None, values))
        return Answer(200, rows)

    def update_records(self, request: Request) -> Answer:
        kind = self._kind(request.body["records"][0]["attributes"]["type"])
        self._check(kind, request.body["records"])
        rows = []
        for given in request.body["records"]:
            values = {name: value for name, value in given.items() if name not in ("attributes", "id")}
            record = self.records[kind].get(given["id"])
            if record is None:
                rows.append(_failed("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"))
            elif not record.is_live:
                rows.append(_failed("ENTITY_IS_DELETED", "entity is deleted"))
            else:
                rows.append(self._put(kind, record, values))
        return Answer(200, rows)

    def delete_records(self, request: Request) -> Answer:
        rows = []
        for id in request.query["ids"].split(","):
            kind = "contacts" if id.startswith("003") else "companies"
            record = self.records[kind].get(id)
            if record is None or not record.is_live:
                rows.append(_failed("ENTITY_IS_DELETED" if record else "INVALID_CROSS_REFERENCE_KEY", "is deleted"))
            else:
                self.remove(kind, record)
                rows.append({"id": id, "success": True, "errors": []})
        return Answer(200, rows)

    def _check(self, kind: str, records: list[dict[str, Any]]) -> None:
        for given in records:
            for name, value in given.items():
                if name in ("attributes", "id"):
                    continue
                if name not in FIELDS[kind]:
                    raise _error(400, "INVALID_FIELD", f"No such column '{name}'")
                if FIELDS[kind][name] == "boolean" and not isinstance(value, bool):
                    raise _error(400, "JSON_PARSER_ERROR", "Cannot deserialize instance of boolean")

    def _put(self, kind: str, record: Record | None, values: dict[str, Any]) -> dict[str, Any]:
        if record and record.id in self.locked:
            return _failed("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access to this record")
        required = REQUIRED[kind]
        if not {**(record.values if record else {}), **values}.get(required):
            return _failed("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{required}]", required)
        email = values.get("Email")
        if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            return _failed("INVALID_EMAIL_ADDRESS", "Email: invalid email address", "Email")
        for name, value in values.items():
            if FIELDS[kind][name] == "string" and isinstance(value, str) and len(value) > 80:
                return _failed("STRING_TOO_LONG", "data value too large", name)
        if self.duplicate_rule and email and any(other is not record for other in self.having(kind, "Email", email)):
            return _failed("DUPLICATES_DETECTED", "Use one of these records?")
        if record is None:
            record = self.create(kind, values)
            return {"id": record.id, "success": True, "errors": [], "created": True}
        self.change(kind, record, values)
        return {"id": record.id, "success": True, "errors": [], "created": False}

    def _kind(self, name: str) -> str:
        return next(kind for kind, object in self.types.items() if object == name)


def _stamp(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000") if moment else ""


def _failed(code: str, message: str, *fields: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"statusCode": code, "message": message, "fields": list(fields)}]}


def _error(status: int, code: str, message: str) -> Refused:
    return Refused(status, [{"errorCode": code, "message": message}])


if __name__ == "__main__":
    main(FakeSalesforce, 9102)
