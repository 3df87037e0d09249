"""What the four fakes share: a real HTTP server on loopback with records, tokens, faults, limits and an account of it all.

A fake is a vendor with one account. Tests hold the object: they edit its records as the vendor's users would
(`add`, `edit`, `delete`, `restore`, `merge`), move its clock, tell it what to do wrong (`fail`, `drop`), and read what
it saw (`calls`, `writes`, `violations`). By hand: `python -m tests.crm_sync.fakes.hubspot --port 9101`, then
`curl -d '{"number": 20}' localhost:9101/_fake/seed` and the like for every method of CONTROLS.
"""

import argparse
import json
import socket
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

from tests.crm_sync.fakes.oauth import CLIENT_ID, CLIENT_SECRET, OAuth
from tests.crm_sync.fakes.specification import Specification, load
from tests.crm_sync.fakes.wire import Answer, Fault, Limit, Record, Refused, Request

CONTROLS = (
    "add",
    "add_people",
    "edit",
    "edit_all",
    "delete",
    "restore",
    "merge",
    "fail",
    "drop",
    "advance",
    "revoke",
    "deliver",
)


class Fake(OAuth, ThreadingHTTPServer):
    """A vendor's API with one account in it. `limits=True` holds callers to the vendor's published limits."""

    vendor: ClassVar[str]
    # Record types by the vendor's name, e.g. {"contacts": "Contact", "companies": "Account"}.
    types: ClassVar[Mapping[str, str]]
    # Fields that `having` finds records by.
    indexed: ClassVar[tuple[str, ...]] = ()
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, port: int = 0, *, limits: bool = False) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lock = threading.RLock()
        self.specifications: list[Specification] = load(self.vendor)
        self.limits: dict[str, Limit] = self.vendor_limits() if limits else {}
        self.records: dict[str, dict[str, Record]] = {kind: {} for kind in self.types}
        self.index: dict[tuple[str, str, str], dict[str, None]] = {}
        self.search_lag = 0.0
        self.expire_after: int | None = None
        self.faults: list[Fault] = []
        self.events: list[tuple[str, str, str, str, datetime]] = []
        self.calls: Counter[str] = Counter()
        self.writes: Counter[str] = Counter()
        self.creates = 0
        self.violations: list[str] = []
        self.serial = 0
        self.prepare()

    # ---- running

    def start(self) -> "Fake":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def __enter__(self) -> "Fake":
        return self.start()

    def __exit__(self, *args: object) -> None:
        self.stop()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers who went away."""

    # ---- what a vendor adds

    def prepare(self) -> None:
        """Set the vendor's own state."""

    def vendor_limits(self) -> dict[str, Limit]:
        """Return the published limits by name."""
        return {}

    def sample(self, number: int, kind: str) -> dict[str, Any]:
        """Return the values of made-up record `number`, under the vendor's names."""
        raise NotImplementedError

    def new_id(self, kind: str) -> str:
        raise NotImplementedError

    def clean(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """Return values as this vendor stores them."""
        return values

    def spend(self, request: Request) -> None:
        """Take the request out of the limits, or raise Refused."""

    def dispatch(self, request: Request) -> Answer:
        """Carry out an operation: the method named as in the OpenAPI file."""
        handler: Callable[[Request], Answer] = getattr(self, request.operation)
        return handler(request)

    def unauthorized(self) -> Refused:
        return Refused(401, {"error": "unauthorized"})

    def bad_request(self, problems: list[str]) -> Refused:
        return Refused(400, {"message": problems[0]})

    def bearer(self, request: Request) -> str:
        """Return the access token that a request carries."""
        return request.headers.get("authorization", "").partition(" ")[2]

    def webhook(self, events: list[tuple[str, str, str, str, datetime]], url: str) -> tuple[dict[str, str], bytes]:
        """Return headers and body of the webhook for `events` (kind, id, change, into, at), proven to be the vendor's."""
        raise NotImplementedError

    def webhook_urls(self) -> list[str]:
        """Return who subscribed."""
        return []

    # ---- the vendor's users

    def add(self, values: dict[str, Any], kind: str = "contacts", id: str = "") -> str:
        """Make a record, as somebody at the vendor's would."""
        with self.lock:
            now = self.now
            record = Record(id or self.new_id(kind), {}, now, now)
            self.records[kind][record.id] = record
            self._store(kind, record, values)
            self._tell(kind, record, "created")
            return record.id

    def add_people(self, number: int, kind: str = "contacts") -> list[str]:
        """Make `number` records of made-up people or companies, numbered on from those there are."""
        with self.lock:
            first = len(self.records[kind]) + 1
            return [self.add(self.sample(first + i, kind), kind) for i in range(number)]

    def edit(self, id: str, values: dict[str, Any], kind: str = "contacts") -> None:
        with self.lock:
            record = self.records[kind][id]
            self._store(kind, record, {**record.values, **values})
            record.changed_at = self.now
            self._tell(kind, record, "changed")

    def edit_all(self, values: dict[str, Any], kind: str = "contacts") -> None:
        """Give every record these values, each at a time of its own."""
        for record in self.live(kind):
            self.edit(record.id, values, kind)

    def delete(self, id: str, kind: str = "contacts") -> None:
        with self.lock:
            record = self.records[kind][id]
            record.deleted_at = record.changed_at = self.now
            self._tell(kind, record, "deleted")

    def restore(self, id: str, kind: str = "contacts") -> None:
        with self.lock:
            record = self.records[kind][id]
            record.deleted_at = None
            record.changed_at = self.now
            self._tell(kind, record, "changed")

    def merge(self, loser: str, winner: str, kind: str = "contacts") -> None:
        with self.lock:
            gone, stays = self.records[kind][loser], self.records[kind][winner]
            gone.deleted_at = gone.changed_at = stays.changed_at = self.now
            gone.merged_into = winner
            stays.absorbed += [loser, *gone.absorbed]
            for name, value in gone.values.items():
                if stays.values.get(name) in (None, ""):
                    stays.values[name] = value
            self._tell(kind, gone, "merged", winner)
            self._tell(kind, stays, "changed")

    def purge(self, id: str, kind: str = "contacts") -> None:
        """Remove a deleted record for good."""
        self.records[kind][id].is_purged = True

    def _tell(self, kind: str, record: Record, change: str, into: str = "") -> None:
        self.events.append((kind, record.id, change, into, self.now))

    def _store(self, kind: str, record: Record, values: dict[str, Any]) -> None:
        for name in self.indexed:
            self.index.get((kind, name, self.key_of(record.values, name)), {}).pop(record.id, None)
        record.values = self.clean(kind, values)
        for name in self.indexed:
            if value := self.key_of(record.values, name):
                self.index.setdefault((kind, name, value), {})[record.id] = None

    def key_of(self, values: dict[str, Any], name: str) -> str:
        """Return the value of an indexed field as it is compared."""
        return str(values.get(name) or "").lower()

    def having(self, kind: str, name: str, value: Any) -> list[Record]:
        """Return the live records with this value of an indexed field."""
        found = (self.records[kind][id] for id in self.index.get((kind, name, str(value or "").lower()), ()))
        return [record for record in found if record.is_live]

    def live(self, kind: str = "contacts") -> list[Record]:
        """Return the records that exist."""
        with self.lock:
            return [record for record in self.records[kind].values() if record.is_live]

    # ---- writes that come by the API

    def create(self, kind: str, values: dict[str, Any]) -> Record:
        record = self.records[kind][self.add(values, kind)]
        self.writes[record.id] += 1
        self.creates += 1
        return record

    def change(self, kind: str, record: Record, values: dict[str, Any]) -> None:
        self.edit(record.id, values, kind)
        self.writes[record.id] += 1

    def remove(self, kind: str, record: Record) -> None:
        self.delete(record.id, kind)
        self.writes[record.id] += 1

    # ---- faults

    def fail(
        self,
        status: int,
        *,
        operation: str | None = None,
        times: int = 1,
        skip: int = 0,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> None:
        """Answer the next `times` requests (of `operation`, after `skip` of them) with `status`, carrying nothing out."""
        self.faults.append(Fault(operation, skip, times, status, headers or {}, body))

    def drop(self, *, operation: str | None = None, after: bool = False, times: int = 1, skip: int = 0) -> None:
        """Let the next requests go unanswered; with `after`, carry them out first."""
        self.faults.append(Fault(operation, skip, times, before=not after))

    def _fault(self, operation: str) -> Fault | None:
        for fault in self.faults:
            if fault.operation in (None, operation):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if not fault.times:
                    self.faults.remove(fault)
                return fault
        return None

    # ---- webhooks

    def deliver(self, url: str = "") -> int:
        """Send what happened since the last time to `url`, or to whoever subscribed; return how many were taken."""
        with self.lock:
            events, self.events = self.events, []
        taken = 0
        for target in [url] if url else self.webhook_urls():
            headers, body = self.webhook(events, target)
            sent = urllib.request.Request(target, body, headers, method="POST")  # noqa: S310
            with urllib.request.urlopen(sent, timeout=10) as answer:  # noqa: S310
                taken += answer.status < 300
        return taken

    # ---- a request

    def answer(self, method: str, target: str, headers: Mapping[str, str], raw: bytes) -> Answer | None:
        """Return the answer to a request; None to leave it without one."""
        url = urlsplit(target)
        query = parse_qsl(url.query, keep_blank_values=True)
        if url.path.startswith("/_fake/"):
            return self._control(url.path.removeprefix("/_fake/"), raw)
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            body: Any = None
            if raw and media == "application/x-www-form-urlencoded":
                body = dict(parse_qsl(raw.decode(), keep_blank_values=True))
            elif raw:
                body = json.loads(raw)
            found = self.specifications[0].find(method, url.path)
            problems = [
                problem
                for specification in self.specifications
                for problem in specification.problems(method, url.path, query, headers, body, media)
            ]
        except ValueError:
            found, problems = None, ["the body is no JSON"]
        with self.lock:
            if problems or found is None:
                self.violations += problems
                return self.bad_request(problems).answer
            operation, variables = found
            request = Request(operation.id, method, url.path, dict(query), headers, body, raw, variables)
            self.calls[operation.id] += 1
            fault = self._fault(operation.id)
            if fault and fault.before:
                return Answer(fault.status, fault.body, dict(fault.headers)) if fault.status else None
            try:
                if operation.id not in ("authorize", "token", "revoke_token"):
                    self._admit(request)
                answer = self.dispatch(request)
            except Refused as refused:
                answer = refused.answer
            return None if fault else answer

    def _admit(self, request: Request) -> None:
        given = self.tokens.get(self.bearer(request))
        if given and given.grant and self.expire_after is not None:
            self.expire_after -= 1
            if self.expire_after < 0:
                given.expires_at = self.now
                self.expire_after = None
        if given is None or given.expires_at <= self.now:
            raise self.unauthorized()
        request.token = given
        self.spend(request)

    def take(self, name: str, units: int = 1) -> bool:
        """Spend units of a limit, if limits are on and they are left."""
        limit = self.limits.get(name)
        return limit is None or limit.take(units, time.monotonic())

    def _control(self, name: str, raw: bytes) -> Answer:
        if name not in CONTROLS:
            state = {"calls": self.calls, "writes": self.writes, "violations": self.violations}
            counts = {kind: len(self.live(kind)) for kind in self.types}
            return Answer(200, {**state, "records": counts, "key": self.key(), "controls": CONTROLS})
        return Answer(200, {"result": getattr(self, name)(**json.loads(raw or b"{}"))})


class Handler(BaseHTTPRequestHandler):
    server: Fake
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def _handle(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.answer(self.command, self.path, headers, raw)
        if answer is None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        body = b"" if answer.body is None else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Type", "application/json;charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if body and answer.status not in (204, 304):
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.server.now.timestamp() if timestamp is None else timestamp)

    def log_message(self, *args: object) -> None:
        """Say nothing between tests."""


def main(fake: type[Fake], port: int) -> None:
    """Run a fake by hand, with people in it, until Ctrl-C."""
    parser = argparse.ArgumentParser(description=fake.__doc__)
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--limits", action="store_true", help="hold callers to the vendor's published limits")
    options = parser.parse_args()
    server = fake(options.port, limits=options.limits)
    server.add_people(options.people)
    server.add_people(max(1, options.people // 10), "companies")
    print(f"{server.vendor} at {server.url}, {options.people} people")  # noqa: T201
    print(f"  key: {server.key()}   OAuth app: {CLIENT_ID} / {CLIENT_SECRET}")  # noqa: T201
    print(f"  let Vocelio call it: OUTBOUND_TRUSTED=127.0.0.1:{server.server_port}; state: {server.url}/_fake/state")  # noqa: T201
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
