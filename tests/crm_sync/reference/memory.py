"""The contract's reference provider: a CRM in this process's memory, found as a file dropped among the providers."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from crm_sync.providers.failures import AuthExpired, BatchRejected, OutcomeUnknown, WebhookRefused
from crm_sync.providers.provider import Provider
from crm_sync.providers.values import (
    Account,
    Credential,
    Deleted,
    Fetched,
    FieldType,
    GonePage,
    IdPage,
    Kind,
    Limits,
    Merged,
    ObjectType,
    Operation,
    Outcome,
    Page,
    PushItem,
    PushResult,
    RemoteField,
    RemoteRecord,
    WebhookEvent,
    WebhookRequest,
)
from vocelio.plugins import PluginError

FIELDS = {
    "first": RemoteField("first", "First name"),
    "last": RemoteField("last", "Last name", max_length=40),
    "mail": RemoteField("mail", "E-mail", FieldType.EMAIL, is_unique=True),
    "tel": RemoteField("tel", "Phone", FieldType.PHONE),
    "org": RemoteField("org", "Company"),
    "town": RemoteField("town", "City"),
    "labels": RemoteField("labels", "Labels", FieldType.CHOICES),
    "score": RemoteField("score", "Score", FieldType.NUMBER, is_custom=True),
    "no_calls": RemoteField("no_calls", "Do not call", FieldType.BOOLEAN),
    "no_mail": RemoteField("no_mail", "Opted out of e-mail", FieldType.BOOLEAN),
    "fixed": RemoteField("fixed", "Read only", is_writable=False),
}
MAPPING = {
    "firstName": "first",
    "lastName": "last",
    "email": "mail",
    "phone": "tel",
    "company": "org",
    "city": "town",
    "tags": "labels",
    "doNotCall": "no_calls",
    "emailOptOut": "no_mail",
}
COMPANY_FIELDS = {
    "title": RemoteField("title", "Name", is_required=True),
    "site": RemoteField("site", "Website"),
    "trade": RemoteField("trade", "Trade"),
    "tel": RemoteField("tel", "Phone", FieldType.PHONE),
    "town": RemoteField("town", "City"),
}
COMPANY_MAPPING = {"name": "title", "website": "site", "industry": "trade", "phone": "tel", "city": "town"}


@dataclass
class Stored:
    values: dict[str, Any]
    changed_at: datetime
    key: str = ""


@dataclass
class Server:
    """One account: what it holds, what it was told, and the faults it is to show."""

    records: dict[str, Stored] = field(default_factory=dict)
    gone: list[Deleted | Merged] = field(default_factory=list)
    writes: list[tuple[Operation, tuple[str, ...]]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    number: int = 0
    tells_gone: bool = True
    page_size: int = 3
    # Called before a write is carried out and after it; may raise.
    before_write: Callable[[Operation, Sequence[PushItem]], None] | None = None
    after_write: Callable[[Operation, Sequence[PushItem]], None] | None = None
    on_call: Callable[[str], None] | None = None
    refused: set[str] = field(default_factory=set)
    revoked: bool = False
    lock: Any = field(default_factory=threading.Lock)
    names: Mapping[str, RemoteField] = field(default_factory=lambda: FIELDS)

    @cached_property
    def companies(self) -> "Server":
        """The account's companies, which live by themselves."""
        return Server(names=COMPANY_FIELDS)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def add(self, **values: Any) -> str:
        self.number += 1
        remote_id = f"r{self.number}"
        self.records[remote_id] = Stored({**dict.fromkeys(self.names), **values}, self.now())
        return remote_id

    def edit(self, remote_id: str, **values: Any) -> None:
        stored = self.records[remote_id]
        stored.values.update(values)
        stored.changed_at = self.now()

    def delete(self, remote_id: str) -> None:
        del self.records[remote_id]
        self.gone.append(Deleted(remote_id, self.now()))

    def merge(self, loser: str, winner: str) -> None:
        del self.records[loser]
        self.gone.append(Merged(loser, winner, self.now()))
        self.records[winner].changed_at = self.now()

    def written(self, operation: Operation) -> int:
        """Return how many records were written in this way."""
        return sum(len(keys) for kind, keys in self.writes if kind == operation)


SERVERS: dict[str, Server] = {}


