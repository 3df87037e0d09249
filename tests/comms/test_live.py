"""Sockets: whoever may see a contact hears what becomes of its messages; batches tell how far they are."""

from comms.models import MessageBatch
from comms.services.announcements import announce_batch
from tests.comms.conftest import Desk
from tests.factories import make_organization, make_person
from tests.realtime.server import Server
from tests.rows import make_row
from vocelio.organizations.models import Role
from vocelio.organizations.scope import organization_scope


def test_a_contacts_page_hears_what_becomes_of_a_message(server: Server, desk: Desk):
    contact, other = desk.contact(), desk.contact()
    with server.sign_in(desk.person) as client, server.sign_in(make_person(make_organization())) as stranger:
        assert client.subscribe("communications", filters={"contactId": contact["id"]})["type"] == "subscribed"
        assert stranger.subscribe("communications")["type"] == "subscribed"
        desk.write(other)
        message = desk.write(contact)
        assert desk.send() == 2
        heard = [client.hear() for _ in range(2)]
        assert [(each["type"], each["data"]["status"]) for each in heard] == [
            ("communication_created", "queued"),
            ("communication_updated", "sent"),
        ]
        assert {each["data"]["communicationId"] for each in heard} == {message["id"]}
        stranger.hears_nothing()


def test_who_may_write_to_many_follows_a_batch(server: Server, desk: Desk):
    organization = desk.person.organization
    with organization_scope(organization.id):
        batch = make_row(MessageBatch)
    with server.sign_in(desk.person) as client, server.sign_in(make_person(organization, Role.AGENT)) as agent:
        assert agent.subscribe("batch_progress", batchId=str(batch.pk))["type"] == "error"
        assert client.subscribe("batch_progress", batchId=str(batch.pk))["type"] == "subscribed"
        with organization_scope(organization.id):
            announce_batch(batch)
        event = client.hear("batch_progress")
        assert (event["data"]["batchId"], event["data"]["messages"]) == (str(batch.pk), {})
