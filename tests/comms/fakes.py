"""WhatsApp's Cloud API and an SMS provider on loopback, each with a state of its own.

Requests to WhatsApp are held against Meta's published OpenAPI (whatsapp/openapi.json, MIT). The fake keeps its
templates, knows who wrote when, refuses what WhatsApp refuses, and makes the webhooks Meta sends, signed.
"""

import base64
import email
import email.policy
import hashlib
import hmac
import itertools
import json
import threading
import time
from abc import abstractmethod
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs

DOCUMENT = json.loads((Path(__file__).parent / "whatsapp" / "openapi.json").read_text())
for _schema in DOCUMENT["components"]["schemas"].values():
    # As published, each part of an allOf forbids what the other part requires; what is meant is the two together.
    for _part in _schema.get("allOf", []):
        if _part.pop("additionalProperties", None) is False:
            _schema["unevaluatedProperties"] = False
MESSAGE = jsonschema_rs.validator_for(
    {"$ref": "spec:/whatsapp#/components/schemas/Message"},
    registry=jsonschema_rs.Registry([("spec:/whatsapp", DOCUMENT)]),
)
APP_SECRET, TOKEN = "app-secret-of-the-fake", "EAAtoken-of-the-fake"
PHONE_NUMBER_ID, ACCOUNT_ID = "106540352242922", "102290129340398"
_ids = itertools.count(1)


class Fake(ThreadingHTTPServer):
    """A server on a port of its own, which answers with `handle_call`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.lock = threading.Lock()
        # Answers that take the place of the next ones: (status, body), or None to hang up after the work was done.
        self.faults: list[Any] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @abstractmethod
    def handle_call(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        """Return the status and the JSON of the answer."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Fake

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.server.lock:
            fault: Any = self.server.faults.pop(0) if self.server.faults else ...
            if fault is ... or fault is None:
                status, said = self.server.handle_call(self.command, self.path, self.headers, body)
            else:
                status, said = fault
        if fault is None:
            self.connection.close()
            return
        raw = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = answer

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


class WhatsAppFake(Fake):
    def __init__(self) -> None:
        super().__init__()
        self.templates: dict[tuple[str, str], dict[str, Any]] = {}
        self.sent: list[dict[str, Any]] = []
        self.wrote: dict[str, float] = {}
        self.media: dict[str, bytes] = {}
        self.violations: list[str] = []
        self.received = Counter[str]()

    def add_template(self, name: str, body: str, *, language: str = "en_US", status: str = "APPROVED") -> None:
        self.templates[name, language] = {
            "id": str(next(_ids)),
            "name": name,
            "language": language,
            "status": status,
            "category": "MARKETING",
            "components": [{"type": "BODY", "text": body}],
        }

    def handle_call(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, error(190, "Invalid OAuth access token")
        if method == "GET" and path.startswith(f"/v23.0/{ACCOUNT_ID}/message_templates"):
            rows = list(self.templates.values())
            # Two to a page, so that paging is used.
            after = int(path.partition("after=")[2].partition("&")[0] or 0)
            more = {"next": "https://graph.facebook.com/next"} if after + 2 < len(rows) else {}
            paging: dict[str, Any] = {"cursors": {"before": "0", "after": str(after + 2)}, **more}
            return 200, {"data": rows[after : after + 2], "paging": paging}
        if (method, path) == ("POST", f"/v23.0/{PHONE_NUMBER_ID}/media"):
            return self.upload(headers["content-type"], body)
        if (method, path) == ("POST", f"/v23.0/{PHONE_NUMBER_ID}/messages"):
            return self.send(json.loads(body))
        return 404, error(100, f"Unknown path {path}")

    def upload(self, content_type: str, body: bytes) -> tuple[int, Any]:
        parts = email.message_from_bytes(
            f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=email.policy.HTTP
        )
        fields = {part.get_param("name", header="content-disposition"): part for part in parts.iter_parts()}
        if fields["messaging_product"].get_payload() != "whatsapp" or "file" not in fields:
            return 400, error(100, "Invalid parameter")
        media_id = str(next(_ids))
        self.media[media_id] = bytes(fields["file"].get_content())
        return 200, {"id": media_id}

    def send(self, message: dict[str, Any]) -> tuple[int, Any]:
        # The file does not know this field of the documentation.
        known = {name: value for name, value in message.items() if name != "biz_opaque_callback_data"}
        self.violations += [str(each) for each in MESSAGE.iter_errors(known)]
        to = message["to"]
        if message["type"] == "template":
            found = self.templates.get((message["template"]["name"], message["template"]["language"]["code"]))
            if found is None or found["status"] != "APPROVED":
                return 404, error(132001, "Template name does not exist in the translation")
            places = found["components"][0]["text"].count("{{")
            given = sum(len(each["parameters"]) for each in message["template"].get("components", []))
            if places != given:
                return 400, error(132000, "Number of parameters does not match")
        elif self.wrote.get(to, 0) < time.time() - 24 * 3600:
            return 400, error(131047, "Re-engagement message")
        elif (media := message.get(message["type"], {}).get("id")) and media not in self.media:
            return 400, error(131053, "Media upload error")
        wamid = f"wamid.{next(_ids)}"
        self.sent.append({**message, "id": wamid})
        self.received[to] += 1
        return 200, {
            "messaging_product": "whatsapp",
            "contacts": [{"input": to, "wa_id": to}],
            "messages": [{"id": wamid}],
        }

    def status(self, message: dict[str, Any], status: str, *, at: float | None = None, code: int = 0) -> dict[str, Any]:
        """Return the change by which Meta reports a status."""
        told = {
            "id": message["id"],
            "status": status,
            "timestamp": str(int(at or time.time())),
            "recipient_id": message["to"],
            "biz_opaque_callback_data": message["biz_opaque_callback_data"],
        }
        if code:
            told["errors"] = [{"code": code, "title": "Failed", "error_data": {"details": "..."}}]
        return value(statuses=[told])

    def message(self, number: str, text: str, **fields: Any) -> dict[str, Any]:
        """Return the change by which Meta passes on what a person wrote."""
        self.wrote[number.removeprefix("+")] = time.time()
        wrote = {
            "from": number.removeprefix("+"),
            "id": f"wamid.in{next(_ids)}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": text},
        } | fields
        contacts = [{"wa_id": number.removeprefix("+"), "profile": {"name": "Ada"}}]
        return value(contacts=contacts, messages=[wrote])


