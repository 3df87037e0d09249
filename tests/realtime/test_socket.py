"""Signing in to /ws, subscribing, and what is refused."""

import json
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from contacts.models import ContactImport
from tests.factories import Person, make_organization, make_person
from tests.realtime.server import Server
from vocelio.audit.models import AuditEntry
from vocelio.organizations.models import Role
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.publish import publish
from vocelio.users.models import User


@pytest.fixture
def manager() -> Person:
    return make_person(make_organization(), Role.MANAGER)


def make_import(person: Person) -> ContactImport:
    with organization_scope(person.organization.id):
        job: ContactImport = ContactImport.objects.create(filename="a.csv", file="a.csv", file_size=1)
    return job


def test_first_message_signs_in(server: Server, manager: Person) -> None:
    with server.connect() as client:
        client.say(type="authenticate", token=manager.token)
        answer = client.hear("authenticated")
    assert answer["userId"] == str(manager.user.id)
    assert answer["organizationId"] == str(manager.organization.id)
    assert answer["role"] == "manager"
    assert answer["sequence"] == 0
    assert answer["expiresAt"].endswith("Z")


def test_token_as_subprotocol_signs_in(server: Server, manager: Person) -> None:
    with server.connect(subprotocols=["vocelio", f"bearer.{manager.token}"]) as client:
        assert client.connection.subprotocol == "vocelio"
        assert client.hear("authenticated")["role"] == "manager"


def test_token_in_the_address_is_refused(server: Server, manager: Person) -> None:
    with server.connect(f"/ws?token={manager.token}") as client:
        assert client.closed() == (4400, "Send the token in the first message, never in the address.")


def test_bad_token_is_closed_with_4401(server: Server, manager: Person) -> None:
    for token in ("nonsense", "", None, {"a": 1}, manager.token[:-3] + "abc"):
        with server.connect() as client:
            client.say(type="authenticate", token=token)
            assert client.closed()[0] == 4401


def test_ended_session_is_closed_with_4401(server: Server, manager: Person) -> None:
    manager.session.ended_at = timezone.now()
    manager.session.save()
    with server.connect() as client:
        client.say(type="authenticate", token=manager.token)
        assert client.closed() == (4401, "The session has ended; sign in again.")


def test_foreign_organization_is_closed_with_4403(server: Server, manager: Person) -> None:
    other = make_organization()
    with server.connect() as client:
        client.say(type="authenticate", token=manager.token, organizationId=str(other.id))
        assert client.closed() == (4403, "You do not belong to this organization.")


def test_member_of_several_organizations_picks_one(server: Server, manager: Person) -> None:
    other = make_organization()
    other.memberships.create(user=manager.user, role=Role.AGENT)
    with server.connect() as client:
        client.say(type="authenticate", token=manager.token, organizationId=str(other.id))
        answer = client.hear("authenticated")
    assert (answer["organizationId"], answer["role"]) == (str(other.id), "agent")


def test_foreign_origin_is_refused(server: Server) -> None:
    with pytest.raises(InvalidStatus, match="403"), server.connect(origin="https://evil.example"):
        pass


def test_own_origin_is_served(server: Server, manager: Person) -> None:
    with server.connect(origin="http://localhost:3000") as client:
        client.say(type="authenticate", token=manager.token)
        client.hear("authenticated")


def test_other_paths_are_refused(server: Server) -> None:
    with pytest.raises(InvalidStatus, match="403"), server.connect("/elsewhere"):
        pass


def test_subscriptions_are_answered_as_documented(server: Server, manager: Person) -> None:
    list_id, job = str(uuid.uuid4()), make_import(manager)
    with server.sign_in(manager) as client:
        assert client.subscribe("contacts", filters={"listId": list_id}) == {
            "type": "subscribed",
            "channel": "contacts",
            "filters": {"listId": list_id},
            "sequence": 0,
        }
        assert client.subscribe("import_progress", jobId=str(job.id)) == {
            "type": "subscribed",
            "channel": "import_progress",
            "jobId": str(job.id),
            "sequence": 0,
        }


def test_unsubscribed_channel_is_silent(server: Server, manager: Person) -> None:
    with server.sign_in(manager) as client:
        client.subscribe("contacts")
        client.say(type="unsubscribe", channel="contacts")
        assert client.hear() == {"type": "unsubscribed", "channel": "contacts"}
        client.say(type="unsubscribe", channel="contacts")
        assert client.hear("error")["code"] == "NOT_FOUND"
        with organization_scope(manager.organization.id):
            publish("contacts", type="contact_updated", data={"contactId": "1", "listIds": []})
        client.subscribe("contacts")
        client.hears_nothing()


