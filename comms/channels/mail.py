"""E-mail as bytes: make a message, understand an answer or a delivery report (RFC 3464)."""

import email.policy
import email.utils
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from email.charset import QP, Charset
from email.encoders import encode_base64
from email.header import Header
from email.message import EmailMessage, Message
from email.mime.base import MIMEBase
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.parser import BytesParser
from email.utils import format_datetime, formataddr
from html import unescape

from comms.channels.reasons import smtp_reason
from comms.channels.values import Inbound, Incoming, Outgoing, Report

MAX_TEXT = 100_000
_AS_SENT = email.policy.compat32.clone(linesep="\r\n")
_QUOTED = Charset("utf-8")
_QUOTED.body_encoding = QP
_ENHANCED = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_OURS = re.compile(r"<([0-9a-f]{32})\.v@[^>]+>")
_MESSAGE_NAMES = re.compile(r"<[^<>\s]{3,250}>")


def message_name(message_id: uuid.UUID, domain: str) -> str:
    """Return the Message-ID of one of our messages."""
    return f"<{message_id.hex}.v@{domain}>"


def our_message(name: str) -> uuid.UUID | None:
    """Return which of our messages a Message-ID names; None for a foreign one."""
    found = _OURS.fullmatch(name.strip())
    return uuid.UUID(found[1]) if found else None


def write_mail(message: Outgoing, *, sender: str, sender_name: str, reply_to: str = "") -> bytes:
    """Return the message as bytes to be handed to a mail server; raise ValueError for a header that holds a line end."""
    for value in (message.subject, message.address, message.recipient_name, sender, sender_name, reply_to):
        if "\r" in value or "\n" in value:
            raise ValueError("A header must not hold a line end.")
    mail = _body(message)
    headers = {
        "From": formataddr((sender_name, sender)),
        "To": formataddr((message.recipient_name, message.address)),
        "Subject": encoded(message.subject),
        "Date": format_datetime(datetime.now(UTC)),
        "Message-ID": message.message_id,
        "Reply-To": reply_to,
        "In-Reply-To": message.in_reply_to,
        "References": message.in_reply_to,
    }
    if message.unsubscribe_url:
        headers["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    return head.encode() + mail.as_bytes(policy=_AS_SENT)


def _body(message: Outgoing) -> Message:
    """Return text, HTML and files as parts. The classes of old write a mail in a third of EmailMessage's time."""
    mail: MIMEBase = _text_part(message.text, "plain")
    if message.html:
        mail = MIMEMultipart("alternative", _subparts=[mail, _text_part(message.html, "html")])
    if message.attachments:
        mail = MIMEMultipart("mixed", _subparts=[mail])
    for attachment in message.attachments:
        main, _, sub = attachment.content_type.partition("/")
        part = MIMEBase(main, sub or "octet-stream")
        part.set_payload(attachment.content)
        encode_base64(part)
        part.add_header("Content-Disposition", "attachment", filename=("utf-8", "", attachment.name))
        mail.attach(part)
    return mail


def _text_part(text: str, kind: str) -> MIMEText:
    return MIMEText(text, kind, _QUOTED)  # type: ignore[arg-type] # a Charset is taken too


def encoded(subject: str) -> str:
    return subject if subject.isascii() else Header(subject, "utf-8", maxlinelen=200).encode(linesep="\r\n")


def read_mail(raw: bytes, received_at: datetime) -> list[Incoming]:
    """Return what an incoming mail says: reports on our messages, or a message of a person's."""
    mail = BytesParser(policy=email.policy.default).parsebytes(raw)
    if mail.get_content_type() == "multipart/report" or any(
        part.get_content_type() == "message/delivery-status" for part in mail.walk()
    ):
        return list(_reports(mail, received_at))
    sender = email.utils.parseaddr(str(mail.get("From", "")))
    if not sender[1] or str(mail.get("Return-Path", "")).strip() == "<>":
        return []
    names = _MESSAGE_NAMES.findall(f"{mail.get('In-Reply-To', '')} {mail.get('References', '')}")
    automatic = str(mail.get("Auto-Submitted", "no")).lower() != "no" or mail.get("X-Autoreply") is not None
    return [
        Inbound(
            provider_id=str(mail.get("Message-ID", "")).strip()[:250] or f"<{uuid.uuid4().hex}@unnamed>",
            address=sender[1].lower()[:320],
            name=sender[0][:200],
            subject=" ".join(str(mail.get("Subject", "")).split())[:500],
            text=_text(mail)[:MAX_TEXT].replace("\0", ""),
            at=received_at,
            reply_to=tuple(dict.fromkeys(names)),
            media=tuple(part.get_content_type() for part in mail.iter_attachments()),
            is_automatic=automatic,
        )
    ]


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(preferencelist=("plain", "html"))
    if body is None:
        return ""
    try:
        text = str(body.get_content())
    except (LookupError, UnicodeError, ValueError):
        payload = body.get_payload(decode=True)
        text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    if body.get_content_type() == "text/html":
        text = unescape(re.sub(r"<[^>]+>", " ", re.sub(r"(?is)<(script|style).*?</\1>", " ", text)))
    return text.strip()


def _reports(mail: EmailMessage, at: datetime) -> Iterator[Report]:
    """Yield one report for each recipient of ours that the delivery report names."""
    message_id = _reported_message(mail)
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        blocks = part.get_payload()
        for block in blocks if isinstance(blocks, list) else []:
            if not isinstance(block, Message):
                continue
            action = str(block.get("Action", "")).strip().lower()
            if not action:
                continue
            recipient = str(block.get("Final-Recipient") or block.get("Original-Recipient") or "")
            diagnostic = " ".join(str(block.get("Diagnostic-Code", "")).split())
            status = _ENHANCED.search(str(block.get("Status", ""))) or _ENHANCED.search(diagnostic)
            code = status[1] if status else ""
            if action in ("delivered", "relayed", "expanded"):
                yield Report("delivered", at, message_id=message_id, code=code)
            elif action == "failed":
                yield Report(
                    "bounced",
                    at,
                    message_id=message_id,
                    code=code,
                    reason=smtp_reason(code, diagnostic),
                    is_permanent=is_hard(code),
                    address=recipient.partition(";")[2].strip().strip("<>").lower()[:320],
                )


def _reported_message(mail: Message) -> uuid.UUID | None:
    """Return which of our messages the report is about: it comes with the message or its headers."""
    for part in mail.walk():
        kind = part.get_content_type()
        if kind == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
        elif kind == "message/rfc822":
            inner = part.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            text = str(first.get("Message-ID", "")) if isinstance(first, Message) else ""
        else:
            continue
        if found := _OURS.search(text):
            return uuid.UUID(found[1])
    return None


def is_hard(code: str) -> bool:
    """Say whether an enhanced code means that the address will never take mail: a full mailbox may, one day."""
    return code.startswith("5.1.") or code in ("5.2.0", "5.2.1", "5.4.4", "5.7.13")
