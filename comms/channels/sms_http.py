"""Text messages by any provider that takes them as JSON over https."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

import httpx
import orjson

from comms.channels.calls import body_of, hand_over, pause
from comms.channels.channel import AccountProblem, Sender, Session, WebhookRefused
from comms.channels.signatures import check_signature
from comms.channels.values import AccountValues, Inbound, Incoming, Outgoing, Receipt, Report, WebhookRequest
from vocelio.outbound import check_address, outbound_client
from vocelio.plugins import PluginError

STATUSES = {"sent", "delivered", "read", "failed"}


class SmsHttp(Sender):
    """`POST <url> {id, to, from, text}` with a bearer token, answered by `{id}`, or by `{code, message}` and 4xx.

    Its webhooks are `{"events": [...]}`: `{id, status, code?, reason?, permanent?}` for a message of ours,
    `{id, from, text}` for a person's; signed as signatures.py says.
    """

    slug = "sms_http"
    label = "SMS (any provider, by HTTP)"
    medium = "sms"
    dnc_mode = "sms"
    at_once = 8
    settings = {"url": True, "from": True}
    secrets = {"token": True}

    def check_settings(self, settings: Mapping[str, str]) -> None:
        check_address(settings["url"], (httpx.URL(settings["url"]).host,))

    @contextmanager
    def session(self, account: AccountValues) -> Iterator[Session]:
        host = httpx.URL(account.settings["url"]).host
        headers = {"Authorization": f"Bearer {account.secrets['token']}"}
        with outbound_client([host], timeout=30, headers=headers) as client:
            yield _HttpSession(client, account)

    def parse_webhook(self, request: WebhookRequest, account: AccountValues) -> Sequence[Incoming]:
        check_signature(request, account.secrets.get("webhookSecret", ""))
        try:
            return [_read(event, request.received_at) for event in orjson.loads(request.body)["events"]]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise WebhookRefused("This webhook cannot be read.") from error


class _HttpSession:
    def __init__(self, client: httpx.Client, account: AccountValues) -> None:
        self.client, self.settings = client, account.settings

    def send(self, message: Outgoing) -> Receipt:
        body = {
            "id": str(message.id),
            "to": message.address,
            "from": self.settings["from"],
            "text": message.text,
        }
        response = hand_over(self.client, self.settings["url"], json=body, headers={"Idempotency-Key": str(message.id)})
        answer = body_of(response)
        if response.status_code >= 400:
            code = str(answer.get("code") or f"HTTP_{response.status_code}")[:60]
            reason = str(answer.get("message") or "The provider refuses it.")[:300]
            if response.status_code in (401, 402, 403):
                raise AccountProblem(reason, code=code, retry_after=pause(response))
            raise PluginError(reason, permanent=True, code=code)
        return Receipt(str(answer.get("id", ""))[:250])


def _read(event: Mapping[str, object], at: datetime) -> Incoming:
    if "status" not in event:
        return Inbound(
            provider_id=str(event["id"])[:250],
            address=str(event["from"])[:320],
            text=str(event["text"])[:10_000].replace("\0", ""),
            at=at,
        )
    if event["status"] not in STATUSES:
        raise WebhookRefused("There is no such status.")
    return Report(
        str(event["status"]),
        at,
        provider_id=str(event["id"])[:250],
        code=str(event.get("code") or "")[:60],
        reason=str(event.get("reason") or "")[:300],
        is_permanent=event.get("permanent") is True,
    )
