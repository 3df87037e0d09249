"""GET /events: catching up."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from tests.factories import Person, make_organization, make_person
from tests.realtime.server import Server
from vocelio.organizations.models import RetentionRule, Role, Visibility
from vocelio.organizations.scope import organization_scope
from vocelio.realtime import publish as publishing
from vocelio.realtime.history import purge_events
from vocelio.realtime.models import Event
from vocelio.realtime.publish import publish


def tell(person: Person, number: int, topic: str = "contacts", **options: object) -> None:
    with organization_scope(person.organization.id):
        data: dict[str, object] = {"contactId": str(number), "changes": {}, "updatedBy": None, "listIds": []}
        publish(topic, type="contact_updated", data=data, **options)  # type: ignore[arg-type]


def age(person: Person, below: int) -> None:
    """Let the events up to this number be eight days old."""
    with organization_scope(person.organization.id):
        Event.objects.filter(sequence__lte=below).update(created_at=timezone.now() - timedelta(days=8))


def test_events_come_in_order_and_in_pages(manager: Person) -> None:
    for number in range(1, 6):
        tell(manager, number)
    first = manager.get("/v1/events?after=1&limit=3")
    assert [event["sequence"] for event in first.data] == [2, 3, 4]
    assert first.json["pagination"] == {"limit": 3, "after": 4, "hasMore": True}
    second = manager.get("/v1/events?after=4&limit=3")
    assert second.json["pagination"] == {"limit": 3, "after": 5, "hasMore": False}
    (event,) = second.data
    assert set(event) == {"sequence", "type", "topic", "data", "createdAt"}
    assert (event["type"], event["topic"]) == ("contact_updated", "contacts")
    assert event["data"] == {"contactId": "5", "changes": {}, "updatedBy": None, "listIds": []}


def test_agents_read_only_what_a_socket_would_have_shown_them() -> None:
    organization = make_organization(visibility=Visibility.TEAM)
    agent, stranger = (make_person(organization, Role.AGENT, team=team) for team in ("north", "south"))
    manager = make_person(organization, Role.MANAGER)
    tell(agent, 1, owners=[stranger.user.id])
    tell(agent, 2, owners=[agent.user.id])
    tell(agent, 3, topic="import_progress", key=str(uuid.uuid4()))
    tell(agent, 4, owners=[None])
    tell(agent, 5)
    tell(agent, 6, topic="nobody_registered_this")
    assert [event["sequence"] for event in agent.get("/v1/events?after=0").data] == [2, 4]
    assert [event["sequence"] for event in manager.get("/v1/events?after=0").data] == [1, 2, 3, 4, 5]


def test_other_organizations_events_are_not_there(manager: Person, outsider: Person) -> None:
    tell(outsider, 1)
    assert manager.get("/v1/events").data == []


def keep_less_than_others(person: Person) -> None:
    """Choose a shorter time than others, so that single events are purged rather than whole days of everybody."""
    with organization_scope(person.organization.id):
        RetentionRule.objects.create(name="events", days=5)


@pytest.mark.upkeep
def test_purged_past_is_410_and_says_where_to_go_on(manager: Person) -> None:
    for number in range(1, 6):
        tell(manager, number)
    keep_less_than_others(manager)
    age(manager, below=3)
    assert purge_events() >= 3
    gone = manager.get("/v1/events?after=2")
    assert (gone.status, gone.error["code"]) == (410, "EVENTS_GONE")
    assert gone.error["details"] == {"sequence": 5}
    assert [event["sequence"] for event in manager.get("/v1/events?after=3").data] == [4, 5]
    assert [event["sequence"] for event in manager.get("/v1/events").data] == [4, 5]
    assert manager.get("/v1/events?after=6").status == 410


@pytest.mark.upkeep
def test_purging_leaves_no_gap_when_an_older_event_has_a_higher_number(manager: Person) -> None:
    for number in range(1, 4):
        tell(manager, number)
    keep_less_than_others(manager)
    age(manager, below=3)
    with organization_scope(manager.organization.id):
        Event.objects.filter(sequence=2).update(created_at=timezone.now())
    purge_events()
    assert [event["sequence"] for event in manager.get("/v1/events?after=1").data] == [2, 3]


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=1000000000", "page=2", "after=1e3"])
def test_bad_parameters_are_422(manager: Person, query: str) -> None:
    assert manager.get(f"/v1/events?{query}").status == 422


def test_client_that_was_away_has_everything_after_catching_up(
    server: Server, manager: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with server.sign_in(manager) as client:
        client.subscribe("contacts")
        tell(manager, 1)
        seen = [client.hear("contact_updated")["sequence"]]
    with monkeypatch.context() as redis_is_away:
        redis_is_away.setattr(publishing, "_push", lambda events: None)
        for number in range(2, 31):
            tell(manager, number)
    with server.sign_in(manager) as client:
        follows_from = client.subscribe("contacts")["sequence"]
        tell(manager, 31)
        after, has_more = seen[-1], True
        while has_more:
            page = manager.get(f"/v1/events?after={after}&limit=10").json
            seen += [event["sequence"] for event in page["data"] if event["sequence"] <= follows_from]
            after, has_more = page["pagination"]["after"], page["pagination"]["hasMore"]
        seen.append(client.hear("contact_updated")["sequence"])
    assert seen == list(range(1, 32))


def test_numbers_have_no_gaps_when_work_is_rolled_back(manager: Person) -> None:
    tell(manager, 1)
    with organization_scope(manager.organization.id):
        publish("contacts", type="contact_updated", data={"listIds": []})
        transaction.set_rollback(True)
    tell(manager, 2)
    assert [event["sequence"] for event in manager.get("/v1/events?after=0").data] == [1, 2]
