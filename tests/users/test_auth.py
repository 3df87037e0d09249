"""Signing in and out, the account, forgotten and changed passwords."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from tests.factories import PASSWORD, Answer, Person, make_organization, make_person, unique
from vocelio.access.roles import PERMISSIONS
from vocelio.audit.models import AuditEntry
from vocelio.organizations.models import Membership, Role
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import PasswordReset, Session, User
from vocelio.users.services.passwords import send_password_resets
from vocelio.users.services.people import disable_user, enable_user
from vocelio.users.tokens import read_access_token

NEW_PASSWORD = "a staple of horses"


def anonymous(path: str, body: Any, **headers: str) -> Answer:
    """Post without a token."""
    client = Client(SERVER_NAME="localhost", headers=headers)
    return Answer(client.post(f"/v1/auth/{path}", body, content_type="application/json"))


def login(person: Person, password: str = PASSWORD, **body: Any) -> Answer:
    return anonymous("login", {"email": person.user.email, "password": password, **body})


def actions(person: Person) -> list[str]:
    with organization_scope(person.organization.id):
        return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))


def test_login_answers_tokens_and_who_one_is(admin: Person) -> None:
    answer = login(admin)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.data) == {"accessToken", "refreshToken", "expiresIn", "user"}
    assert answer.data["expiresIn"] == 3600
    organization = {
        "id": str(admin.organization.id),
        "name": admin.organization.name,
        "slug": admin.organization.slug,
        "subscriptionTier": "enterprise",
    }
    assert answer.data["user"] == {
        "id": str(admin.user.id),
        "email": admin.user.email,
        "name": admin.user.name,
        "language": "",
        "timeZone": "",
        "role": "admin",
        "team": "",
        "permissions": sorted(PERMISSIONS[Role.ADMIN]),
        "organization": organization,
        "organizations": [{**organization, "role": "admin"}],
    }


def test_access_token_carries_the_documented_claims(admin: Person) -> None:
    claims = read_access_token(login(admin).data["accessToken"]).raw
    assert claims["sub"] == str(admin.user.id)
    assert claims["org"] == str(admin.organization.id)
    assert claims["role"] == "admin"
    assert "crm:manage" in claims["permissions"]
    assert claims["exp"] - claims["iat"] == 3600


def test_login_does_not_mind_the_case_of_the_address(admin: Person) -> None:
    assert anonymous("login", {"email": admin.user.email.upper(), "password": PASSWORD}).status == 200


def test_login_is_refused_alike_for_wrong_password_unknown_address_and_disabled_person(admin: Person) -> None:
    wrong = login(admin, "wrong")
    unknown = anonymous("login", {"email": f"{unique('nobody')}@example.test", "password": PASSWORD})
    disable_user(user=admin.user)
    disabled = login(admin)
    assert [answer.status for answer in (wrong, unknown, disabled)] == [401, 401, 401]
    assert {answer.error["code"] for answer in (wrong, unknown, disabled)} == {"INVALID_CREDENTIALS"}
    assert wrong.error["message"] == unknown.error["message"] == disabled.error["message"]
    assert wrong.headers["WWW-Authenticate"].startswith("Bearer")
    enable_user(user=admin.user)
    assert login(admin).status == 200


def test_login_names_every_bad_field(admin: Person) -> None:
    answer = anonymous("login", {"email": "x", "organizationId": "y", "nonsense": 1})
    assert answer.status == 422
    answer = anonymous("login", {"email": "x", "organizationId": "y"})
    assert {problem["field"] for problem in answer.error["details"]["errors"]} == {
        "email",
        "password",
        "organizationId",
    }


@pytest.mark.parametrize("body", ["[]", "null", '"text"', "7", '{"email": {}, "password": []}'])
def test_login_refuses_other_json(body: str) -> None:
    assert anonymous("login", body).status == 422


def test_login_refuses_what_is_no_json() -> None:
    assert anonymous("login", "{").status == 400


def test_an_error_never_repeats_the_password(admin: Person) -> None:
    answer = anonymous("login", {"email": "x", "password": "s3cret-canary"})
    assert "s3cret-canary" not in answer.response.content.decode()


def test_login_and_its_failure_are_in_the_audit_log(admin: Person) -> None:
    login(admin, "wrong")
    login(admin)
    assert actions(admin) == ["login.failed", "login.succeeded"]
    with organization_scope(admin.organization.id):
        failed, succeeded = AuditEntry.objects.order_by("id")
    assert (failed.user_id, failed.resource_id) == (None, str(admin.user.id))
    assert succeeded.user_id == admin.user.id
    assert failed.ip_address == "127.0.0.1"


def test_a_failure_is_audited_in_each_organization_of_the_person(admin: Person) -> None:
    second = make_person(make_organization())
    Membership.objects.create(organization=second.organization, user=admin.user, role=Role.AGENT)
    disable_user(user=admin.user)
    login(admin)
    assert actions(admin)[-1] == "login.failed"
    assert actions(second) == ["user.disabled", "login.failed"]


def test_login_without_organization_is_refused_with_a_code() -> None:
    user = User.objects.create_user(f"{unique('loner')}@example.test", PASSWORD)
    answer = anonymous("login", {"email": user.email, "password": PASSWORD})
    assert (answer.status, answer.error["code"]) == (403, "NO_ORGANIZATION")


def test_login_picks_the_chosen_the_last_used_or_the_first_joined_organization(admin: Person) -> None:
    second = make_organization()
    Membership.objects.create(organization=second, user=admin.user, role=Role.AGENT)
    Session.objects.filter(user=admin.user).delete()

    def signed_in_to(**body: Any) -> str:
        organization_id: str = login(admin, **body).data["user"]["organization"]["id"]
        return organization_id

    assert signed_in_to() == str(admin.organization.id)
    assert signed_in_to(organizationId=str(second.id)) == str(second.id)
    assert signed_in_to() == str(second.id)
    assert signed_in_to(organizationId=None) == str(second.id)


def test_login_to_a_foreign_organization_is_refused(admin: Person) -> None:
    answer = login(admin, organizationId=str(make_organization().id))
    assert (answer.status, answer.error["code"]) == (403, "NOT_A_MEMBER")
    assert actions(admin) == ["login.refused"]


def test_login_ignores_a_stale_authorization_header(admin: Person) -> None:
    body = {"email": admin.user.email, "password": PASSWORD}
    assert anonymous("login", body, Authorization="Bearer stale").status == 200


def test_me_answers_the_membership_as_it_is_now(admin: Person) -> None:
    assert admin.get("/v1/auth/me").data["role"] == "admin"
    Membership.objects.filter(user=admin.user).update(role=Role.AGENT, team="north")
    me = admin.get("/api/auth/me").data
    assert (me["role"], me["team"], me["permissions"]) == ("agent", "north", sorted(PERMISSIONS[Role.AGENT]))


def test_me_needs_a_token() -> None:
    answer = Answer(Client(SERVER_NAME="localhost").get("/v1/auth/me"))
    assert (answer.status, answer.error["code"]) == (401, "UNAUTHORIZED")


def test_me_in_a_foreign_organization_is_refused(admin: Person) -> None:
    headers = {"X-Organization-ID": str(make_organization().id)}
    assert admin.get("/v1/auth/me", **headers).status == 403


def test_switching_moves_the_session_to_another_organization(admin: Person) -> None:
    second = make_organization()
    Membership.objects.create(organization=second, user=admin.user, role=Role.AGENT)
    before = login(admin).data
    token = {"Authorization": f"Bearer {before['accessToken']}"}
    after = admin.post("/v1/auth/switch-organization", {"organizationId": str(second.id)}, **token)
    assert after.status == 200
    assert after.data["user"]["organization"]["id"] == str(second.id)
    assert after.data["user"]["role"] == "agent"
    assert anonymous("refresh", {"refreshToken": after.data["refreshToken"]}).data["user"]["role"] == "agent"
    foreign = admin.post("/v1/auth/switch-organization", {"organizationId": str(make_organization().id)}, **token)
    assert (foreign.status, foreign.error["code"]) == (403, "NOT_A_MEMBER")
    assert actions(admin)[-1] == "session.switch_refused"


def mailed_token(person: Person) -> str:
    """Let the queue send the waiting mails and return the token of this person's last one."""
    send_password_resets()
    message = next(message for message in reversed(mail.outbox) if message.to == [person.user.email])
    link = re.search(r"/password-reset#token=(\S+)", str(message.body))
    assert link
    return link[1]


