"""People are told once, by the channels they chose, and nobody reads what others were told."""

import threading

import pytest
from django.core import mail
from django.db import connection

from tests.factories import Person, make_organization, make_person, run_jobs, unique
from tests.realtime.server import Server
from vocelio.notifications.kinds import Kind, register
from vocelio.notifications.services.feed import tell_feed
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.models import Role, Visibility
from vocelio.organizations.scope import organization_scope

QUIET = Kind("test.quiet", "Something in a test")
LOUD = Kind("test.loud", "Something urgent in a test", email=True)
register(QUIET)
register(LOUD)


def tell(person: Person, kind: Kind = QUIET, key: str = "") -> int:
    with organization_scope(person.organization.id):
        made = notify(
            kind=kind.name, user_ids=[person.user.id], title="Call Ada", body="At noon", key=key or unique("occasion")
        )
    return len(made)


def test_a_notification_is_listed_and_read_one_by_one_and_all_at_once(agent: Person):
    for _ in range(3):
        tell(agent)
    answer = agent.get("/v1/notifications")
    assert answer.json["unread"] == 3
    first = answer.data[0]
    assert (first["title"], first["kind"], first["isRead"]) == ("Call Ada", "test.quiet", False)
    assert agent.put(f"/v1/notifications/{first['id']}/read", {}).data["isRead"] is True
    assert agent.get("/v1/notifications?status=unread").json["unread"] == 2
    assert len(agent.get("/v1/notifications?status=unread").data) == 2
    assert agent.post("/v1/notifications/read-all").json["count"] == 2
    assert agent.get("/v1/notifications").json["unread"] == 0


def test_nobody_reads_what_others_were_told(agent: Person, admin: Person):
    tell(agent)
    notification = agent.get("/v1/notifications").data[0]["id"]
    assert admin.get("/v1/notifications").data == []
    assert admin.post(f"/v1/notifications/{notification}/read").status == 404
    assert agent.get("/v1/notifications").json["unread"] == 1


def test_one_occasion_is_told_once_even_by_two_at_the_same_moment(agent: Person):
    key, made = unique("occasion"), []
    ready = threading.Barrier(2)

    def both():
        ready.wait()
        made.append(tell(agent, LOUD, key))
        connection.close()

    threads = [threading.Thread(target=both) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(made) == [0, 1]
    assert agent.get("/v1/notifications").json["unread"] == 1


def test_a_mail_goes_out_once_to_whom_wants_it(agent: Person):
    tell(agent, LOUD)
    tell(agent, QUIET)
    assert run_jobs(agent.organization) == 1
    assert run_jobs(agent.organization) == 0
    (sent,) = [each for each in mail.outbox if each.to == [agent.user.email]]
    assert sent.subject == "Call Ada"
    assert "At noon" in sent.body
    assert sent.extra_headers["Message-ID"].startswith("<")


def test_preferences_by_kind_and_channel_hold_from_the_next_notification(agent: Person):
    shown = agent.get("/v1/notifications/preferences").data["preferences"]
    assert {"kind": "test.loud", "label": LOUD.label, "channel": "email", "isEnabled": True} in shown
    wish = {"preferences": [{"kind": "test.loud", "channel": "email", "isEnabled": False}]}
    changed = agent.put("/v1/notifications/preferences", wish).data["preferences"]
    assert {"kind": "test.loud", "label": LOUD.label, "channel": "email", "isEnabled": False} in changed
    tell(agent, LOUD)
    assert run_jobs(agent.organization) == 0
    colleague = make_person(agent.organization)
    tell(colleague, LOUD)
    assert run_jobs(agent.organization) == 1


def test_a_preference_for_what_there_is_not_is_refused(agent: Person):
    wish = {"preferences": [{"kind": "test.nothing", "channel": "pigeon", "isEnabled": False}]}
    refused = agent.put("/v1/notifications/preferences", wish)
    assert refused.status == 422
    assert {each["field"] for each in refused.error["details"]["errors"]} == {
        "preferences.0.kind",
        "preferences.0.channel",
    }


def test_sockets_hear_their_own_persons_notifications_only(server: Server):
    admin = make_person(make_organization(), Role.ADMIN)
    agent = make_person(admin.organization, Role.AGENT)
    with server.sign_in(agent) as mine, server.sign_in(admin) as other:
        for each in (mine, other):
            assert each.subscribe("notifications")["type"] == "subscribed"
        tell(agent)
        assert mine.hear("notification")["data"]["title"] == "Call Ada"
        other.hears_nothing()
    events = admin.get("/v1/events").data
    assert [event for event in events if event["topic"] == "notifications"] == []


def test_the_feed_follows_ownership(manager: Person):
    manager.organization.visibility = Visibility.TEAM
    manager.organization.save()
    north, south = (make_person(manager.organization, Role.AGENT, team) for team in ("north", "south"))
    with organization_scope(manager.organization.id):
        for title, owner in (("Northern", north.user.id), ("Nobody's", None)):
            tell_feed(
                kind="deal.won", resource="deal", resource_id=manager.user.id, title=title, owners=[owner], amount="5"
            )

    def titles(person: Person) -> list[str]:
        return [entry["title"] for entry in person.get("/v1/feed?kind=deal.won").data]

    assert titles(manager) == titles(north) == ["Nobody's", "Northern"]
    assert titles(south) == ["Nobody's"]
    assert manager.get("/v1/feed?resource=project").data == []


@pytest.mark.parametrize("address", ["/v1/notifications", "/v1/feed"])
def test_a_stranger_sees_none_of_it(address: str, agent: Person, outsider: Person):
    tell(agent)
    with organization_scope(agent.organization.id):
        tell_feed(kind="a.b", resource="x", resource_id=agent.user.id, title="x", owners=[None])
    assert agent.get(address).data != []
    assert outsider.get(address).data == []
