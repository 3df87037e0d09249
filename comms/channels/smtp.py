"""E-mail through any SMTP server."""

import queue
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import orjson

from comms.channels.channel import AccountProblem, Sender, Session, Uncertain, WebhookRefused
from comms.channels.mail import is_hard, read_mail, write_mail
from comms.channels.reasons import smtp_reason
from comms.channels.signatures import check_signature
from comms.channels.values import AccountValues, Incoming, Outgoing, Receipt, Report, WebhookRequest
from vocelio.errors import VocelioError
from vocelio.outbound import reachable_address
from vocelio.plugins import PluginError

TIMEOUT = 30
SECURITY = ("starttls", "tls", "none")
REPORTS = {"delivered": "delivered", "bounced": "bounced", "complained": "bounced", "failed": "failed"}


class Smtp(Sender):
    """Any SMTP server. What it signs by DKIM includes List-Unsubscribe, as RFC 8058 wants: that is the server's to do."""

    slug = "smtp"
    label = "E-mail (SMTP)"
    medium = "email"
    takes_files = True
    # Connections; a server that lets us have fewer is told so in its settings.
    at_once = 8
    settings = {
        "host": True,
        "port": True,
        "security": False,
        "username": False,
        "fromEmail": True,
        "fromName": False,
        "replyTo": False,
        "bounceAddress": False,
        "connections": False,
    }
    secrets = {"password": False}

    def check_settings(self, settings: Mapping[str, str]) -> None:
        if not settings["port"].isdigit() or not 0 < int(settings["port"]) < 65536:
            raise ValueError("port is a number from 1 to 65535.")
        if (
            not settings.get("connections", "1").isdigit()
            or not 0 < int(settings.get("connections", "1")) <= self.at_once
        ):
            raise ValueError(f"connections is a number from 1 to {self.at_once}.")
        if settings.get("security", "starttls") not in SECURITY:
            raise ValueError(f"security is one of: {', '.join(SECURITY)}.")
        for name in ("fromEmail", "replyTo", "bounceAddress"):
            value = settings.get(name, "")
            if value and (value.count("@") != 1 or any(letter.isspace() or letter in '<>",' for letter in value)):
                raise ValueError(f"{name} is no e-mail address.")

    def width(self, account: AccountValues) -> int:
        return int(account.settings.get("connections") or self.at_once)

    @contextmanager
    def session(self, account: AccountValues) -> Iterator[Session]:
        session = _SmtpSession(account, self.width(account))
        try:
            # The first one shows at once whether the account works.
            session.free.put(session.connect())
            yield session
        finally:
            session.close()

    def parse_webhook(self, request: WebhookRequest, account: AccountValues) -> Sequence[Incoming]:
        """Take mail as it came (message/rfc822), or `{"events": [{"messageId", "event", ...}]}`; both signed and fresh."""
        check_signature(request, account.secrets.get("webhookSecret", ""))
        if request.headers.get("content-type", "").partition(";")[0].strip() == "message/rfc822":
            return read_mail(request.body, request.received_at)
        try:
            return [_report(event, request) for event in orjson.loads(request.body)["events"]]
        except (KeyError, TypeError, AttributeError, orjson.JSONDecodeError) as error:
            raise WebhookRefused("This webhook cannot be read.") from error


def _report(event: Mapping[str, Any], request: WebhookRequest) -> Report:
    kind, code = str(event["event"]), str(event.get("code") or "")[:60]
    if kind not in REPORTS:
        raise WebhookRefused(f"There is no event {kind[:40]!r}.")
    return Report(
        REPORTS[kind],
        request.received_at,
        provider_id=str(event["messageId"])[:250],
        code=code,
        reason="" if kind == "delivered" else smtp_reason(code, str(event.get("reason") or "")),
        is_permanent=kind == "bounced" and (is_hard(code) or event.get("permanent") is True),
        opted_out=kind == "complained",
        address=str(event.get("email") or "").strip().lower()[:320],
    )


class _Server(smtplib.SMTP):
    """Connects to the address that was judged, and proves the certificate of the name that was asked for."""

    def __init__(self, address: str, host: str, port: int, context: ssl.SSLContext | None) -> None:
        self._address, self._context = address, context
        super().__init__(host, port, timeout=TIMEOUT)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((self._address, port), timeout)
        # smtplib checks a certificate against this name when it goes on to TLS.
        self._host = host
        return self._context.wrap_socket(plain, server_hostname=host) if self._context else plain


