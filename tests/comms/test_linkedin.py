"""LinkedIn: a person sends what is ready; with a partner's credentials one act of theirs does."""

import pytest

from comms.services import outbox
from tests.comms.fakes import LinkedInFake
from tests.factories import Person, make_person, unique
from vocelio.organizations.models import Organization, Role

MEMBER = "urn:li:person:Ada1"


def write(person: Person, **fields):
    contact = person.post(
        "/v1/contacts",
        {"firstName": "Ada", "email": f"{unique('a')}@example.test", "customFields": {"linkedin_urn": MEMBER}},
    ).data
    body = {"contactId": contact["id"], "channel": "linkedin", "bodyText": "Hi Ada"} | fields
    answer = person.post("/v1/communications", body)
    assert answer.status == 201, answer
    return answer.data


def send_all(person: Person) -> int:
    """Do what workers do when every account is rung."""
    accounts = person.get("/v1/communications/accounts").data
    return sum(outbox.send_account(person.organization.id, each["id"]) for each in accounts)


def test_a_message_waits_for_a_person_with_its_text(admin: Person, organization: Organization):
    agent = make_person(organization, Role.AGENT)
    message = write(agent)
    assert (message["status"], message["address"][:25]) == ("queued", "https://www.linkedin.com/")
    path = f"/v1/communications/{message['id']}"
    assert agent.put(path, {"bodyText": "Hello Ada"}).data["bodyText"] == "Hello Ada"
    assert send_all(admin) == 0
    assert agent.get(path).data["status"] == "queued", "No worker takes what a person sends."
    assert agent.post(f"{path}/send").status == 409, "There is no account that would."
    done = agent.post(f"{path}/done")
    assert (done.status, done.data["status"]) == (200, "sent")
    assert agent.post(f"{path}/done").status == 409


def test_a_templates_text_is_ready_and_can_be_changed(admin: Person):
    fields = {"name": unique("t"), "channel": "linkedin", "bodyText": "Dear {{first_name|there}}"}
    template = admin.post("/v1/communications/templates", fields).data
    message = write(admin, templateId=template["id"], bodyText="")
    assert message["bodyText"] == "Dear Ada"
    changed = admin.put(f"/v1/communications/{message['id']}", {"bodyText": "Dear Ada, my own words"})
    assert (changed.status, changed.data["templateId"]) == (200, template["id"])


@pytest.fixture
def linkedin(settings, admin: Person):
    fake = LinkedInFake({MEMBER})
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, f"127.0.0.1:{fake.server_port}"]
    body = {"provider": "linkedin_api", "name": "Partner", "settings": {"apiUrl": fake.url}}
    answer = admin.post("/v1/communications/accounts", {**body, "secrets": {"accessToken": "partner-token"}})
    assert answer.status == 201, answer
    yield fake
    fake.stop()


def test_with_credentials_a_persons_act_sends_it(admin: Person, linkedin: LinkedInFake):
    message = write(admin)
    assert send_all(admin) == 0, "LinkedIn forbids what nobody decided just now."
    path = f"/v1/communications/{message['id']}"
    assert admin.post(f"{path}/send").status == 200
    assert send_all(admin) == 1
    assert linkedin.sent == [{"recipients": [MEMBER], "body": "Hi Ada", "messageType": "MEMBER_TO_MEMBER"}]
    assert admin.get(path).data["status"] == "sent"


def test_a_refusal_is_told_and_the_message_waits_for_its_person_again(admin: Person, linkedin: LinkedInFake):
    linkedin.connections = set()
    message = write(admin)
    path = f"/v1/communications/{message['id']}"
    admin.post(f"{path}/send")
    assert send_all(admin) == 0
    shown = admin.get(path).data
    assert (shown["status"], shown["errorMessage"]) == ("failed", "Not a connection of the member")
    assert admin.post(f"{path}/retry").data["status"] == "queued"
    assert send_all(admin) == 0
    assert admin.post(f"{path}/done").data["status"] == "sent"


def test_nothing_is_queued_for_the_api_itself(admin: Person, linkedin: LinkedInFake):
    account = next(each for each in admin.get("/v1/communications/accounts").data if each["provider"] == "linkedin_api")
    contact = admin.post("/v1/contacts", {"firstName": "Ada", "email": f"{unique('a')}@example.test"}).data
    body = {"contactId": contact["id"], "channel": "linkedin", "bodyText": "Hi", "accountId": account["id"]}
    assert admin.post("/v1/communications", body).status == 422
