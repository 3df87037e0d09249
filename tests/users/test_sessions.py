"""Refresh tokens, the list of sessions, and what ends them."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test import Client

from tests.factories import Answer, Person, make_person
from tests.users.test_auth import actions, anonymous, login
from vocelio.organizations.models import Membership
from vocelio.realtime import receivers
from vocelio.users.models import LoginAttempt, PasswordReset, RefreshToken, Session
from vocelio.users.services.people import disable_user
from vocelio.users.services.purges import purge_sign_ins
from vocelio.users.tokens import hash_secret


@pytest.fixture
def announced(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the sockets of all processes are told."""
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(receivers, "rights_changed", lambda **whose: told.append(whose))
    return told


def refresh(token: str) -> Answer:
    return anonymous("refresh", {"refreshToken": token})


def works(access_token: str) -> bool:
    client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {access_token}"})
    return client.get("/v1/auth/me").status_code == 200


def in_parallel(work: Callable[[], Any], times: int) -> list[Any]:
    """Run the same work at once in threads, each with a database connection of its own."""
    start, results = threading.Barrier(times), []

    def run() -> None:
        try:
            start.wait()
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_refreshing_trades_the_token_for_new_ones(admin: Person) -> None:
    first = login(admin).data
    second = refresh(first["refreshToken"])
    assert second.status == 200
    assert second.data["refreshToken"] != first["refreshToken"]
    assert second.data["user"]["id"] == str(admin.user.id)
    assert works(second.data["accessToken"])
    assert refresh(second.data["refreshToken"]).status == 200
    assert actions(admin) == ["login.succeeded", "session.refreshed", "session.refreshed"]


def test_a_used_refresh_token_ends_the_whole_session(admin: Person) -> None:
    first = login(admin).data
    second = refresh(first["refreshToken"]).data
    replay = refresh(first["refreshToken"])
    assert (replay.status, replay.error["code"]) == (401, "INVALID_REFRESH_TOKEN")
    assert not works(second["accessToken"])
    assert refresh(second["refreshToken"]).status == 401
    session = Session.objects.get(refresh_tokens__token_hash=hash_secret(first["refreshToken"]))
    assert session.end_reason == "replayed"
    assert actions(admin)[-1] == "session.ended"


def test_parallel_refreshes_of_one_token_have_one_successor(admin: Person) -> None:
    first = login(admin).data
    answers = in_parallel(lambda: refresh(first["refreshToken"]).status, 8)
    assert sorted(answers) == [200] + [401] * 7
    session = Session.objects.get(refresh_tokens__token_hash=hash_secret(first["refreshToken"]))
    assert RefreshToken.objects.filter(session=session).count() == 2
    # The others are replays: whoever holds the token twice, one of them stole it.
    assert session.end_reason == "replayed"


def test_an_unknown_refresh_token_is_refused(admin: Person) -> None:
    assert refresh("nonsense").error["code"] == "INVALID_REFRESH_TOKEN"
    assert anonymous("refresh", {}).status == 422


def test_refresh_tokens_are_stored_as_hashes(admin: Person) -> None:
    token = login(admin).data["refreshToken"]
    assert bytes(RefreshToken.objects.get(session__user=admin.user).token_hash) == hash_secret(token)


def test_an_expired_session_cannot_be_refreshed(admin: Person) -> None:
    token = login(admin).data["refreshToken"]
    Session.objects.filter(user=admin.user).update(expires_at=Now())
    assert refresh(token).error["code"] == "SESSION_ENDED"


def test_signing_out_ends_the_session_and_its_tokens(admin: Person, announced: list[dict[str, Any]]) -> None:
    tokens = login(admin).data
    assert anonymous("logout", {"refreshToken": tokens["refreshToken"]}).status == 200
    assert not works(tokens["accessToken"])
    assert refresh(tokens["refreshToken"]).status == 401
    assert announced == [{"user_id": admin.user.id}]
    assert anonymous("logout", {"refreshToken": "nonsense"}).status == 200


def test_a_disabled_person_is_out_at_once(admin: Person, announced: list[dict[str, Any]]) -> None:
    tokens = login(admin).data
    disable_user(user=admin.user)
    assert not works(tokens["accessToken"])
    assert refresh(tokens["refreshToken"]).status == 401
    assert announced == [{"user_id": admin.user.id}]
    assert "user.disabled" in actions(admin)


def test_an_ended_membership_ends_the_sessions_there(admin: Person, announced: list[dict[str, Any]]) -> None:
    agent = make_person(admin.organization, "agent")
    tokens = login(agent).data
    member = Membership.objects.get(user=agent.user)
    assert admin.delete(f"/v1/members/{member.id}").status == 200
    assert not works(tokens["accessToken"])
    assert refresh(tokens["refreshToken"]).status == 401
    assert {"user_id": agent.user.id, "organization_id": admin.organization.id} in announced


def test_a_changed_role_is_announced(admin: Person, announced: list[dict[str, Any]]) -> None:
    agent = make_person(admin.organization, "agent")
    member = Membership.objects.get(user=agent.user)
    admin.patch(f"/v1/members/{member.id}", {"role": "manager"})
    assert announced == [{"user_id": agent.user.id, "organization_id": admin.organization.id}]


def test_a_person_sees_their_live_sessions_and_ends_one(admin: Person) -> None:
    tokens = login(admin).data
    other = make_person(admin.organization)
    answer = admin.get("/v1/auth/sessions?sort=createdAt")
    assert [session["isCurrent"] for session in answer.data] == [True, False]
    assert answer.data[1]["ipAddress"] == "127.0.0.1"
    assert answer.data[1]["organization"]["id"] == str(admin.organization.id)
    session_id = answer.data[1]["id"]
    assert other.delete(f"/v1/auth/sessions/{session_id}").status == 404
    assert admin.delete(f"/v1/auth/sessions/{session_id}").status == 200
    assert not works(tokens["accessToken"])
    assert admin.delete(f"/v1/auth/sessions/{session_id}").status == 404
    assert admin.get("/v1/auth/sessions").json["pagination"]["total"] == 1
    assert admin.get("/v1/auth/sessions?cursor=&limit=1").json["pagination"] == {"limit": 1, "nextCursor": None}


def test_old_sign_ins_are_forgotten(admin: Person) -> None:
    login(admin, "wrong")
    login(admin)
    anonymous("password-reset", {"email": admin.user.email})
    old = {"created_at": "2020-01-01T00:00:00Z"}
    LoginAttempt.objects.update(**old)
    PasswordReset.objects.filter(email=admin.user.email).update(**old)
    Session.objects.filter(user=admin.user).exclude(pk=admin.session.pk).update(expires_at="2020-01-01T00:00:00Z")
    purge_sign_ins()
    assert not PasswordReset.objects.filter(email=admin.user.email).exists()
    assert list(Session.objects.filter(user=admin.user)) == [admin.session]