class Memory(Provider):
    slug = "memory"
    label = "Memory"
    hosts = (".memory.test",)
    credential_kinds = ("key",)
    key_label = "Server"
    takes_webhooks = True
    types: Mapping[Kind, ObjectType] = {  # type: ignore[misc]
        Kind.CONTACTS: ObjectType(
            Kind.CONTACTS,
            "person",
            page_size=3,
            fetch_size=4,
            batch={Operation.CREATE: 4, Operation.UPDATE: 4, Operation.DELETE: 4},
            mapping=MAPPING,
            overlap=0.0,
            tells_gone=True,
        ),
        Kind.COMPANIES: ObjectType(
            Kind.COMPANIES,
            "company",
            page_size=3,
            fetch_size=4,
            batch={Operation.CREATE: 4, Operation.UPDATE: 4, Operation.DELETE: 4},
            mapping=COMPANY_MAPPING,
            overlap=0.0,
            tells_gone=True,
        ),
    }

    def server(self, remote: Any, call: str, kind: Kind = Kind.CONTACTS) -> Server:
        server = SERVERS[remote.credential.access_token.partition("#")[0]]
        if server.revoked:
            raise AuthExpired
        server.calls.append(call)
        if server.on_call:
            server.on_call(call)
        if kind is Kind.CONTACTS:
            return server
        server.companies.calls.append(call)
        return server.companies

    def credential_from_key(self, key: str, *, options: Mapping[str, str], endpoint_url: str = "") -> Credential:
        return Credential(access_token=key, api_url="https://api.memory.test")

    def headers(self, credential: Credential) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {credential.access_token}"}

    def test(self, remote: Any) -> Account:
        self.server(remote, "test")
        return Account(id=remote.credential.access_token.partition("#")[0], name="In memory")

    def fields(self, remote: Any, kind: Kind) -> Sequence[RemoteField]:
        return list(self.server(remote, "fields", kind).names.values())

    def changes(self, remote: Any, kind: Kind, *, since: datetime | None, position: str, names: Sequence[str]) -> Page:
        server = self.server(remote, "changes", kind)
        after = position.rpartition("|") if position else None
        rows = sorted(
            (stored.changed_at, remote_id, stored)
            for remote_id, stored in server.records.items()
            if since is None or stored.changed_at >= since
        )
        if after:
            rows = [row for row in rows if (row[0].isoformat(), row[1]) > (after[0], after[2])]
        page = rows[: server.page_size]
        end = f"{page[-1][0].isoformat()}|{page[-1][1]}" if len(rows) > len(page) else ""
        return Page(
            tuple(self.record(remote_id, stored, names) for _, remote_id, stored in page),
            position=end,
            newest=page[-1][0] if page else None,
        )

    def gone(self, remote: Any, kind: Kind, *, since: datetime, position: str) -> GonePage:
        server = self.server(remote, "gone", kind)
        return GonePage(tuple(each for each in server.gone if each.at and each.at >= since))

    def fetch(self, remote: Any, kind: Kind, *, ids: Sequence[str], names: Sequence[str]) -> Fetched:
        server = self.server(remote, "fetch", kind)
        merged = {each.id: each for each in server.gone if isinstance(each, Merged)}
        return Fetched(
            tuple(self.record(each, server.records[each], names) for each in ids if each in server.records),
            tuple(merged.get(each, Deleted(each)) for each in ids if each not in server.records),
        )

    def ids(self, remote: Any, kind: Kind, *, position: str) -> IdPage:
        server = self.server(remote, "ids", kind)
        rest = sorted(each for each in server.records if each > position)
        page = rest[: server.page_size]
        return IdPage(tuple(page), page[-1] if len(rest) > len(page) else "")

    def push(
        self, remote: Any, kind: Kind, operation: Operation, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Sequence[PushResult]:
        server = self.server(remote, f"push {operation.value}", kind)
        assert 0 < len(items) <= self.types[kind].batch[operation]
        if server.before_write:
            server.before_write(operation, items)
        bad = [each for each in items if any(value in server.refused for value in each.values.values())]
        if bad:
            raise BatchRejected("The value is not allowed.", code="BAD_VALUE", field="last")
        with server.lock:
            results = [self.write(server, operation, item, names) for item in items]
            server.writes.append((operation, tuple(item.key for item in items)))
        if server.after_write:
            server.after_write(operation, items)
        return results

    def write(self, server: Server, operation: Operation, item: PushItem, names: Sequence[str]) -> PushResult:
        if operation == Operation.CREATE:
            remote_id = server.add(**{name: self.plain(value) for name, value in item.values.items()})
            server.records[remote_id].key = item.key
        elif item.remote_id not in server.records:
            return PushResult(item.key, Outcome.GONE)
        elif operation == Operation.DELETE:
            server.delete(item.remote_id)
            return PushResult(item.key, Outcome.DONE, item.remote_id)
        else:
            remote_id = item.remote_id
            server.edit(remote_id, **{name: self.plain(value) for name, value in item.values.items()})
        return PushResult(item.key, Outcome.DONE, remote_id, self.record(remote_id, server.records[remote_id], names))

    def find(
        self, remote: Any, kind: Kind, items: Sequence[PushItem], *, names: Sequence[str]
    ) -> Mapping[str, RemoteRecord]:
        server = self.server(remote, "find", kind)
        keys = {stored.key: remote_id for remote_id, stored in server.records.items() if stored.key}
        return {
            item.key: self.record(keys[item.key], server.records[keys[item.key]], names)
            for item in items
            if item.key in keys
        }

    def limits(self, credential: Credential, options: Mapping[str, str]) -> Limits:
        return Limits(())

    def cost(self, kind: Kind, operation: Operation, count: int) -> Mapping[str, int]:
        return {"tokens": count * 5}

    def verify_webhook(self, request: WebhookRequest, *, app: Any, secret: str) -> None:
        if request.headers.get("x-secret") != secret:
            raise WebhookRefused

    def parse_webhook(self, request: WebhookRequest) -> Sequence[WebhookEvent]:
        return [
            WebhookEvent(
                Kind(request.headers.get("x-kind", "contacts")),
                remote_id,
                key=f"{remote_id}:{request.headers.get('x-number', '')}",
            )
            for remote_id in request.body.decode().split()
        ]

    @staticmethod
    def record(remote_id: str, stored: Stored, names: Sequence[str]) -> RemoteRecord:
        return RemoteRecord(
            remote_id,
            {name: stored.values.get(name) for name in names},
            stored.changed_at,
            version=stored.changed_at.isoformat(),
        )

    @staticmethod
    def plain(value: Any) -> Any:
        return list(value) if isinstance(value, tuple) else value


def lose_answer(operation: Operation, items: Sequence[PushItem]) -> None:
    raise OutcomeUnknown


def out_of_order(operation: Operation, items: Sequence[PushItem]) -> None:
    raise PluginError("Down for a moment.", permanent=False, code="HTTP_503", retry_after=1.0)


SOON = timedelta(seconds=1)
