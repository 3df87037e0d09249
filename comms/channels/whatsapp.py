"""WhatsApp Business by Meta's Cloud API (developers.facebook.com/docs/whatsapp/cloud-api)."""

import hashlib
import hmac
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson

from comms.channels.calls import body_of, hand_over, pause
from comms.channels.channel import AccountProblem, Sender, Session, WebhookRefused
from comms.channels.reasons import WHATSAPP
from comms.channels.values import (
    AccountValues,
    Attachment,
    Inbound,
    Incoming,
    Outgoing,
    Receipt,
    RemoteTemplate,
    Report,
    WebhookRequest,
)
from vocelio.outbound import check_address, outbound_client
from vocelio.plugins import PluginError

VERSION = "v23.0"
API = "https://graph.facebook.com"
# The account, not the message, is what these are about.
ACCOUNT_CODES = {"0", "3", "10", "190", "80007", "130429", "131005", "131016", "131031", "131042", "131048", "133010"}
MEDIA = {"image": "image", "video": "video", "audio": "audio"}
STATUSES = {"sent": "sent", "delivered": "delivered", "read": "read", "failed": "failed"}


class WhatsApp(Sender):
    """Meta's Cloud API. Beyond 24 hours after the person's last message only an approved template may be sent."""

    slug = "whatsapp"
    label = "WhatsApp Business"
    medium = "whatsapp"
    takes_files = True
    dnc_mode = "whatsapp"
    service_window_hours = 24
    has_remote_templates = True
    at_once = 8
    settings = {"phoneNumberId": True, "businessAccountId": True, "apiUrl": False}
    secrets = {"accessToken": True, "appSecret": True}
    hosts = ("graph.facebook.com",)

    def check_settings(self, settings: Mapping[str, str]) -> None:
        for name in ("phoneNumberId", "businessAccountId"):
            if not (settings[name].isascii() and settings[name].isdigit()):
                raise ValueError(f"{name} consists of digits.")
        if settings.get("apiUrl"):
            check_address(settings["apiUrl"], self.hosts)

    @contextmanager
    def session(self, account: AccountValues) -> Iterator[Session]:
        with self._client(account) as client:
            yield _WhatsAppSession(client, account)

    def _client(self, account: AccountValues) -> httpx.Client:
        return outbound_client(
            self.hosts, timeout=30, headers={"Authorization": f"Bearer {account.secrets.get('accessToken', '')}"}
        )

    def fetch_templates(self, account: AccountValues) -> Sequence[RemoteTemplate]:
        url = f"{_base(account)}/{account.settings['businessAccountId']}/message_templates"
        found: list[RemoteTemplate] = []
        after = ""
        with self._client(account) as client:
            for _ in range(100):
                query = {"limit": "100", **({"after": after} if after else {})}
                try:
                    response = client.get(url, params=query)
                except httpx.TransportError as error:
                    raise AccountProblem("WhatsApp cannot be reached.", code="UNREACHABLE") from error
                body = body_of(response)
                if response.status_code != 200:
                    raise _failure(response, body)
                found += [_template(each) for each in body.get("data", [])]
                paging = body.get("paging") or {}
                after = (paging.get("cursors") or {}).get("after", "") if paging.get("next") else ""
                if not after:
                    break
        return found

    def handshake(self, query: Mapping[str, str], account: AccountValues) -> str | None:
        """Answer Meta's question when the address is entered: the verify token is the webhook's secret."""
        wanted = account.secrets.get("webhookSecret", "")
        given = query.get("hub.verify_token", "")
        if query.get("hub.mode") != "subscribe" or not wanted or not hmac.compare_digest(wanted, given):
            raise WebhookRefused("The verify token is wrong.")
        return query.get("hub.challenge", "")[:200]

    def parse_webhook(self, request: WebhookRequest, account: AccountValues) -> Sequence[Incoming]:
        _check_signature(request, account.secrets.get("appSecret", ""))
        incoming: list[Incoming] = []
        try:
            for entry in orjson.loads(request.body)["entry"]:
                for change in entry["changes"]:
                    incoming += _read_change(change["field"], change["value"], account)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            raise WebhookRefused("This webhook cannot be read.") from error
        return incoming


class _WhatsAppSession:
    def __init__(self, client: httpx.Client, account: AccountValues) -> None:
        self.client = client
        number = f"{_base(account)}/{account.settings['phoneNumberId']}"
        self.url, self.media_url = f"{number}/messages", f"{number}/media"

    def send(self, message: Outgoing) -> Receipt:
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": message.address.removeprefix("+"),
            # Comes back with every status, so that a message whose answer was lost is found again.
            "biz_opaque_callback_data": str(message.id),
            **self._content(message),
        }
        if message.in_reply_to:
            body["context"] = {"message_id": message.in_reply_to}
        response = hand_over(self.client, self.url, json=body)
        answer = body_of(response)
        if response.status_code != 200:
            raise _failure(response, answer)
        messages = answer.get("messages") or [{}]
        return Receipt(str(messages[0].get("id", ""))[:250])

    def _content(self, message: Outgoing) -> dict[str, Any]:
        if message.remote_template:
            return _template_of(message)
        if message.attachments:
            return _media(message.attachments[0], self._upload(message.attachments[0]), message.text)
        return {"type": "text", "text": {"body": message.text, "preview_url": False}}

    def _upload(self, attachment: Attachment) -> str:
        """Hand a file over and return its name there. Nobody gets anything by it, so it may be tried again."""
        try:
            response = self.client.post(
                self.media_url,
                data={"messaging_product": "whatsapp", "type": attachment.content_type},
                files={"file": (attachment.name, attachment.content, attachment.content_type)},
            )
        except httpx.TransportError as error:
            raise AccountProblem("WhatsApp cannot be reached.", code="UNREACHABLE") from error
        answer = body_of(response)
        if response.status_code != 200 or not answer.get("id"):
            raise _failure(response, answer)
        return str(answer["id"])