def value(**fields: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "15550783881", "phone_number_id": PHONE_NUMBER_ID}
    return {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **fields}}


def error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "x"}}


def signed(change: dict[str, Any], secret: str = APP_SECRET) -> tuple[bytes, str]:
    """Return a webhook's bytes and the value of X-Hub-Signature-256."""
    body = {"object": "whatsapp_business_account", "entry": [{"id": ACCOUNT_ID, "changes": [change]}]}
    # Spaces and escapes as nobody would write them again: the signature is over these very bytes.
    raw = json.dumps(body, separators=(" ,  ", " : ")).encode()
    return raw, "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


class SmsFake(Fake):
    """Takes texts as sms_http.py says."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, Any]] = []

    def handle_call(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        if headers.get("authorization") != "Bearer sms-token":
            return 401, {"code": "AUTH", "message": "Unknown token"}
        self.sent.append(json.loads(body))
        return 200, {"id": f"sms-{next(_ids)}"}


class TwilioFake(Fake):
    """Twilio's messages: it keeps them, knows who said STOP to it, and tells what became of each, signed."""

    account, token = "AC" + "0" * 32, "t" * 32

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[dict[str, str]] = []
        self.stopped: set[str] = set()

    def handle_call(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        given = headers.get("authorization", "").removeprefix("Basic ")
        if base64.b64decode(given).decode() != f"{self.account}:{self.token}":
            return 401, {"code": 20003, "message": "Authenticate", "status": 401}
        if (method, path) != ("POST", f"/2010-04-01/Accounts/{self.account}/Messages.json"):
            return 404, {"code": 20404, "message": "Not found", "status": 404}
        fields = dict(parse_qsl(body.decode(), strict_parsing=True))
        if fields["To"] in self.stopped:
            return 400, {"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}
        if not fields.get("Body") or len(fields["Body"]) > 1600:
            return 400, {"code": 21617, "message": "The concatenated message body exceeds the limit", "status": 400}
        self.sent.append({**fields, "sid": f"SM{next(_ids):032}"})
        return 201, {"sid": self.sent[-1]["sid"], "status": "queued"}

    def report(self, message: dict[str, str], status: str, **fields: str) -> dict[str, str]:
        """Return what Twilio posts to the address that the message named."""
        return {
            "AccountSid": self.account,
            "MessageSid": message["sid"],
            "MessageStatus": status,
            "To": message["To"],
            "From": message["From"],
            **fields,
        }

    def signature(self, url: str, fields: dict[str, str], token: str = "") -> str:
        text = url + "".join(name + fields[name] for name in sorted(fields))
        mac = hmac.new((token or self.token).encode(), text.encode(), hashlib.sha1).digest()
        return base64.b64encode(mac).decode()


class LinkedInFake(Fake):
    """LinkedIn's Messages API: members have names, and only connections are written to."""

    def __init__(self, connections: set[str]) -> None:
        super().__init__()
        self.connections = connections
        self.sent: list[dict[str, Any]] = []

    def handle_call(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, Any]:
        if headers.get("authorization") != "Bearer partner-token":
            return 401, {"serviceErrorCode": 65600, "message": "Invalid access token", "status": 401}
        message = json.loads(body)
        if (method, path) != ("POST", "/v2/messages") or set(message) != {"recipients", "body", "messageType"}:
            return 400, {"serviceErrorCode": 100, "message": "Unpermitted fields", "status": 400}
        if not set(message["recipients"]) <= self.connections:
            return 422, {"serviceErrorCode": 101, "message": "Not a connection of the member", "status": 422}
        self.sent.append(message)
        return 201, {}
