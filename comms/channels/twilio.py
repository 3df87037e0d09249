"""Text messages by Twilio (twilio.com/docs/messaging/api/message-resource)."""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from urllib.parse import parse_qsl

import httpx

from comms.channels.calls import body_of, hand_over, pause
from comms.channels.channel import AccountProblem, Sender, Session, WebhookRefused
from comms.channels.reasons import TWILIO
from comms.channels.values import AccountValues, Inbound, Incoming, Outgoing, Receipt, Report, WebhookRequest
from vocelio.outbound import check_address, outbound_client
from vocelio.plugins import PluginError

API = "https://api.twilio.com"
STATUSES = {"sent": "sent", "delivered": "delivered", "undelivered": "failed", "failed": "failed", "read": "read"}
ACCOUNT_CODES = {"20003", "20404", "20429", "30001", "30002", "63038"}
# The number will never take a text.
DEAD = {"21211", "21614", "30005", "30006"}


class Twilio(Sender):
    """Twilio's Programmable Messaging."""

    slug = "twilio"
    label = "SMS (Twilio)"
    medium = "sms"
    dnc_mode = "sms"
    at_once = 8
    settings = {"accountSid": True, "from": True, "apiUrl": False}
    secrets = {"authToken": True}
    hosts = ("api.twilio.com",)

    def check_settings(self, settings: Mapping[str, str]) -> None:
        if not settings["accountSid"].isalnum():
            raise ValueError("accountSid consists of letters and digits.")
        if settings.get("apiUrl"):
            check_address(settings["apiUrl"], self.hosts)

    @contextmanager
    def session(self, account: AccountValues) -> Iterator[Session]:
        sign_in = (account.settings["accountSid"], account.secrets["authToken"])
        with outbound_client(self.hosts, timeout=30, auth=sign_in) as client:
            yield _TwilioSession(client, account)

    def parse_webhook(self, request: WebhookRequest, account: AccountValues) -> Sequence[Incoming]:
        fields = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
        _check_signature(request, fields, account.secrets.get("authToken", ""))
        if fields.get("AccountSid") != account.settings["accountSid"]:
            raise WebhookRefused("The webhook is of another account.")
        sid = fields.get("MessageSid") or fields.get("SmsSid") or ""
        if not sid:
            raise WebhookRefused("This webhook cannot be read.")
        if "MessageStatus" in fields:
            status = STATUSES.get(fields["MessageStatus"])
            code = fields.get("ErrorCode", "")
            if status is None:
                return []
            return [
                Report(
                    status,
                    request.received_at,
                    provider_id=sid[:250],
                    code=code[:60],
                    reason=TWILIO.get(code, "") if status == "failed" else "",
                    is_permanent=code in DEAD,
                    opted_out=code == "21610",
                    address=fields.get("To", "")[:320],
                )
            ]
        media = fields.get("NumMedia", "0")
        return [
            Inbound(
                provider_id=sid[:250],
                address=fields.get("From", "")[:320],
                text=fields.get("Body", "")[:10_000].replace("\0", ""),
                at=request.received_at,
                media=("file",) * min(int(media) if media.isascii() and media.isdigit() else 0, 10),
            )
        ]


class _TwilioSession:
    def __init__(self, client: httpx.Client, account: AccountValues) -> None:
        self.client, self.account = client, account
        base = (account.settings.get("apiUrl") or API).rstrip("/")
        self.url = f"{base}/2010-04-01/Accounts/{account.settings['accountSid']}/Messages.json"

    def send(self, message: Outgoing) -> Receipt:
        sender = self.account.settings["from"]
        fields = {"To": message.address, "Body": message.text}
        fields["MessagingServiceSid" if sender.startswith("MG") else "From"] = sender
        if callback := self.account.settings.get("webhookUrl"):
            fields["StatusCallback"] = callback
        if message.attachments:
            fields["MediaUrl"] = message.attachments[0].url
        response = hand_over(self.client, self.url, data=fields)
        answer = body_of(response)
        if response.status_code >= 400:
            code = str(answer.get("code") or f"HTTP_{response.status_code}")
            reason = TWILIO.get(code) or str(answer.get("message") or "Twilio refuses it.")[:300]
            if code in ACCOUNT_CODES or response.status_code in (401, 403):
                raise AccountProblem(reason, code=code, retry_after=pause(response))
            raise PluginError(reason, permanent=True, code=code)
        return Receipt(str(answer.get("sid", ""))[:250])


def _check_signature(request: WebhookRequest, fields: Mapping[str, str], token: str) -> None:
    """Check X-Twilio-Signature: HMAC-SHA1 of the address and the sorted fields."""
    text = request.url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()
    wanted = base64.b64encode(digest).decode()
    given = request.headers.get("x-twilio-signature", "")
    if not token or not hmac.compare_digest(wanted.encode(), given.encode()):
        raise WebhookRefused("The signature is wrong.")