def test_job_of_another_organization_reads_like_an_unknown_one(server: Server, manager: Person) -> None:
    foreign = make_import(make_person(make_organization()))
    with server.sign_in(manager) as client:
        answers = [client.subscribe("import_progress", jobId=str(id)) for id in (foreign.id, uuid.uuid4())]
        assert client.subscribe("import_progress", jobId=str(make_import(manager).id))["type"] == "subscribed"
    assert answers[0] == answers[1]
    assert answers[0]["code"] == "NOT_FOUND"
    assert answers[0]["channel"] == "import_progress"


def test_role_without_the_permission_is_refused_and_audited(server: Server, manager: Person) -> None:
    agent = make_person(manager.organization, Role.AGENT)
    job = make_import(manager)
    with server.sign_in(agent) as client:
        assert client.subscribe("import_progress", jobId=str(job.id))["code"] == "FORBIDDEN"
    with organization_scope(manager.organization.id):
        entry = AuditEntry.objects.get(action="access.refused")
    assert (entry.resource, entry.user_id, entry.door) == ("import_progress", agent.user.id, "socket")
    assert entry.ip_address == "127.0.0.1"


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", "VALIDATION_ERROR"),
        ("[1]", "VALIDATION_ERROR"),
        ("null", "VALIDATION_ERROR"),
        ("[" * 15_000, "VALIDATION_ERROR"),
        ("x" * 50_000, "VALIDATION_ERROR"),
        (b"\x00\x01", "VALIDATION_ERROR"),
        ('{"type": "shout"}', "VALIDATION_ERROR"),
        ('{"type": ["subscribe"]}', "VALIDATION_ERROR"),
        ('{"type": "subscribe"}', "NOT_FOUND"),
        ('{"type": "subscribe", "channel": {}}', "NOT_FOUND"),
        ('{"type": "subscribe", "channel": "nothing"}', "NOT_FOUND"),
        ('{"type": "subscribe", "channel": "contacts", "filters": []}', "subscribed"),
        ('{"type": "subscribe", "channel": "contacts", "filters": 7}', "VALIDATION_ERROR"),
        ('{"type": "subscribe", "channel": "contacts", "filters": {"list": "1"}}', "VALIDATION_ERROR"),
        ('{"type": "subscribe", "channel": "contacts", "filters": {"listId": "1"}}', "VALIDATION_ERROR"),
        ('{"type": "subscribe", "channel": "import_progress"}', "VALIDATION_ERROR"),
        ('{"type": "subscribe", "channel": "import_progress", "jobId": 5}', "VALIDATION_ERROR"),
    ],
)
def test_bad_messages_are_answered_and_survived(
    server: Server, manager: Person, message: str | bytes, code: str
) -> None:
    with server.sign_in(manager) as client:
        client.connection.send(message)
        answer = client.hear()
        assert answer.get("code", answer["type"]) == code
        client.hears_nothing()


def test_nothing_but_signing_in_is_served_before_it(server: Server) -> None:
    with server.connect() as client:
        assert client.subscribe("contacts")["code"] == "UNAUTHORIZED"
        client.say(type="ping")
        client.hear("pong")


def test_too_many_messages_end_the_connection(server: Server, manager: Person) -> None:
    with server.sign_in(manager) as client:
        for _ in range(100):
            client.connection.send('{"type": "ping"}')
        assert client.closed() == (4429, "Too many messages.")


def test_too_many_subscriptions_are_refused(server: Server, manager: Person) -> None:
    with server.sign_in(manager) as client:
        answers = [client.subscribe("contacts", filters={"listId": str(uuid.uuid4())}) for _ in range(51)]
        assert [answer["type"] for answer in answers] == ["subscribed"] * 50 + ["error"]
        assert answers[-1]["code"] == "CONFLICT"