def test_password_reset_sets_a_new_password_once_and_ends_all_sessions(admin: Person) -> None:
    assert anonymous("password-reset", {"email": admin.user.email.upper()}).status == 200
    token = mailed_token(admin)
    weak = anonymous("password-reset/confirm", {"token": token, "password": "short"})
    assert (weak.status, weak.error["details"]["field"]) == (422, "password")
    assert anonymous("password-reset/confirm", {"token": token, "password": NEW_PASSWORD}).status == 200
    assert admin.get("/v1/auth/me").status == 401
    assert login(admin).status == 401
    assert login(admin, NEW_PASSWORD).status == 200
    again = anonymous("password-reset/confirm", {"token": token, "password": "yet another pass"})
    assert (again.status, again.error["details"]["field"]) == (422, "token")
    assert actions(admin)[:3] == ["password.reset_requested", "session.ended", "password.reset"]


def test_password_reset_answers_alike_for_an_unknown_address(admin: Person) -> None:
    email = f"{unique('nobody')}@example.test"
    known = anonymous("password-reset", {"email": admin.user.email})
    unknown = anonymous("password-reset", {"email": email})
    assert (known.status, known.json) == (unknown.status, unknown.json)
    send_password_resets()
    assert not [message for message in mail.outbox if message.to == [email]]


