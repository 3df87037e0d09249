"""Organizations that write to numbers."""

from functools import cache
from typing import Any

from comms.models import Communication
from comms.services import outbox
from tests.dnc.registries import days_ago, forget, fresh_code, load_lines, subscribe
from tests.factories import Person, unique
from vocelio.organizations.scope import organization_scope


@cache
def loaded(code: str = "") -> str:
    """Return an area code of which 555-0199 is listed; registries are shared by all tests of a process."""
    code = forget(code) if code else fresh_code()
    load_lines(code, [5550199])
    return code


class Line:
    """An organization with an account for messages to numbers, and a number that may be written to."""

    def __init__(
        self, person: Person, provider: str, settings: dict[str, str], secrets: dict[str, str], code: str = ""
    ):
        body = {"provider": provider, "name": unique("line"), "settings": settings, "secrets": secrets}
        answer = person.post("/v1/communications/accounts", body)
        assert answer.status == 201, answer
        self.person, self.account = person, answer.data
        code = loaded(code)
        subscribe(person)
        self.number = f"+1{code}5550100"
        self.listed = f"+1{code}5550199"
        self.contact = person.post("/v1/contacts", {"firstName": "Ada", "phone": self.number}).data

    def write(self, **fields: Any) -> Any:
        return self.person.post("/v1/communications", {"contactId": self.contact["id"], **fields})

    def send(self) -> int:
        """Send, whatever the hour: calling hours are dnc's to test."""
        with organization_scope(self.person.organization.id):
            Communication.objects.filter(status="queued").update(scheduled_at="2020-01-01T00:00Z")
        return outbox.send_account(self.person.organization.id, self.account["id"])

    def show(self, message: Any) -> Any:
        return self.person.get(f"/v1/communications/{message['id']}").data

    def thread(self) -> Any:
        return self.person.get(f"/v1/communications?contactId={self.contact['id']}&sort=createdAt").data

    def hook(self, raw: Any, content_type: str = "application/json", query: str = "", **headers: str) -> Any:
        path = self.account["webhookUrl"]
        path = path[path.index("/v1/") :] + query
        return self.person.client.post(path, raw, content_type=content_type, headers=headers)

    def consent(self, **fields: Any) -> None:
        body = {"phoneNumber": self.number, "kind": "consent", "occurredOn": str(days_ago(3)), "channel": "whatsapp"}
        answer = self.person.post("/v1/dnc/permissions", body | fields)
        assert answer.status == 201, answer
