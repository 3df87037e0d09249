"""Who receives an event, in which order, and what a lost connection costs."""

import uuid
from collections.abc import Callable

import pytest
import redis
from django.conf import settings
from django.db import transaction

from contacts.models import ContactImport
from tests.factories import PASSWORD, Person, make_organization, make_person
from tests.realtime.server import Server
from vocelio.organizations.models import Membership, Role, Visibility
from vocelio.organizations.scope import organization_scope
from vocelio.realtime import publish as publishing
from vocelio.realtime.publish import publish, redis_channel
from vocelio.realtime.rights import rights_changed


@pytest.fixture
def manager() -> Person:
    return make_person(make_organization(), Role.MANAGER)


def tell(person: Person, number: int, **options: object) -> None:
    """Commit one contacts event of the person's organization."""
    list_ids = options.pop("lists", [])
    with organization_scope(person.organization.id):
        data = {"contactId": str(number), "changes": {}, "updatedBy": None, "listIds": list_ids}
        publish("contacts", type="contact_updated", data=data, **options)  # type: ignore[arg-type]


def test_list_filter_narrows(server: Server, manager: Person) -> None:
    mine, other = str(uuid.uuid4()), str(uuid.uuid4())
    with server.sign_in(manager) as client:
        client.subscribe("contacts", filters={"listId": mine})
        tell(manager, 1, lists=[other])
        tell(manager, 2, lists=[other, mine])
        assert client.hear("contact_updated")["data"]["contactId"] == "2"


def test_two_subscriptions_to_one_event_receive_it_once(server: Server, manager: Person) -> None:
    mine = str(uuid.uuid4())
    with server.sign_in(manager) as client:
        client.subscribe("contacts", filters={"listId": mine})
        client.subscribe("contacts")
        tell(manager, 1, lists=[mine])
        client.hear("contact_updated")
        client.hears_nothing()


def test_other_organizations_receive_nothing(server: Server, manager: Person) -> None:
    outsider = make_person(make_organization())
    with server.sign_in(manager) as client, server.sign_in(outsider) as stranger:
        for each in (client, stranger):
            each.subscribe("contacts")
        tell(manager, 1)
        client.hear("contact_updated")
        stranger.hears_nothing()


def test_progress_goes_to_those_who_follow_the_job(server: Server, manager: Person) -> None:
    with organization_scope(manager.organization.id):
        jobs = [ContactImport.objects.create(filename="a", file="a", file_size=1) for _ in range(2)]
    with server.sign_in(manager) as client:
        client.subscribe("import_progress", jobId=str(jobs[1].id))
        for job in jobs:
            with organization_scope(manager.organization.id):
                publish("import_progress", key=str(job.id), type="import_progress", data=job.progress_event())
        frame = client.hear("import_progress")
        client.hears_nothing()
    assert frame["data"]["jobId"] == str(jobs[1].id)
    assert {"jobId", "progress", "processed", "total", "errors"} <= set(frame["data"])


def test_rolled_back_work_is_never_told(server: Server, manager: Person) -> None:
    with server.sign_in(manager) as client:
        client.subscribe("contacts")
        with organization_scope(manager.organization.id):
            publish("contacts", type="contact_updated", data={"listIds": []})
            transaction.set_rollback(True)
        tell(manager, 2)
        assert client.hear("contact_updated")["sequence"] == 1


def test_agents_limited_to_their_team_receive_only_their_teams_events(server: Server) -> None:
    organization = make_organization(visibility=Visibility.TEAM)
    agent = make_person(organization, Role.AGENT, team="north")
    colleague = make_person(organization, Role.AGENT, team="north")
    stranger = make_person(organization, Role.AGENT, team="south")
    manager = make_person(organization, Role.MANAGER)
    with server.sign_in(agent) as theirs, server.sign_in(manager) as all_of_them:
        theirs.subscribe("contacts")
        all_of_them.subscribe("contacts")
        tell(agent, 1, owners=[stranger.user.id])
        tell(agent, 2, owners=[colleague.user.id])
        tell(agent, 3, owners=[agent.user.id, stranger.user.id])
        tell(agent, 4, owners=[stranger.user.id, None])
        tell(agent, 5)
        assert [theirs.hear()["data"]["contactId"] for _ in range(3)] == ["2", "3", "4"]
        theirs.hears_nothing()
        assert [all_of_them.hear()["data"]["contactId"] for _ in range(5)] == ["1", "2", "3", "4", "5"]


def test_ended_session_closes_its_sockets_at_once(server: Server, manager: Person) -> None:
    other_device = make_person(manager.organization, Role.MANAGER)
    with server.sign_in(manager) as client, server.sign_in(other_device) as other:
        manager.session.ended_at = manager.session.created_at
        manager.session.save()
        rights_changed(user_id=manager.user.id)
        assert client.closed() == (4401, "The session has ended; sign in again.")
        other.hears_nothing()


