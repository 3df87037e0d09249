"""A HubSpot account: lagging search with its cap, one sort, ids compared as text, 207s, merges that vanish."""

import base64
import hashlib
import hmac
import json
import operator
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

from tests.crm_sync.fakes.oauth import CLIENT_SECRET
from tests.crm_sync.fakes.server import Fake, main
from tests.crm_sync.fakes.wire import Answer, Limit, Record, Refused, Request

# Name, type, fieldType.
TEXTS = ("address", "city", "state", "zip", "country", "name", "vocelio_id")
PROPERTIES: dict[str, list[tuple[str, str, str]]] = {
    "contacts": [
        *((name, "string", "text") for name in ("firstname", "lastname", "email", "company", "jobtitle", *TEXTS)),
        ("phone", "string", "phonenumber"),
        ("lifecyclestage", "enumeration", "radio"),
        ("interests", "enumeration", "checkbox"),
        ("annual_visits", "number", "number"),
        ("vip", "bool", "booleancheckbox"),
        ("birthday", "date", "date"),
        ("hs_email_optout", "bool", "booleancheckbox"),
        ("hs_object_id", "number", "number"),
        ("hs_merged_object_ids", "string", "text"),
        ("lastmodifieddate", "datetime", "date"),
    ],
    "companies": [
        *((name, "string", "text") for name in ("domain", "website", "industry", *TEXTS)),
        ("phone", "string", "phonenumber"),
        ("hs_object_id", "number", "number"),
        ("hs_merged_object_ids", "string", "text"),
        ("hs_lastmodifieddate", "datetime", "date"),
    ],
}
OPTIONS = {"lifecyclestage": ("lead", "customer"), "interests": ("golf", "chess", "sailing")}
READ_ONLY = {"hs_email_optout", "hs_object_id", "hs_merged_object_ids", "lastmodifieddate", "hs_lastmodifieddate"}
TIMES = ("lastmodifieddate", "hs_lastmodifieddate")
EPOCH = datetime.fromtimestamp(0, UTC)


