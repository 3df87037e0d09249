"""A Pipedrive company: tokens a day, opaque cursors, one record a write, deletions that only webhooks tell."""

import base64
import json
import re
import uuid
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from tests.crm_sync.fakes.server import Fake, main
from tests.crm_sync.fakes.wire import Answer, Limit, Record, Refused, Request

COLOUR = "ab" * 20
GAMES = "cd" * 20
OUR_ID = "ef" * 20
COSTS = {
    "list_records": 10, "get_record": 1, "add_record": 5, "change_record": 5, "remove_record": 3, "search_records": 20,
    "me": 2, "person_fields": 10, "organization_fields": 10, "add_webhook": 10, "remove_webhook": 3,
}  # fmt: skip


class FakePipedrive(Fake):
    """Pipedrive on loopback."""

    vendor = "pipedrive"
    types = {"contacts": "persons", "companies": "organizations"}
    indexed = ("email",)
    rotates = True
    resolution = timedelta(seconds=1)

    def prepare(self) -> None:
        self.webhooks: dict[int, dict[str, Any]] = {}
        self.cursor_key = "1"
        # Rows of one answer at most, whatever was asked; more come with a cursor.
        self.short_page: int | None = None
        # Whether a change of the marketing status is taken, or silently is not.
        self.unsubscribes = True

    def vendor_limits(self) -> dict[str, Limit]:
        return {"burst": Limit(80, 2), "search": Limit(10, 2), "day": Limit(30_000, 86_400)}

    def sample(self, number: int, kind: str) -> dict[str, Any]:
        if kind == "companies":
            return {"name": f"Company {number}", "address": {"value": "1 Main St, Austin"}}
        return {
            "name": f"Person{number} Number{number}",
            "emails": [{"value": f"person{number}@people.example", "primary": True, "label": "work"}],
            "phones": [{"value": f"+1202555{number % 10_000:04}", "primary": True, "label": "work"}],
        }

    def new_id(self, kind: str) -> str:
        self.serial += 1
        return str(self.serial)

    def clean(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        values = dict(values)
        for name in ("emails", "phones"):
            entries = [dict(entry) for entry in values.get(name) or () if entry.get("value")]
            if entries and not any(entry.get("primary") for entry in entries):
                entries[0]["primary"] = True
            values[name] = entries
        values["name"] = str(values.get("name", "")).strip()
        values["custom_fields"] = {**(values.get("custom_fields") or {})}
        return values

    def key_of(self, values: dict[str, Any], name: str) -> str:
        return next((e["value"].lower() for e in values.get("emails") or () if e.get("primary")), "")

    def bearer(self, request: Request) -> str:
        return request.headers.get("x-api-token") or super().bearer(request)

    def unauthorized(self) -> Refused:
        return _error(401, "unauthorized access")

    def bad_request(self, problems: list[str]) -> Refused:
        return _error(400 if problems else 404, problems[0] if problems else "unknown method")

    def spend(self, request: Request) -> None:
        if not self.take("day", COSTS[request.operation]):
            raise Refused(
                429,
                {"success": False, "error": "Request over limit"},
                {"x-daily-ratelimit-token-remaining": "0"},
            )
        if not self.take("burst") or (request.operation == "search_records" and not self.take("search")):
            raise Refused(
                429,
                {"success": False, "error": "Rate limit exceeded"},
                {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2"},
            )

    def dispatch(self, request: Request) -> Answer:
        answer = super().dispatch(request)
        if day := self.limits.get("day"):
            answer.headers["x-daily-ratelimit-token-limit"] = str(day.amount)
            answer.headers["x-daily-ratelimit-token-remaining"] = str(day.left)
        return answer

    def token_body(self, access: str, refresh: str) -> dict[str, Any]:
        return {**super().token_body(access, refresh), "api_domain": self.url, "scope": "contacts:full,base"}

    # ---- operations

    def me(self, request: Request) -> Answer:
        return _data({"id": 7, "company_id": 777, "company_name": "Acme", "company_domain": "acme"})

    def person_fields(self, request: Request) -> Answer:
        return _data(
            [
                *(_field(name, "varchar") for name in ("name", "first_name", "last_name")),
                _field("emails", "varchar"),
                _field("phones", "phone"),
                _field("org_id", "org"),
                _field(COLOUR, "enum", [(11, "Red"), (12, "Blue")]),
                _field(GAMES, "set", [(21, "Chess"), (22, "Golf")]),
                _field(OUR_ID, "varchar"),
            ]
        )

    def organization_fields(self, request: Request) -> Answer:
        return _data([_field("name", "varchar"), _field("address", "address")])

    def list_records(self, request: Request) -> Answer:
        kind, query = self._kind(request), request.query
        found = [record for record in self.records[kind].values() if record.is_live]
        if "ids" in query:
            wanted = set(query["ids"].split(","))
            found = [record for record in found if record.id in wanted]
        if "updated_since" in query:
            since = datetime.fromisoformat(query["updated_since"].replace("Z", "+00:00"))
            found = [record for record in found if record.changed_at >= since]
        order = query.get("sort_by", "id")
        found.sort(key=lambda record: _place(record, order), reverse=query.get("sort_direction") == "desc")
        if "cursor" in query:
            try:
                given = json.loads(base64.urlsafe_b64decode(query["cursor"]))
            except ValueError:
                given = {}
            if given.get("key") != self.cursor_key:
                raise _error(400, "Invalid cursor parameter")
            place = (given["place"][0], given["place"][1])
            found = [record for record in found if _place(record, order) > place]
        limit = min(int(query.get("limit", "100")), self.short_page or 500)
        names = query.get("include_fields", "").split(",")
        answer = _data([self._row(kind, record, names) for record in found[:limit]])
        if len(found) > limit:
            cursor = json.dumps({"key": self.cursor_key, "place": _place(found[limit - 1], order)})
            answer.body["additional_data"] = {"next_cursor": base64.urlsafe_b64encode(cursor.encode()).decode()}
        return answer

    def search_records(self, request: Request) -> Answer:
        indexed = self.now - timedelta(seconds=self.search_lag)
        found = self.having(self._kind(request), "email", request.query["term"])
        items = [{"item": {"id": int(record.id)}} for record in found if record.changed_at <= indexed]
        return _data({"items": items})

    def get_record(self, request: Request) -> Answer:
        kind = self._kind(request)
        return _data(self._row(kind, self._live(request)))

    def add_record(self, request: Request) -> Answer:
        kind = self._kind(request)
        self._check(request.body)
        answer = _data(self._row(kind, self.create(kind, request.body)))
        answer.status = 201
        return answer

    def change_record(self, request: Request) -> Answer:
        kind, record = self._kind(request), self._live(request)
        self._check(request.body)
        custom = {**record.values.get("custom_fields", {}), **request.body.get("custom_fields", {})}
        body = {**request.body, "custom_fields": custom}
        if not self.unsubscribes:
            body.pop("marketing_status", None)
        self.change(kind, record, body)
        return _data(self._row(kind, record, ("marketing_status",)))

    def remove_record(self, request: Request) -> Answer:
        record = self._live(request)
        self.remove(self._kind(request), record)
        return _data({"id": int(record.id)})

    def add_webhook(self, request: Request) -> Answer:
        self.serial += 1
        self.webhooks[self.serial] = request.body
        answer = _data({"id": self.serial})
        answer.status = 201
        return answer

    def remove_webhook(self, request: Request) -> Answer:
        if self.webhooks.pop(int(request.variables["id"]), None) is None:
            raise _error(404, "Webhook not found")
        return _data({})

    def _check(self, body: dict[str, Any]) -> None:
        for entry in body.get("emails") or ():
            if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", entry["value"]):
                raise _error(400, "Validation failed: emails: invalid e-mail", field="emails")
        custom = body.get("custom_fields", {})
        if not isinstance(custom.get(COLOUR), (int, type(None))) or not isinstance(
            custom.get(GAMES), (list, type(None))
        ):
            raise _error(400, "Validation failed: custom_fields: wrong type", field="custom_fields")

    def _kind(self, request: Request) -> str:
        return next(kind for kind, name in self.types.items() if name == request.variables["object"])

    def _live(self, request: Request) -> Record:
        record = self.records[self._kind(request)].get(request.variables["id"])
        if record is None or not record.is_live:
            raise _error(404, "Entity not found")
        return record

    def _row(self, kind: str, record: Record, beside: Collection[str] = ()) -> dict[str, Any]:
        row = {
            "id": int(record.id),
            **{name: value for name, value in record.values.items() if name != "marketing_status"},
            "add_time": record.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "update_time": record.changed_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "is_deleted": False,
        }
        if kind == "contacts":
            first, _, last = record.values["name"].partition(" ")
            row |= {"first_name": first or None, "last_name": last or None}
            if "marketing_status" in beside:
                row["marketing_status"] = record.values.get("marketing_status", "no_consent")
        return row

    # ---- webhooks

    def webhook_urls(self) -> list[str]:
        return sorted({webhook["subscription_url"] for webhook in self.webhooks.values()})

    def webhook(self, events: list[tuple[str, str, str, str, datetime]], url: str) -> tuple[dict[str, str], bytes]:
        """Return the webhook of the first event: Pipedrive sends one at a time."""
        kind, id, change, into, at = events[0]
        entity = {"contacts": "person", "companies": "organization"}[kind]
        action = {"created": "create", "changed": "change", "deleted": "delete", "merged": "delete"}[change]
        meta: dict[str, Any] = {
            "action": action,
            "entity": entity,
            "entity_id": id,
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}{id}{change}{at}")),
            "timestamp": at.isoformat(),
            "attempt": 1,
            "version": "2.0",
            "company_id": "777",
            "change_source": "app",
        }
        if into:
            meta["merged_to_id"] = into
        made = next(webhook for webhook in self.webhooks.values() if webhook["subscription_url"] == url)
        basic = base64.b64encode(f"{made['http_auth_user']}:{made['http_auth_password']}".encode()).decode()
        body = json.dumps({"meta": meta, "data": None, "previous": None}).encode()
        return {"Authorization": f"Basic {basic}", "Content-Type": "application/json"}, body

    def deliver(self, url: str = "") -> int:
        """Send each event in a request of its own."""
        with self.lock:
            events, self.events = self.events, []
        taken = 0
        for event in events:
            self.events = [event]
            taken += super().deliver(url)
        return taken


def _place(record: Record, order: str) -> tuple[str, int]:
    moment = {"update_time": record.changed_at, "add_time": record.created_at}.get(order)
    return (moment.isoformat() if moment else "", int(record.id))


def _data(data: Any) -> Answer:
    return Answer(200, {"success": True, "data": data, "additional_data": {"next_cursor": None}})


def _field(code: str, type: str, options: list[tuple[int, str]] | None = None) -> dict[str, Any]:
    return {
        "field_code": code,
        "field_name": code[:6].title(),
        "field_type": type,
        "is_custom_field": len(code) == 40,
        "options": [{"id": id, "label": label} for id, label in options] if options else None,
    }


def _error(status: int, message: str, *, field: str = "") -> Refused:
    body = {"success": False, "error": message, "error_info": "", "data": None, "additional_data": {"field": field}}
    return Refused(status, body)


if __name__ == "__main__":
    main(FakePipedrive, 9103)