def test_password_reset_keeps_no_token_in_clear_and_lets_it_expire(admin: Person) -> None:
    anonymous("password-reset", {"email": admin.user.email})
    token = mailed_token(admin)
    reset = PasswordReset.objects.get(user=admin.user)
    assert token.encode() not in bytes(reset.token_hash or b"")
    assert reset.expires_at is not None
    assert reset.sent_at is not None
    assert (reset.expires_at - reset.sent_at).total_seconds() == 3600
    PasswordReset.objects.filter(pk=reset.pk).update(expires_at=reset.sent_at)
    assert anonymous("password-reset/confirm", {"token": token, "password": NEW_PASSWORD}).status == 422


def test_password_reset_mails_at_most_five_times_an_hour(admin: Person) -> None:
    client = Client(SERVER_NAME="localhost", REMOTE_ADDR="198.51.100.7")
    for _ in range(7):
        body = {"email": admin.user.email}
        assert client.post("/v1/auth/password-reset", body, content_type="application/json").status_code == 200
    send_password_resets()
    assert len([message for message in mail.outbox if message.to == [admin.user.email]]) == 5


def test_a_person_can_change_the_password_and_keeps_this_session_only(admin: Person) -> None:
    other = login(admin).data
    body = {"currentPassword": PASSWORD, "newPassword": NEW_PASSWORD}
    wrong = admin.post("/v1/auth/password-change", {**body, "currentPassword": "wrong"})
    assert (wrong.status, wrong.error["details"]["field"]) == (422, "currentPassword")
    weak = admin.post("/v1/auth/password-change", {**body, "newPassword": "password12"})
    assert (weak.status, weak.error["details"]["field"]) == (422, "newPassword")
    assert admin.post("/v1/auth/password-change", body).status == 200
    assert admin.get("/v1/auth/me").status == 200
    assert admin.get("/v1/auth/me", Authorization=f"Bearer {other['accessToken']}").status == 401
    assert anonymous("refresh", {"refreshToken": other["refreshToken"]}).status == 401
    assert login(admin, NEW_PASSWORD).status == 200


def test_staff_use_the_api_with_their_back_office_session(admin: Person) -> None:
    admin.user.is_staff = True
    admin.user.save()
    client = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    client.force_login(admin.user)
    assert client.get("/v1/auth/me").status_code == 401
    session = client.session
    session["organization_id"] = str(admin.organization.id)
    session.save()
    assert client.get("/v1/auth/me").status_code == 200
    assert client.get("/v1/members", headers={"Accept": "text/html"}).status_code == 200
    assert client.patch("/v1/organization", {"name": "x"}, content_type="application/json").status_code == 403
    client.cookies["csrftoken"] = "a" * 32
    headers = {"X-CSRFToken": "a" * 32}
    answer = client.patch("/v1/organization", {"name": "x"}, content_type="application/json", headers=headers)
    assert answer.status_code == 200
    body = {"organizationId": str(admin.organization.id)}
    switch = client.post("/v1/auth/switch-organization", body, content_type="application/json", headers=headers)
    assert switch.status_code == 403


@pytest.mark.parametrize("page", ["password-reset", "accept-invitation"])
def test_links_in_mails_lead_to_a_page(page: str) -> None:
    answer = Client(SERVER_NAME="localhost").get(f"/{page}")
    assert answer.status_code == 200
    assert answer["Referrer-Policy"] == "same-origin"
    assert "/v1/auth/" in answer.content.decode()
