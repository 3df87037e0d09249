"""The organization's identity provider: settings, what they refuse, single sign-on as the only way in."""

from typing import Any

import pytest

from tests.factories import Person
from tests.sso.provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.sso.test_log_in import Frontend, call, member
from tests.users.test_auth import actions, anonymous, login
from vocelio.organizations.models import Membership, Role
from vocelio.organizations.scope import organization_scope
from vocelio.sso.models import IdentityLink, IdentityProvider

ADDRESS = "/v1/organization/identity-provider"


def test_settings_are_read_without_the_secret_which_rests_sealed(admin: Person, manager: Person, provider: Provider):
    shown = admin.get(ADDRESS).data
    assert (shown["issuer"], shown["clientId"], shown["hasClientSecret"]) == (provider.issuer, CLIENT_ID, True)
    assert shown["redirectUri"].endswith(f"/v1/auth/oidc/{admin.organization.slug}/callback")
    assert "clientSecret" not in shown
    assert shown["isRequired"] is False
    with organization_scope(admin.organization.pk):
        (stored,) = IdentityProvider.objects.values_list("client_secret", flat=True)
    assert CLIENT_SECRET not in stored
    assert manager.get(ADDRESS).status == 403
    assert "identity_provider.created" in actions(admin)


def test_another_issuer_or_client_needs_the_secret_again(admin: Person, provider: Provider):
    for change in ({"issuer": f"{provider.issuer}/other"}, {"clientId": "other"}):
        assert admin.patch(ADDRESS, change).error["details"]["field"] == "clientSecret"
        assert admin.patch(ADDRESS, {**change, "clientSecret": "new"}).status == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"issuer": "http://login.example.com", "clientSecret": "x"}, "issuer"),
        ({"issuer": "https://login.example.com:8443", "clientSecret": "x"}, "issuer"),
        ({"issuer": "https://login.example.com/?x=1", "clientSecret": "x"}, "issuer"),
        ({"allowedDomains": ["gmail.com"]}, "allowedDomains"),
        ({"allowedDomains": ["*.example.com"]}, "allowedDomains"),
        ({"allowedDomains": []}, "allowedDomains"),
        ({"newcomerRole": "admin"}, "newcomerRole"),
    ],
)
def test_bad_settings_are_refused(admin: Person, provider: Provider, change: dict[str, Any], field: str):
    answer = admin.patch(ADDRESS, change)
    assert (answer.status, answer.error["details"]["field"]) == (422, field)


def test_a_first_provider_must_be_whole(admin: Person):
    answer = admin.put(ADDRESS, {"issuer": "https://login.example.com"})
    assert [error["field"] for error in answer.error["details"]["errors"]] == ["client_id", "allowed_domains"]
    assert admin.get(ADDRESS).status == 404


def test_the_provider_is_tested_before_anybody_relies_on_it(admin: Person, provider: Provider):
    assert admin.post(f"{ADDRESS}/test").data["keys"] == 1
    assert "identity_provider.tested" in actions(admin)
    provider.metadata = {"issuer": "https://login.example.com"}
    assert admin.post(f"{ADDRESS}/test").error["code"] == "SSO_FAILED"
    provider.metadata = {"token_endpoint": "http://127.0.0.1:1/token"}
    assert admin.post(f"{ADDRESS}/test").error["code"] == "ADDRESS_NOT_ALLOWED"
    provider.metadata = {"jwks_uri": "https://169.254.169.254/latest"}
    assert admin.post(f"{ADDRESS}/test").error["code"] == "ADDRESS_NOT_ALLOWED"


def test_single_sign_on_is_required_once_somebody_can_get_in_without(admin: Person, agent: Person, provider: Provider):
    assert admin.patch(ADDRESS, {"isRequired": True}).error["code"] == "NO_BREAK_GLASS_ADMIN"
    membership = Membership.objects.get(user=admin.user)
    assert admin.patch(f"/v1/members/{membership.pk}", {"isBreakGlass": True}).data["isBreakGlass"] is True
    assert admin.patch(ADDRESS, {"isRequired": True}).data["isRequired"] is True
    assert agent.get("/v1/contacts").status == 401
    refused = login(agent)
    assert (refused.error["code"], refused.error["details"]["organizationSlug"]) == (
        "SSO_REQUIRED",
        admin.organization.slug,
    )
    assert login(admin).status == 200
    for change in ({"isBreakGlass": False}, {"role": "agent"}, {"isActive": False}):
        assert admin.patch(f"/v1/members/{membership.pk}", change).error["code"] == "LAST_BREAK_GLASS_ADMIN"
    assert admin.patch(ADDRESS, {"isEnabled": False}).error["details"]["field"] == "isRequired"
    person = member(provider, admin.organization)
    frontend = Frontend(admin.organization.slug, provider)
    assert call(frontend.trade(frontend.log_in()), "/v1/contacts").status == 200
    assert login(person).error["code"] == "SSO_REQUIRED"


def test_removing_the_provider_ends_its_sessions_and_lets_passwords_in_again(admin: Person, provider: Provider):
    Membership.objects.filter(user=admin.user).update(is_break_glass=True)
    admin.patch(ADDRESS, {"isRequired": True})
    person = member(provider, admin.organization)
    frontend = Frontend(admin.organization.slug, provider)
    tokens = frontend.trade(frontend.log_in())
    assert admin.delete(ADDRESS).status == 200
    assert call(tokens, "/v1/contacts").status == 401
    assert anonymous("refresh", {"refreshToken": tokens.data["refreshToken"]}).status == 401
    assert login(person).status == 200
    with organization_scope(admin.organization.pk):
        assert not IdentityLink.objects.exists()


def test_a_provider_that_is_switched_off_lets_nobody_in(admin: Person, provider: Provider):
    frontend = Frontend(admin.organization.slug, provider)
    member(provider, admin.organization, Role.MANAGER)
    tokens = frontend.trade(frontend.log_in())
    admin.patch(ADDRESS, {"isEnabled": False})
    assert call(tokens, "/v1/contacts").status == 401
    assert frontend.start().status_code == 404