class _SmtpSession:
    """Up to so many connections, made as they are needed; each mail has one to itself."""

    def __init__(self, account: AccountValues, connections: int) -> None:
        self.account, self.settings = account, account.settings
        self.free: queue.SimpleQueue[_Server] = queue.SimpleQueue()
        self.spare = threading.Semaphore(connections - 1)

    def connect(self) -> _Server:
        """Connect and sign in; raise AccountProblem where the server does not let us."""
        host, port = self.settings["host"], int(self.settings["port"])
        security = self.settings.get("security", "starttls")
        context = ssl.create_default_context() if security != "none" else None
        try:
            server = _Server(reachable_address(host, port), host, port, context if security == "tls" else None)
        except (VocelioError, OSError, smtplib.SMTPException) as error:
            raise AccountProblem(f"The mail server does not answer: {error}", code="SMTP_UNREACHABLE") from error
        try:
            server.ehlo_or_helo_if_needed()
            if security == "starttls":
                server.starttls(context=context)
                server.ehlo()
            if self.settings.get("username"):
                server.login(self.settings["username"], self.account.secrets.get("password", ""))
        except (OSError, smtplib.SMTPException) as error:
            server.close()
            if isinstance(error, smtplib.SMTPAuthenticationError):
                message = "The mail server refuses user name or password."
                raise AccountProblem(message, code="SMTP_SIGN_IN") from error
            raise AccountProblem(f"The mail server does not let us in: {error}", code="SMTP_REFUSED") from error
        return server

    def close(self) -> None:
        while not self.free.empty():
            with suppress(OSError, smtplib.SMTPException):
                self.free.get().quit()

    def send(self, message: Outgoing) -> Receipt:
        settings = self.settings
        sender = settings["fromEmail"]
        try:
            raw = write_mail(
                message,
                sender=sender,
                sender_name=settings.get("fromName", ""),
                reply_to=settings.get("replyTo", ""),
            )
        except ValueError as error:
            raise PluginError(str(error), permanent=True, code="HEADER_REFUSED") from error
        server = self._take()
        try:
            _envelope(server, settings.get("bounceAddress") or sender, message.address)
            _data(server, raw)
        finally:
            # One that hung up says so to the next mail, before anything of it is sent.
            self.free.put(server)
        return Receipt(message.message_id)

    def _take(self) -> _Server:
        """Return a free connection, a new one while there may be more, else the next that gets free."""
        if self.free.empty() and self.spare.acquire(blocking=False):
            try:
                return self.connect()
            except AccountProblem:
                # The server wants no more of us; those that stand go on.
                pass
        return self.free.get()


def _envelope(server: smtplib.SMTP, sender: str, recipient: str) -> None:
    """Name sender and recipient; until DATA ends, nothing has been sent."""
    try:
        for command, (code, said) in (("MAIL FROM", server.mail(sender)), ("RCPT TO", server.rcpt(recipient))):
            if code >= 400:
                with suppress(smtplib.SMTPException):
                    server.rset()
                raise _refusal(code, said, command)
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise AccountProblem(f"The mail server hung up: {error}", code="SMTP_UNREACHABLE") from error


def _data(server: smtplib.SMTP, raw: bytes) -> None:
    try:
        code, said = server.data(raw)
    except smtplib.SMTPDataError as error:
        # Refused before a byte of it was sent.
        raise _refusal(error.smtp_code, error.smtp_error, "DATA") from error
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise Uncertain("The mail server hung up before it confirmed the mail.", code="SMTP_HUNG_UP") from error
    if code >= 400:
        raise _refusal(code, said, "DATA")


def _refusal(code: int, said: bytes | str, command: str) -> PluginError:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    enhanced = text.split(" ", 1)[0]
    has_enhanced = enhanced.count(".") == 2 and enhanced.replace(".", "").isdigit()
    reason = smtp_reason(enhanced, text) if has_enhanced else text[:300] or "The mail server refuses it."
    if code == 421:
        return AccountProblem(reason, code="SMTP_BUSY")
    if command == "MAIL FROM" and code >= 500:
        return AccountProblem(f"The mail server refuses the sender: {reason}", code="SMTP_SENDER")
    return PluginError(reason, permanent=code >= 500, code=enhanced if has_enhanced else str(code))
