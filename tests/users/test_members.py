"""Members, invitations and the organization."""

import re
import smtplib
import threading
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.utils import timezone

from tests.factories import PASSWORD, Answer, Person, make_organization, make_person, unique
from tests.users.test_auth import NEW_PASSWORD, actions, anonymous, login
from vocelio.jobs.models import Doorbell
from vocelio.members.models import Invitation
from vocelio.members.services import invitations
from vocelio.members.tasks import send_invitation
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import LoginAttempt, User


def membership(person: Person) -> Membership:
    return Membership.objects.get(user=person.user, organization=person.organization)


def test_members_are_listed_with_filters(admin: Person) -> None:
    agent = make_person(admin.organization, Role.AGENT, team="north")
    make_person(make_organization())
    assert {row["userId"] for row in agent.get("/v1/members").data} == {str(admin.user.id), str(agent.user.id)}
    (row,) = admin.get("/v1/members?role=agent&status=active&team=north").data
    assert row["id"] == str(membership(agent).id)
    assert (row["email"], row["name"], row["team"]) == (agent.user.email, agent.user.name, "north")
    assert row["isActive"] is True
    assert [row["userId"] for row in admin.get(f"/v1/members?search={agent.user.email[:-6].upper()}").data] == [
        str(agent.user.id)
    ]
    assert admin.get("/v1/members?status=inactive").data == []
    assert admin.get("/v1/members?sort=-email&limit=1&cursor=").json["pagination"]["nextCursor"]
    assert admin.get("/v1/members?status=asleep").status == 422


def test_members_are_read_one_by_one_and_only_in_ones_own_organization(admin: Person) -> None:
    outsider = make_person(make_organization())
    member_id = membership(admin).id
    assert admin.get(f"/v1/members/{member_id}").data["email"] == admin.user.email
    for answer in (
        outsider.get(f"/v1/members/{member_id}"),
        outsider.patch(f"/v1/members/{member_id}", {"role": "agent"}),
        outsider.delete(f"/v1/members/{member_id}"),
    ):
        assert (answer.status, answer.error["code"]) == (404, "NOT_FOUND")


def test_an_admin_changes_role_and_team_and_the_role_holds_at_once(admin: Person) -> None:
    agent = make_person(admin.organization, Role.AGENT)
    path = f"/v1/members/{membership(agent).id}"
    assert agent.patch(path, {"role": "admin"}).status == 403
    changed = admin.patch(path, {"role": "admin", "team": "south"})
    assert changed.status == 200
    assert (changed.data["role"], changed.data["team"]) == ("admin", "south")
    assert changed.data["updatedAt"] > changed.data["createdAt"]
    assert agent.patch(path, {"team": "west"}).status == 200
    assert admin.patch(path, {"role": "king"}).status == 422
    assert admin.patch(path, {"email": "other@example.test"}).status == 200
    assert User.objects.get(pk=agent.user.pk).email == agent.user.email
    assert "member.updated" in actions(admin)
    assert "access.refused" in actions(admin)


def test_a_deactivated_member_is_out_and_can_be_let_in_again(admin: Person) -> None:
    agent = make_person(admin.organization, Role.AGENT)
    path = f"/v1/members/{membership(agent).id}"
    assert admin.delete(path).json == {"message": "Member deactivated"}
    assert agent.get("/v1/members").status == 401
    assert login(agent).error["code"] == "NO_ORGANIZATION"
    assert [row["userId"] for row in admin.get("/v1/members?status=inactive").data] == [str(agent.user.id)]
    assert admin.patch(path, {"isActive": True}).data["isActive"] is True
    assert login(agent).status == 200


def test_the_last_admin_stays(admin: Person) -> None:
    manager = make_person(admin.organization, Role.MANAGER)
    path = f"/v1/members/{membership(admin).id}"
    for answer in (admin.patch(path, {"role": "manager"}), admin.patch(path, {"isActive": False}), admin.delete(path)):
        assert (answer.status, answer.error["code"]) == (409, "LAST_ADMIN")
    assert admin.patch(path, {"team": "north"}).status == 200
    admin.patch(f"/v1/members/{membership(manager).id}", {"role": "admin"})
    assert admin.patch(path, {"role": "manager"}).status == 200