def _template_of(message: Outgoing) -> dict[str, Any]:
    components = []
    if message.parameters:
        values = [{"type": "text", "text": value} for value in message.parameters]
        components.append({"type": "body", "parameters": values})
    template: dict[str, Any] = {
        "name": message.remote_template,
        "language": {"policy": "deterministic", "code": message.language},
    }
    return {"type": "template", "template": {**template, **({"components": components} if components else {})}}


def _media(attachment: Attachment, media_id: str, caption: str) -> dict[str, Any]:
    kind = MEDIA.get(attachment.content_type.partition("/")[0], "document")
    media: dict[str, str] = {"id": media_id}
    if caption and kind != "audio":
        media["caption"] = caption
    if kind == "document":
        media["filename"] = attachment.name
    return {"type": kind, kind: media}


def _base(account: AccountValues) -> str:
    return f"{(account.settings.get('apiUrl') or API).rstrip('/')}/{VERSION}"


def _failure(response: httpx.Response, body: Any) -> PluginError:
    error = body.get("error") or {}
    code = str(error.get("code", f"HTTP_{response.status_code}"))
    details = (error.get("error_data") or {}).get("details") or error.get("message") or ""
    reason = WHATSAPP.get(code) or str(details)[:300] or "WhatsApp refuses it."
    if code in ACCOUNT_CODES or response.status_code in (401, 403):
        return AccountProblem(reason, code=code, retry_after=pause(response))
    return PluginError(reason, permanent=code != "131056", code=code)


def _template(found: Mapping[str, Any]) -> RemoteTemplate:
    body = next((part.get("text", "") for part in found.get("components", []) if part.get("type") == "BODY"), "")
    reason = str(found.get("rejected_reason") or "")
    return RemoteTemplate(
        remote_id=str(found.get("id", "")),
        name=str(found["name"]),
        language=str(found["language"]),
        category=str(found.get("category", "")).lower(),
        status=str(found.get("status", "")).lower(),
        body=str(body),
        reason="" if reason == "NONE" else reason,
    )


def _check_signature(request: WebhookRequest, secret: str) -> None:
    """Check X-Hub-Signature-256: HMAC-SHA256 of the body's very bytes with the app's secret."""
    given = request.headers.get("x-hub-signature-256", "")
    wanted = "sha256=" + hmac.new(secret.encode(), request.body, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(wanted.encode(), given.encode()):
        raise WebhookRefused("The signature is wrong.")


def _read_change(field: str, value: Mapping[str, Any], account: AccountValues) -> Iterator[Incoming]:
    if field == "message_template_status_update":
        yield RemoteTemplate(
            remote_id=str(value.get("message_template_id", "")),
            name=str(value["message_template_name"]),
            language=str(value["message_template_language"]),
            category="",
            status=str(value["event"]).lower(),
            body="",
            reason="" if value.get("reason") in (None, "NONE") else str(value["reason"])[:200],
        )
    if field != "messages" or str(value["metadata"]["phone_number_id"]) != account.settings["phoneNumberId"]:
        return
    for status in value.get("statuses", []):
        if status["status"] in STATUSES:
            yield _report(status)
    names = {
        contact.get("wa_id"): (contact.get("profile") or {}).get("name", "") for contact in value.get("contacts", [])
    }
    for message in value.get("messages", []):
        if message["type"] not in ("reaction", "system", "unsupported"):
            yield _inbound(message, names)


def _report(status: Mapping[str, Any]) -> Report:
    errors = status.get("errors") or [{}]
    code = str(errors[0].get("code", ""))
    details = (errors[0].get("error_data") or {}).get("details") or errors[0].get("title") or ""
    message_id = None
    with suppress(ValueError):
        message_id = uuid.UUID(str(status.get("biz_opaque_callback_data", "")))
    return Report(
        STATUSES[status["status"]],
        _moment(status),
        provider_id=str(status["id"])[:250],
        message_id=message_id,
        code=code,
        reason=(WHATSAPP.get(code) or str(details)[:300]) if code else "",
        opted_out=code == "131050",
    )


def _inbound(message: Mapping[str, Any], names: Mapping[Any, str]) -> Inbound:
    kind = message["type"]
    held = message.get(kind) or {}
    text = held.get("body") or held.get("caption") or held.get("text") or ""
    if kind == "interactive":
        text = (held.get("button_reply") or held.get("list_reply") or {}).get("title", "")
    answered = (message.get("context") or {}).get("id")
    return Inbound(
        provider_id=str(message["id"])[:250],
        address=f"+{message['from']}",
        text=str(text)[:10_000].replace("\0", ""),
        at=_moment(message),
        name=str(names.get(message["from"], ""))[:200],
        reply_to=(str(answered)[:250],) if answered else (),
        media=(kind,) if kind in ("image", "video", "audio", "document", "sticker", "location", "contacts") else (),
    )


def _moment(holder: Mapping[str, Any]) -> datetime:
    return datetime.fromtimestamp(int(holder["timestamp"]), UTC)
