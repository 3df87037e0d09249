"""API tokens: programs act as the member who made them, within scopes, until they end."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import Answer, Person, make_person, phone_number
from vocelio.audit.models import AuditEntry
from vocelio.organizations.models import Role
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import ApiToken


def make_token(person: Person, *scopes: str, **values: Any) -> dict[str, Any]:
    answer = person.post("/v1/api-tokens", {"name": "Dialer", "scopes": list(scopes), **values})
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.data
    return made


def call(token: str, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    client = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {token}", **headers})
    return Answer(getattr(client, method)(path, body, content_type="application/json"))


def test_a_token_does_what_its_scopes_allow_and_is_shown_once(admin: Person):
    made = make_token(admin, "contacts:write", "contacts:read")
    assert made["token"].startswith("voc_")
    assert made["hint"] == made["token"][-4:]
    assert made["scopes"] == ["contacts:read", "contacts:write"]
    assert call(made["token"], "post", "/v1/contacts", {"phone": phone_number()}).status == 201
    assert call(made["token"], "get", "/v1/contacts").status == 200
    refused = call(made["token"], "get", "/v1/contact-lists")
    assert (refused.status, refused.error["code"]) == (403, "FORBIDDEN")
    shown = admin.get(f"/v1/api-tokens/{made['id']}").data
    assert "token" not in shown
    assert shown["lastUsedAt"] is not None
    assert shown["isLive"] is True
    assert shown["owner"]["id"] == str(admin.user.pk)
    assert made["token"] not in str(list(ApiToken.objects.filter(pk=made["id"]).values()))
    with organization_scope(admin.organization.pk):
        written = AuditEntry.objects.filter(resource="contact").values_list("user_id", flat=True)
        assert list(written) == [admin.user.pk]


def test_a_token_reads_what_is_its_owners_and_changes_nothing_of_it(admin: Person):
    made = make_token(admin, "contacts:read")
    assert call(made["token"], "get", "/v1/auth/me").data["email"] == admin.user.email
    change = {"currentPassword": "x", "newPassword": "y"}
    assert call(made["token"], "post", "/v1/auth/password-change", change).status == 403
    assert call(made["token"], "delete", f"/v1/auth/sessions/{admin.session.pk}").status == 403


def test_nobody_hands_on_what_they_do_not_hold(admin: Person, manager: Person):
    answer = admin.post("/v1/api-tokens", {"name": "Chain", "scopes": ["tokens:manage"]})
    assert (answer.status, answer.error["details"]["field"]) == (422, "scopes.0")
    assert admin.post("/v1/api-tokens", {"name": "None", "scopes": []}).status == 422
    assert manager.post("/v1/api-tokens", {"name": "Mine", "scopes": ["contacts:read"]}).status == 403
    made = make_token(admin, "contacts:read", "contacts:delete")
    admin.organization.memberships.filter(user=admin.user).update(role=Role.AGENT)
    # The role is read at each call: an agent's token deletes nothing, whatever was once given to it.
    assert call(made["token"], "delete", f"/v1/contacts/{made['id']}").status == 403
    assert call(made["token"], "get", "/v1/contacts").status == 200


@pytest.mark.parametrize("days", [-1, 0, 367])
def test_a_token_lives_for_at_most_a_year(admin: Person, days: int):
    wanted = {
        "name": "Long",
        "scopes": ["contacts:read"],
        "expiresAt": f"{timezone.now() + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}",
    }
    answer = admin.post("/v1/api-tokens", wanted)
    assert (answer.status, answer.error["details"]["field"]) == (422, "expiresAt")
    usual = make_token(admin, "contacts:read")
    assert timedelta(days=89) < ApiToken.objects.get(pk=usual["id"]).expires_at - timezone.now() < timedelta(days=91)


def test_revoked_expired_and_unknown_tokens_are_refused_alike(admin: Person):
    revoked, expired, fired = (make_token(admin, "contacts:read") for _ in range(3))
    assert admin.delete(f"/v1/api-tokens/{revoked['id']}").status == 200
    ApiToken.objects.filter(pk=expired["id"]).update(expires_at=timezone.now())
    answers = [call(each, "get", "/v1/contacts") for each in (revoked["token"], expired["token"], "voc_unknown")]
    assert {answer.status for answer in answers} == {401}
    assert len({answer.error["message"] for answer in answers}) == 1
    assert call(fired["token"], "get", "/v1/contacts").status == 200
    admin.organization.memberships.filter(user=admin.user).update(is_active=False)
    assert call(fired["token"], "get", "/v1/contacts").status == 401


def test_a_token_opens_its_own_organization_only(admin: Person, outsider: Person):
    made = make_token(admin, "contacts:read")
    there = {"X-Organization-ID": str(outsider.organization.pk)}
    assert call(made["token"], "get", "/v1/contacts", **there).status == 403
    assert outsider.get(f"/v1/api-tokens/{made['id']}").status == 404
    assert outsider.delete(f"/v1/api-tokens/{made['id']}").status == 404
    assert outsider.get("/v1/api-tokens").data == []


def test_a_key_repeats_no_token(admin: Person):
    body = {"name": "Once", "scopes": ["contacts:read"]}
    first, second = (admin.post("/v1/api-tokens", body, **{"Idempotency-Key": "same"}).data for _ in range(2))
    assert first["id"] != second["id"]
    assert first["token"] != second["token"]


def test_admins_see_the_tokens_of_all(admin: Person):
    colleague = make_person(admin.organization, Role.ADMIN)
    made = make_token(colleague, "contacts:read")
    assert [row["id"] for row in admin.get("/v1/api-tokens").data] == [made["id"]]