def test_two_admins_who_demote_each_other_at_once_leave_one(admin: Person) -> None:
    other = make_person(admin.organization)
    pairs = [(admin, f"/v1/members/{membership(other).id}"), (other, f"/v1/members/{membership(admin).id}")]
    barrier, statuses = threading.Barrier(2), []

    def demote(person: Person, path: str) -> None:
        try:
            barrier.wait()
            statuses.append(person.patch(path, {"role": "agent"}).status)
        finally:
            connection.close()

    threads = [threading.Thread(target=demote, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The later one finds itself demoted already, or itself the last admin's demoter.
    assert statuses.count(200) == 1
    assert Membership.objects.filter(organization=admin.organization, role=Role.ADMIN).count() == 1


def invite(admin: Person, email: str = "", **body: Any) -> Answer:
    body = {"email": email or f"{unique('new')}@example.test", "role": "agent", **body}
    return admin.post("/v1/members/invitations", body)


def mailed_token(admin: Person, invitation: dict[str, Any]) -> str:
    """Let the queue send the invitation and return the token of its mail."""
    send_invitation(organization_id=str(admin.organization.id), job_id=invitation["id"])
    message = next(message for message in reversed(mail.outbox) if message.to == [invitation["email"]])
    link = re.search(r"/accept-invitation#token=(\S+)", str(message.body))
    assert link
    return link[1]


def accept(token: str, password: str = NEW_PASSWORD, **body: Any) -> Answer:
    return anonymous("invitations/accept", {"token": token, "password": password, **body})


def test_a_newcomer_is_invited_sets_a_password_and_is_signed_in(admin: Person) -> None:
    answer = invite(admin, role="manager", team="north", name="New Person")
    assert answer.status == 201
    invitation = answer.data
    assert (invitation["status"], invitation["invitedBy"]["id"]) == ("pending", str(admin.user.id))
    assert [row["id"] for row in admin.get("/v1/members/invitations").data] == [invitation["id"]]
    token = mailed_token(admin, invitation)
    assert token.startswith(f"{admin.organization.id}.")
    weak = accept(token, "short")
    assert (weak.status, weak.error["details"]["field"]) == (422, "password")
    assert not User.objects.filter(email=invitation["email"]).exists()
    joined = accept(token)
    assert joined.status == 200
    assert joined.data["user"]["name"] == "New Person"
    assert (joined.data["user"]["role"], joined.data["user"]["team"]) == ("manager", "north")
    assert accept(token).status == 422
    assert admin.get("/v1/members/invitations").data == []
    assert anonymous("login", {"email": invitation["email"], "password": NEW_PASSWORD}).status == 200
    assert actions(admin)[:3] == ["invitation.created", "invitation.accepted", "login.succeeded"]
    assert invite(admin, invitation["email"]).error["code"] == "ALREADY_MEMBER"


def test_somebody_with_an_account_joins_by_their_own_password(admin: Person) -> None:
    other = make_person(make_organization())
    token = mailed_token(admin, invite(admin, other.user.email.upper()).data)
    refused = accept(token)
    assert (refused.status, refused.error["code"]) == (401, "INVALID_CREDENTIALS")
    assert LoginAttempt.objects.exists()
    joined = accept(token, PASSWORD)
    assert joined.status == 200
    assert len(joined.data["user"]["organizations"]) == 2
    assert joined.data["user"]["organization"]["id"] == str(admin.organization.id)


def test_inviting_again_sends_a_new_link_and_the_old_one_ends(admin: Person) -> None:
    first = invite(admin)
    old = mailed_token(admin, first.data)
    again = invite(admin, first.data["email"].upper(), role="manager")
    assert (again.status, again.data["id"], again.data["role"]) == (200, first.data["id"], "manager")
    new = mailed_token(admin, again.data)
    assert accept(old).status == 422
    assert accept(new).status == 200


def test_a_withdrawn_or_expired_invitation_opens_nothing(admin: Person) -> None:
    withdrawn, expired = invite(admin).data, invite(admin).data
    tokens = [mailed_token(admin, withdrawn), mailed_token(admin, expired)]
    assert admin.delete(f"/v1/members/invitations/{withdrawn['id']}").status == 200
    with organization_scope(admin.organization.id):
        Invitation.objects.filter(pk=expired["id"]).update(expires_at=timezone.now())
    assert [accept(token).status for token in tokens] == [422, 422]
    assert [row["status"] for row in admin.get("/v1/members/invitations").data] == ["expired"]


@pytest.mark.parametrize("token", ["", "x", "not-a-uuid.secret", "018f0000-0000-7000-8000-000000000000.secret"])
def test_a_made_up_invitation_opens_nothing(token: str) -> None:
    assert accept(token).status == 422


def test_only_admins_invite_and_foreign_invitations_are_not_there(admin: Person) -> None:
    manager, outsider = make_person(admin.organization, Role.MANAGER), make_person(make_organization())
    invitation = invite(admin).data
    assert invite(manager).status == 403
    assert manager.get("/v1/members/invitations").status == 403
    assert outsider.delete(f"/v1/members/invitations/{invitation['id']}").status == 404
    assert invite(admin, "nonsense").status == 422
    assert invite(admin, role="king").status == 422


def test_a_deactivated_member_is_activated_rather_than_invited(admin: Person) -> None:
    agent = make_person(admin.organization, Role.AGENT)
    admin.delete(f"/v1/members/{membership(agent).id}")
    answer = invite(admin, agent.user.email)
    assert answer.status == 409
    assert answer.error["details"]["memberId"] == str(membership(agent).id)
    assert answer.error["details"]["memberIsActive"] is False


def test_an_invitation_is_mailed_once_however_often_it_is_rung(admin: Person) -> None:
    invitation = invite(admin).data
    assert Doorbell.objects.get(pk=invitation["id"]).organization_id == admin.organization.id
    mailed_token(admin, invitation)
    send_invitation(organization_id=str(admin.organization.id), job_id=invitation["id"])
    assert len([message for message in mail.outbox if message.to == [invitation["email"]]]) == 1
    assert not Doorbell.objects.filter(pk=invitation["id"]).exists()


def test_a_mail_server_that_is_away_is_tried_again(admin: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    invitation = invite(admin).data

    def away(**kwargs: Any) -> None:
        raise smtplib.SMTPServerDisconnected

    with monkeypatch.context() as patched:
        patched.setattr(invitations, "write_mail", away)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            send_invitation(organization_id=str(admin.organization.id), job_id=invitation["id"])
    assert Doorbell.objects.filter(pk=invitation["id"]).exists()
    assert mailed_token(admin, invitation)


def test_the_organization_is_read_by_all_and_changed_by_admins(admin: Person) -> None:
    agent = make_person(admin.organization, Role.AGENT)
    before = agent.get("/v1/organization").data
    assert before["slug"] == admin.organization.slug
    changes = {
        "name": " New \n name ",
        "settings": {"dialer_mode": "preview", "nestedKey": {"a_b": 1}},
        "defaultRegion": "gb",
        "visibility": "team",
        "subscriptionTier": "pro",
    }
    assert agent.patch("/v1/organization", changes).status == 403
    after = admin.patch("/v1/organization", changes)
    assert after.status == 200
    assert after.data == {
        **before,
        **changes,
        "name": "New name",
        "defaultRegion": "GB",
        "updatedAt": after.data["updatedAt"],
    }
    assert admin.get("/v1/organization").data == after.data
    assert actions(admin) == ["access.refused", "organization.updated"]


def test_the_organization_refuses_bad_values(admin: Person) -> None:
    body = {"defaultRegion": "XX", "visibility": "none", "subscriptionTier": "gold", "settings": [], "name": ""}
    answer = admin.patch("/v1/organization", body)
    assert answer.status == 422
    assert {problem["field"] for problem in answer.error["details"]["errors"]} == set(body)
    assert Organization.objects.get(pk=admin.organization.pk).name == admin.organization.name