def test_logging_out_closes_the_socket(server: Server, manager: Person) -> None:
    answer = manager.post("/v1/auth/login", {"email": manager.user.email, "password": PASSWORD}).data
    with server.connect() as client:
        client.say(type="authenticate", token=answer["accessToken"])
        client.hear("authenticated")
        manager.post("/v1/auth/logout", {"refreshToken": answer["refreshToken"]})
        assert client.closed()[0] == 4401


def test_disabled_person_is_closed_out(server: Server, manager: Person) -> None:
    with server.sign_in(manager) as client:
        manager.user.is_active = False
        manager.user.save()
        rights_changed(user_id=manager.user.id)
        assert client.closed()[0] == 4401


def test_removed_member_is_closed_out_with_4403(server: Server, manager: Person) -> None:
    with server.sign_in(manager) as client:
        Membership.objects.filter(user=manager.user).delete()
        rights_changed(user_id=manager.user.id, organization_id=manager.organization.id)
        assert client.closed() == (4403, "You do not belong to this organization.")


def test_lost_permission_in_use_closes_the_socket_with_4403(server: Server, manager: Person) -> None:
    with organization_scope(manager.organization.id):
        job = ContactImport.objects.create(filename="a", file="a", file_size=1)
    with server.sign_in(manager) as following, server.sign_in(manager) as idle:
        following.subscribe("import_progress", jobId=str(job.id))
        idle.subscribe("contacts")
        Membership.objects.filter(user=manager.user).update(role=Role.AGENT)
        rights_changed(user_id=manager.user.id)
        assert following.closed()[0] == 4403
        idle.hears_nothing()
        assert idle.subscribe("import_progress", jobId=str(job.id))["code"] == "FORBIDDEN"


def test_events_that_were_never_pushed_arrive_nevertheless(
    server: Server, manager: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.sign_in(manager) as client:
        client.subscribe("contacts")
        tell(manager, 1)
        with monkeypatch.context() as redis_is_away:
            redis_is_away.setattr(publishing, "_push", lambda events: None)
            for number in (2, 3):
                tell(manager, number)
        assert [client.hear()["sequence"] for _ in range(3)] == [1, 2, 3]


def test_gap_is_filled_before_later_events(server: Server, manager: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    with server.sign_in(manager) as client:
        client.subscribe("contacts")
        with monkeypatch.context() as redis_is_away:
            redis_is_away.setattr(publishing, "_push", lambda events: None)
            for number in range(1, 501):
                tell(manager, number)
        tell(manager, 501)
        assert [client.hear()["sequence"] for _ in range(501)] == list(range(1, 502))


def test_killed_subscription_comes_back_and_misses_nothing(
    start_server: Callable[..., Server], manager: Person
) -> None:
    # A server of its own, since every subscription of the test Redis is cut.
    server = start_server()
    admin = redis.Redis.from_url(settings.REDIS_URL)
    with server.sign_in(manager) as client:
        client.subscribe("contacts")
        tell(manager, 1)
        client.hear("contact_updated")
        admin.client_kill_filter(_type="pubsub")
        tell(manager, 2)
        assert client.hear("contact_updated")["sequence"] == 2
        # Pushes arrive again: the organization's channel has a subscriber besides none.
        tell(manager, 3)
        assert client.hear("contact_updated")["sequence"] == 3
        assert admin.pubsub_numsub(redis_channel(manager.organization.id))[0][1] == 1


def test_last_socket_releases_the_organizations_channel(server: Server, manager: Person) -> None:
    admin = redis.Redis.from_url(settings.REDIS_URL)
    channel = redis_channel(manager.organization.id)
    with server.sign_in(manager) as first:
        with server.sign_in(manager):
            pass
        first.hears_nothing()
        assert admin.pubsub_numsub(channel)[0][1] == 1
    witness = make_person(make_organization())
    with server.sign_in(witness) as client:
        for _ in range(50):
            client.hears_nothing()
            if admin.pubsub_numsub(channel)[0][1] == 0:
                break
        assert admin.pubsub_numsub(channel)[0][1] == 0


def test_without_redis_events_still_arrive(start_server: Callable[..., Server], manager: Person) -> None:
    server = start_server(REDIS_URL="redis://127.0.0.1:1/0")
    with server.sign_in(manager) as client:
        client.subscribe("contacts")
        for number in (1, 2):
            tell(manager, number)
        assert [client.hear("contact_updated")["sequence"] for _ in range(2)] == [1, 2]


def test_slow_client_is_let_go_and_holds_up_nobody(server: Server, manager: Person) -> None:
    bursts, events = 6, 400
    data: dict[str, object] = {"contactId": "x" * 12_000, "changes": {}, "updatedBy": None, "listIds": []}
    with server.sign_in(manager) as slow, server.sign_in(manager) as quick:
        for client in (slow, quick):
            client.subscribe("contacts")
        for _ in range(bursts):
            with organization_scope(manager.organization.id):
                for _ in range(events):
                    publish("contacts", type="contact_updated", data=data)
            sequences = [quick.hear("contact_updated")["sequence"] for _ in range(events)]
        assert sequences[-1] == bursts * events
        assert slow.closed() == (4408, "Too slow; connect again and catch up by GET /v1/events.")