class FakeHubSpot(Fake):
    """HubSpot on loopback."""

    vendor = "hubspot"
    types = {"contacts": "contacts", "companies": "companies"}
    indexed = ("email", "vocelio_id")
    token_seconds = 1800

    def prepare(self) -> None:
        self.next_id = 995
        # How deep search goes.
        self.cap = 10_000
        # Rows that search gives at most, with a cursor when there are more; and how many empty pages come first.
        self.short_page: int | None = None
        self.empty_pages = 0
        # Whether a batch with a bad row is answered row by row (207) or refused whole.
        self.multi_status = True
        self.has_id_property = True
        # Whether the connection may unsubscribe many at a time, and one.
        self.unsubscribes = {"many": True, "one": True}
        self.webhook_url = ""

    def vendor_limits(self) -> dict[str, Limit]:
        return {"burst": Limit(110, 10), "search": Limit(5, 1), "day": Limit(650_000, 86_400)}

    def sample(self, number: int, kind: str) -> dict[str, Any]:
        if kind == "companies":
            return {"name": f"Company {number}", "domain": f"company{number}.example", "city": "Austin"}
        return {
            "firstname": f"Person{number}",
            "lastname": f"Number{number}",
            "email": f"person{number}@people.example",
            "phone": f"+1202555{number % 10_000:04}",
            "city": "Austin",
        }

    def new_id(self, kind: str) -> str:
        self.next_id += 1
        return str(self.next_id)

    def clean(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """Store text, e-mails in lower case."""
        cleaned = {name: str(value).strip() for name, value in values.items() if value not in (None, "")}
        if "email" in cleaned:
            cleaned["email"] = cleaned["email"].lower()
        return cleaned

    def unauthorized(self) -> Refused:
        return Refused(401, {"status": "error", "category": "EXPIRED_AUTHENTICATION", "message": "expired"})

    def bad_request(self, problems: list[str]) -> Refused:
        return _error(400, "VALIDATION_ERROR", problems[0] if problems else "no such path")

    def spend(self, request: Request) -> None:
        if not self.take("day"):
            raise Refused(429, {"policyName": "DAILY", "errorType": "RATE_LIMIT"})
        if not self.take("burst"):
            raise Refused(429, {"policyName": "TEN_SECONDLY_ROLLING", "errorType": "RATE_LIMIT"})
        if request.operation == "search_objects" and not self.take("search"):
            raise Refused(429, {"policyName": "SECONDLY", "errorType": "RATE_LIMIT"})

    def dispatch(self, request: Request) -> Answer:
        answer = super().dispatch(request)
        if (day := self.limits.get("day")) is not None:
            answer.headers["X-HubSpot-RateLimit-Daily"] = str(day.amount)
            answer.headers["X-HubSpot-RateLimit-Daily-Remaining"] = str(day.left)
        return answer

    def token_body(self, access: str, refresh: str) -> dict[str, Any]:
        # The refresh token stays and is told again.
        again = refresh or self.tokens[access].grant
        return {**super().token_body(access, again), "hub_id": 4242, "scopes": ["oauth"]}

    # ---- operations

    def account_details(self, request: Request) -> Answer:
        return Answer(200, {"portalId": 4242, "accountType": "STANDARD", "timeZone": "US/Eastern"})

    def list_properties(self, request: Request) -> Answer:
        return Answer(
            200,
            {
                "results": [
                    {
                        "name": name,
                        "label": name.title(),
                        "type": type,
                        "fieldType": field_type,
                        "hasUniqueValue": name == "vocelio_id",
                        "hubspotDefined": name != "vocelio_id",
                        "calculated": False,
                        "modificationMetadata": {"readOnlyValue": name in READ_ONLY},
                        "options": [{"value": o, "label": o.title()} for o in OPTIONS.get(name, ())],
                    }
                    for name, type, field_type in PROPERTIES[request.variables["objectType"]]
                    if name != "vocelio_id" or self.has_id_property
                ]
            },
        )

    def list_objects(self, request: Request) -> Answer:
        kind = request.variables["objectType"]
        archived = request.query.get("archived") == "true"
        after = int(request.query.get("after", "0"))
        oldest = self.now - timedelta(days=90)
        found = sorted(
            (
                record
                for record in self.records[kind].values()
                if (not record.is_live if archived else record.is_live)
                and not record.merged_into
                and not record.is_purged
                and int(record.id) >= after
                and (not record.deleted_at or record.deleted_at > oldest)
            ),
            key=lambda record: int(record.id),
        )
        limit = int(request.query.get("limit", "10"))
        names = request.query.get("properties", "").split(",")
        body: dict[str, Any] = {"results": [self._row(kind, record, names) for record in found[:limit]]}
        if len(found) > limit:
            body["paging"] = {"next": {"after": found[limit].id}}
        return Answer(200, body)

    def get_object(self, request: Request) -> Answer:
        kind, id = request.variables["objectType"], request.variables["objectId"]
        record = self.records[kind].get(id)
        while record and record.merged_into:
            record = self.records[kind].get(record.merged_into)
        if record is None or not record.is_live:
            raise _error(404, "OBJECT_NOT_FOUND", "Object not found")
        return Answer(200, self._row(kind, record, request.query.get("properties", "").split(",")))

    def search_objects(self, request: Request) -> Answer:
        kind, query = request.variables["objectType"], request.body
        offset, limit = int(query.get("after") or 0), query.get("limit", 10)
        if offset + limit > self.cap:
            raise _error(400, "VALIDATION_ERROR", f"The search offset and limit exceed {self.cap}")
        indexed = self.now - timedelta(seconds=self.search_lag)
        known = {name for name, _, _ in PROPERTIES[kind]}
        used = [f["propertyName"] for group in query.get("filterGroups") or () for f in group["filters"]]
        if not {*used, *(sort["propertyName"] for sort in query.get("sorts", ()))} <= known:
            raise _error(400, "VALIDATION_ERROR", "a property to search by does not exist")
        groups = [[self._test(filter) for filter in group["filters"]] for group in query.get("filterGroups") or ()]
        found = [record for record in self.records[kind].values() if record.is_live and record.changed_at <= indexed]
        if groups:
            found = [record for record in found if any(all(test(record) for test in group) for group in groups)]
        for sort in query.get("sorts", ()):
            found.sort(key=lambda record: self._comparable(record, sort["propertyName"]))
            if sort.get("direction") == "DESCENDING":
                found.reverse()
        body: dict[str, Any] = {"total": len(found), "results": []}
        if self.empty_pages:
            self.empty_pages -= 1
            body["paging"] = {"next": {"after": str(offset)}}
            return Answer(200, body)
        limit = min(limit, self.short_page or limit)
        names = query.get("properties", [])
        body["results"] = [self._row(kind, record, names) for record in found[offset : offset + limit]]
        if offset + limit < len(found):
            body["paging"] = {"next": {"after": str(offset + limit)}}
        return Answer(200, body)

    def _test(self, filter: dict[str, Any]) -> Callable[[Record], bool]:
        """Return a filter as a question to a record: times are compared as such, ids and the rest as text."""
        name, value = filter["propertyName"], filter["value"]
        wanted = EPOCH + timedelta(milliseconds=int(value)) if name in TIMES else value.lower()
        compare = {"EQ": operator.eq, "GT": operator.gt, "GTE": operator.ge}.get(filter["operator"])
        if compare is None:
            raise _error(400, "VALIDATION_ERROR", "operator")
        return lambda record: bool(compare(self._comparable(record, name), wanted))

    def _comparable(self, record: Record, name: str) -> Any:
        if name in TIMES:
            return record.changed_at
        return record.id if name == "hs_object_id" else str(record.values.get(name, "")).lower()

    def batch_read(self, request: Request) -> Answer:
        kind, body = request.variables["objectType"], request.body
        name = body.get("idProperty", "hs_object_id")
        wanted = [given["id"] for given in body["inputs"]]
        if name == "hs_object_id":
            found = [r for id in wanted if (r := self.records[kind].get(id)) and r.is_live]
        else:
            found = [record for value in wanted for record in self.having(kind, name, value)]
        answer: dict[str, Any] = {
            "status": "COMPLETE",
            # In whatever order.
            "results": [self._row(kind, record, body["properties"]) for record in reversed(found)],
        }
        missing = [id for id in wanted if id not in {r.id for r in found}] if name == "hs_object_id" else []
        if not missing:
            return Answer(200, answer)
        errors = [{"category": "OBJECT_NOT_FOUND", "message": "not found", "context": {"ids": missing}}]
        return Answer(207, {**answer, "numErrors": 1, "errors": errors})

    def batch_upsert(self, request: Request) -> Answer:
        kind = request.variables["objectType"]
        if not self.has_id_property:
            raise _error(400, "VALIDATION_ERROR", "the idProperty does not exist")
        done: list[tuple[dict[str, Any], Record | None, dict[str, Any]]] = []
        for given in request.body["inputs"]:
            name = given["idProperty"]
            record = next(iter(self.having(kind, name, given["id"])), None)
            values = {**given["properties"], name: given["id"]}
            done.append((given, record, values))
        return self._write(request, kind, done)

    def batch_update(self, request: Request) -> Answer:
        kind = request.variables["objectType"]
        done: list[tuple[dict[str, Any], Record | None, dict[str, Any]]] = []
        lost = []
        for given in request.body["inputs"]:
            record = self.records[kind].get(given["id"])
            if record is None or not record.is_live:
                lost.append(given)
            else:
                done.append((given, record, given["properties"]))
        return self._write(request, kind, done, lost)

    def batch_archive(self, request: Request) -> Answer:
        kind = request.variables["objectType"]
        for given in request.body["inputs"]:
            record = self.records[kind].get(given["id"])
            if record and record.is_live:
                self.remove(kind, record)
        return Answer(204)

    def unsubscribe_many(self, request: Request) -> Answer:
        if not self.unsubscribes["many"]:
            raise _error(403, "MISSING_SCOPES", "communication_preferences.statuses.batch.write")
        for email in request.body["inputs"]:
            self._unsubscribe(email)
        return Answer(200, {"status": "COMPLETE", "results": []})

    def unsubscribe_one(self, request: Request) -> Answer:
        if not self.unsubscribes["one"]:
            raise _error(403, "MISSING_SCOPES", "communication_preferences.read_write")
        self._unsubscribe(unquote(request.variables["address"]))
        return Answer(200, {"status": "COMPLETE", "results": []})

    def _unsubscribe(self, email: str) -> None:
        for record in self.having("contacts", "email", email.lower()):
            self.change("contacts", record, {"hs_email_optout": "true"})

    def _write(
        self,
        request: Request,
        kind: str,
        todo: Iterable[tuple[dict[str, Any], Record | None, dict[str, Any]]],
        lost: Iterable[dict[str, Any]] = (),
    ) -> Answer:
        errors: list[dict[str, Any]] = []
        good = []
        for given in lost:
            errors.append({**_problem("OBJECT_NOT_FOUND", "not found"), "context": {"ids": [given["id"]]}})
        for given, record, values in todo:
            problem = self._problem(kind, record, values)
            if problem:
                errors.append({**problem, "context": {"objectWriteTraceId": [given.get("objectWriteTraceId", "")]}})
            else:
                good.append((given, record, values))
        traced = all(given.get("objectWriteTraceId") for given in request.body["inputs"])
        if errors and not (traced and self.multi_status):
            first = errors[0]
            status = {"CONFLICT": 409, "OBJECT_NOT_FOUND": 404}.get(first["category"], 400)
            return Answer(status, first)
        results = []
        for given, record, values in good:
            new = record is None
            if record is None:
                record = self.create(kind, values)
            else:
                self.change(kind, record, values)
            row = self._row(kind, record, [*values])
            results.append({**row, "new": new, "objectWriteTraceId": given.get("objectWriteTraceId")})
        results.reverse()
        body: dict[str, Any] = {"status": "COMPLETE", "results": results}
        if errors:
            return Answer(207, {**body, "numErrors": len(errors), "errors": errors})
        return Answer(200, body)

    def _problem(self, kind: str, record: Record | None, values: dict[str, Any]) -> dict[str, Any] | None:
        known = {name for name, _, _ in PROPERTIES[kind]}
        for name, value in values.items():
            if name not in known:
                return _problem("VALIDATION_ERROR", "Property does not exist", name, "PROPERTY_DOESNT_EXIST")
            if name in READ_ONLY:
                return _problem("VALIDATION_ERROR", "read only value", name, "READ_ONLY_VALUE")
            options = OPTIONS.get(name)
            if options and value and not set(value.split(";")) <= set(options):
                return _problem("VALIDATION_ERROR", "was not one of the allowed options", name, "INVALID_OPTION")
        email = values.get("email", "")
        if email and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            return _problem("VALIDATION_ERROR", "Email address is invalid", "email", "INVALID_EMAIL")
        if email and kind == "contacts":
            for other in self.having(kind, "email", email):
                if other is not record:
                    return _problem("CONFLICT", f"Contact already exists. Existing ID: {other.id}")
        return None

    def _row(self, kind: str, record: Record, names: Iterable[str]) -> dict[str, Any]:
        moment = record.changed_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        own = {
            "hs_object_id": record.id,
            "hs_merged_object_ids": ";".join(record.absorbed) or None,
            "lastmodifieddate": moment,
            "hs_lastmodifieddate": moment,
        }
        row: dict[str, Any] = {
            "id": record.id,
            "properties": {name: own.get(name, record.values.get(name)) for name in names if name},
            "createdAt": record.created_at.isoformat().replace("+00:00", "Z"),
            "updatedAt": moment,
            "archived": not record.is_live,
        }
        if record.deleted_at:
            row["archivedAt"] = record.deleted_at.isoformat().replace("+00:00", "Z")
        return row

    # ---- webhooks

    def webhook_urls(self) -> list[str]:
        return [self.webhook_url] if self.webhook_url else []

    def webhook(self, events: list[tuple[str, str, str, str, datetime]], url: str) -> tuple[dict[str, str], bytes]:
        names = {"contacts": "contact", "companies": "company"}
        actions = {"created": "creation", "changed": "propertyChange", "deleted": "deletion", "merged": "merge"}
        told = []
        for kind, id, change, into, at in events:
            self.serial += 1
            event: dict[str, Any] = {
                "eventId": self.serial,
                "subscriptionId": 77,
                "portalId": 4242,
                "occurredAt": int(at.timestamp() * 1000),
                "subscriptionType": f"{names[kind]}.{actions[change]}",
                "attemptNumber": 0,
                "objectId": int(id),
            }
            if change == "merged":
                event |= {
                    "objectId": int(into),
                    "primaryObjectId": int(into),
                    "mergedObjectIds": [int(id)],
                    "newObjectId": int(into),
                }
            told.append(event)
        body = json.dumps(told).encode()
        stamp = str(int(self.now.timestamp() * 1000))
        signed = b"POST" + url.encode() + body + stamp.encode()
        signature = base64.b64encode(hmac.new(CLIENT_SECRET.encode(), signed, hashlib.sha256).digest()).decode()
        headers = {"X-HubSpot-Signature-v3": signature, "X-HubSpot-Request-Timestamp": stamp}
        return {**headers, "Content-Type": "application/json"}, body


def _problem(category: str, message: str, name: str = "", code: str = "") -> dict[str, Any]:
    problem: dict[str, Any] = {"status": "error", "category": category, "message": message}
    if name:
        problem["errors"] = [{"message": message, "code": code, "context": {"propertyName": [name]}}]
    return problem


def _error(status: int, category: str, message: str) -> Refused:
    return Refused(status, _problem(category, message))


if __name__ == "__main__":
    main(FakeHubSpot, 9101)
