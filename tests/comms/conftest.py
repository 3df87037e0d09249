"""A mail server on loopback that keeps what it is given, and people who write through it."""

import email
import email.policy
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from comms.models import ChannelAccount, Communication
from comms.services import outbox
from dnc.rules import hours
from tests.factories import Person, run_jobs, unique
from vocelio.organizations.scope import organization_scope


@dataclass
class Mailbox:
    """What a mail server took, in order; `answer` decides on each recipient, `after_data` on each mail."""

    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    answer: Callable[[str], str] = lambda recipient: "250 OK"
    after_data: Callable[[str], str] = lambda recipient: "250 OK"
    lock: threading.Lock = field(default_factory=threading.Lock)
    port: int = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        said = self.answer(address)
        if said.startswith("250"):
            envelope.rcpt_tos.append(address)
        return said

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        said = self.after_data(envelope.rcpt_tos[0])
        if said.startswith("250"):
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            with self.lock:
                self.mails.append((envelope.rcpt_tos[0], mail))
        return said

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for recipient, mail in self.mails if recipient == address]

    @property
    def recipients(self) -> list[str]:
        return [recipient for recipient, _ in self.mails]


class _AnyPort(Controller):
    """Learns the port that the system chose."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    box = Mailbox()
    controller = _AnyPort(box, hostname="127.0.0.1", port=0)
    controller.start()
    box.port = controller.port
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, f"127.0.0.1:{box.port}"]
    yield box
    controller.stop()


@dataclass
class Desk:
    """An organization that can write mails."""

    person: Person
    mailbox: Mailbox
    account_id: str

    def contact(self, **fields: Any) -> dict[str, Any]:
        fields = {"firstName": "Ada", "email": f"{unique('ada')}@example.test"} | fields
        answer = self.person.post("/v1/contacts", fields)
        assert answer.status == 201, answer
        return dict(answer.data)

    def template(self, **fields: Any) -> dict[str, Any]:
        body = {
            "name": unique("template"),
            "channel": "email",
            "subject": "Hello {{first_name|there}}",
            "bodyText": "Dear {{first_name|there}}, welcome to {{organization.name}}.",
        } | fields
        answer = self.person.post("/v1/communications/templates", body)
        assert answer.status == 201, answer
        return dict(answer.data)

    def write(self, contact: dict[str, Any], **fields: Any) -> dict[str, Any]:
        body = {"contactId": contact["id"], "channel": "email", "subject": "Hello", "bodyText": "Dear Ada"} | fields
        if "templateId" in fields:
            body = {name: value for name, value in body.items() if name in fields or name == "contactId"}
        answer = self.person.post("/v1/communications", body)
        assert answer.status == 201, answer
        return dict(answer.data)

    def send(self) -> int:
        """Do what a worker does when it is rung."""
        return outbox.send_account(self.person.organization.id, self.account_id)  # type: ignore[arg-type]

    def show(self, message: dict[str, Any]) -> dict[str, Any]:
        return dict(self.person.get(f"/v1/communications/{message['id']}").data)

    def jobs(self) -> None:
        run_jobs(self.person.organization)

    def rows(self, **filters: Any) -> list[Communication]:
        with organization_scope(self.person.organization.id):
            return list(Communication.objects.filter(**filters).order_by("created_at", "id"))

    def change(self, message: dict[str, Any], **values: Any) -> None:
        with organization_scope(self.person.organization.id):
            Communication.objects.filter(pk=message["id"]).update(**values)

    def rest_over(self) -> None:
        with organization_scope(self.person.organization.id):
            ChannelAccount.objects.update(resting_until=None, lease_until=None)


_domains = itertools.count(1)


def open_desk(person: Person, box: Mailbox) -> Desk:
    answer = person.post(
        "/v1/communications/accounts",
        {
            "provider": "smtp",
            "name": unique("mail"),
            "settings": {
                "host": "127.0.0.1",
                "port": str(box.port),
                "security": "none",
                # One mail after the other, unless a test wants more.
                "connections": "1",
                "fromEmail": f"sales@acme{next(_domains)}.test",
                "fromName": "Acme Sales",
            },
            "secrets": {"webhookSecret": "s" * 32},
        },
    )
    assert answer.status == 201, answer
    return Desk(person, box, answer.data["id"])


@pytest.fixture
def desk(admin: Person, mailbox: Mailbox) -> Desk:
    return open_desk(admin, mailbox)


@pytest.fixture
def any_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every hour be one in which people may be written to."""
    monkeypatch.setattr(hours.Window, "seconds_until_open", lambda self, at: 0)
    original = hours.calling_window

    def open_window(area: Any, at: Any) -> hours.Window:
        window = original(area, at)
        return hours.Window(True, at, at, window.zones, window.rule)

    monkeypatch.setattr("dnc.services.decision.calling_window", open_window)