def test_expired_token_ends_the_connection_unless_renewed(
    server: Server, manager: Person, monkeypatch: pytest.MonkeyPatch, settings: object
) -> None:
    monkeypatch.setattr("vocelio.users.tokens.settings.JWT_EXPIRES_IN", 2)
    short = manager.token
    monkeypatch.undo()
    with server.connect() as renewing, server.connect() as expiring:
        for client in (renewing, expiring):
            client.say(type="authenticate", token=short)
            client.hear("authenticated")
        renewing.say(type="authenticate", token=manager.token)
        renewed = renewing.hear("authenticated")
        assert expiring.closed() == (4401, "The access token has expired.")
        renewing.hears_nothing()
    assert renewed["expiresAt"] > (timezone.now() + timedelta(minutes=50)).isoformat()


def test_connection_does_not_change_hands(server: Server, manager: Person) -> None:
    colleague = make_person(manager.organization, Role.AGENT)
    with server.sign_in(manager) as client:
        client.say(type="authenticate", token=colleague.token)
        assert client.hear("error")["code"] == "CONFLICT"
        assert client.subscribe("contacts")["type"] == "subscribed"


def test_frames_are_exactly_as_documented(server: Server, manager: Person) -> None:
    data = {"contactId": "c1", "changes": {"status": "active"}, "updatedBy": "u1", "listIds": []}
    with server.sign_in(manager) as client:
        client.subscribe("contacts")
        with organization_scope(manager.organization.id):
            publish("contacts", type="contact_updated", key="c1", data=data, owners=[uuid.uuid4()])
        assert client.hear() == {"type": "contact_updated", "data": data, "sequence": 1}
        assert json.dumps(data)


@pytest.fixture
def own_origin(server: Server) -> tuple[Server, str]:
    """Return the server and the origin of its pages."""
    return server, f"http://127.0.0.1:{server.port}"


def cookie_of(person: Person) -> str:
    User.objects.filter(pk=person.user.pk).update(is_staff=True)
    person.client.force_login(User.objects.get(pk=person.user.pk))
    assert person.client.get("/admin/").status_code == 200
    return f"sessionid={person.client.cookies['sessionid'].value}"


def test_pages_of_the_back_office_sign_in_by_their_cookie(own_origin: tuple[Server, str], manager: Person) -> None:
    server, origin = own_origin
    headers = {"Cookie": cookie_of(manager)}
    with server.connect(origin=origin, additional_headers=headers) as client:
        client.say(type="authenticate", session=True)
        answer = client.hear("authenticated")
        assert (answer["role"], answer["organizationId"]) == ("manager", str(manager.organization.id))
        assert client.subscribe("contacts")["type"] == "subscribed"
        assert manager.client.post("/admin/logout/").status_code == 200
        assert client.closed()[0] == 4401


def test_a_cookie_signs_in_pages_of_this_host_only(own_origin: tuple[Server, str], manager: Person) -> None:
    server, _ = own_origin
    cookie = cookie_of(manager)
    for origin, sent in (("http://localhost:3000", cookie), (None, cookie), (own_origin[1], "sessionid=nonsense")):
        with server.connect(origin=origin, additional_headers={"Cookie": sent}) as client:
            client.say(type="authenticate", session=True)
            assert client.closed()[0] == 4401


def test_a_cookie_of_nobodys_staff_is_refused(own_origin: tuple[Server, str]) -> None:
    server, origin = own_origin
    agent = make_person(make_organization(), Role.AGENT)
    agent.client.force_login(agent.user)
    session = agent.client.session
    session["organization_id"] = str(agent.organization.id)
    session.save()
    headers = {"Cookie": f"sessionid={agent.client.cookies['sessionid'].value}"}
    with server.connect(origin=origin, additional_headers=headers) as client:
        client.say(type="authenticate", session=True)
        assert client.closed()[0] == 4403


def test_a_program_signs_in_by_api_token_and_is_put_out_when_it_is_revoked(server: Server) -> None:
    admin = make_person(make_organization(), Role.ADMIN)
    made = admin.post("/v1/api-tokens", {"name": "Wallboard", "scopes": ["contacts:read"]}).data
    with server.connect() as client:
        client.say(type="authenticate", token=made["token"])
        assert client.hear("authenticated")["userId"] == str(admin.user.id)
        client.say(type="subscribe", channel="contacts")
        client.hear("subscribed")
        client.say(type="subscribe", channel="deals")
        assert client.hear("error")["code"] == "FORBIDDEN"
        assert admin.delete(f"/v1/api-tokens/{made['id']}").status == 200
        assert client.closed()[0] == 4401
    with server.connect() as client:
        client.say(type="authenticate", token=made["token"])
        assert client.closed()[0] == 4401
