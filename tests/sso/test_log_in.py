"""Logging in at an identity provider: who is let in, as whom, and what is refused."""

import base64
import hashlib
import secrets
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.factories import PASSWORD, Answer, Person, make_organization, make_person, unique
from tests.sso.provider import CLIENT_ID, CLIENT_SECRET, Provider, unsigned
from tests.users.test_auth import actions, login
from tests.users.test_second_factor import code_of, switch_on
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.users.models import User
from vocelio.users.services.people import disable_user

RETURN_TO = "http://localhost:3000/sso"


class Frontend:
    """A frontend in one browser, that logs in at an organization's provider."""

    def __init__(self, slug: str, provider: Provider) -> None:
        self.slug, self.provider = slug, provider
        self.browser = Client(SERVER_NAME="localhost")
        self.verifier = secrets.token_urlsafe(48)

    def start(self, return_to: str = RETURN_TO) -> Any:
        digest = hashlib.sha256(self.verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        query = {"returnTo": return_to, "codeChallenge": challenge}
        return self.browser.get(f"/v1/auth/oidc/{self.slug}/start", query)

    def come_back(self, address: str) -> dict[str, str]:
        """Follow the provider's redirect; return what the frontend is told in the fragment."""
        parts = urlsplit(address)
        answer = self.browser.get(f"{parts.path}?{parts.query}")
        assert answer.status_code == 302, answer.content
        place, _, fragment = answer.headers["Location"].partition("#")
        assert place == RETURN_TO
        return {name: value[0] for name, value in parse_qs(fragment).items()}

    def log_in(self, **changes: str) -> dict[str, str]:
        return self.come_back(self.provider.log_in(self.start().headers["Location"], **changes))

    def post(self, path: str, body: Any) -> Answer:
        return Answer(self.browser.post(f"/v1/auth/oidc/{path}", body, content_type="application/json"))

    def trade(self, told: dict[str, str]) -> Answer:
        assert "code" in told, told
        return self.post("token", {"code": told["code"], "codeVerifier": self.verifier})


@pytest.fixture
def frontend(admin: Person, provider: Provider) -> Frontend:
    return Frontend(admin.organization.slug, provider)


def known_as(provider: Provider, email: str = "", **claims: Any) -> str:
    """Let somebody of the organization's domain sit at the provider; return their address."""
    email = email or f"{unique('ada')}@{provider.domain}"
    provider.person = {"sub": unique("subject"), "email": email, "name": "Ada Lovelace", **claims}
    return email


def member(provider: Provider, organization: Organization, role: str = Role.AGENT) -> Person:
    """Return a member with an address of the provider's domain, who sits there."""
    person = make_person(organization, role)
    person.user.email = known_as(provider)
    person.user.save()
    return person


def call(tokens: Answer, path: str, **headers: str) -> Answer:
    bearer = {"Authorization": f"Bearer {tokens.data['accessToken']}", **headers}
    return Answer(Client(SERVER_NAME="localhost", headers=bearer).get(path))


def test_a_newcomer_joins_with_the_role_that_was_set(frontend: Frontend, provider: Provider, admin: Person):
    email = known_as(provider)
    tokens = frontend.trade(frontend.log_in())
    assert tokens.status == 200
    assert tokens.data["user"]["email"] == email
    assert tokens.data["user"]["name"] == "Ada Lovelace"
    assert tokens.data["user"]["role"] == "agent"
    assert not User.objects.get(email=email).has_usable_password()
    assert {"member.joined_by_sso", "single_sign_on.linked", "login.succeeded"} <= set(actions(admin))
    again = frontend.trade(frontend.log_in())
    assert again.data["user"]["id"] == tokens.data["user"]["id"]


def test_a_member_is_recognised_by_address_and_later_by_subject_alone(
    frontend: Frontend, provider: Provider, admin: Person
):
    person = member(provider, admin.organization)
    assert frontend.trade(frontend.log_in()).data["user"]["id"] == str(person.user.id)
    provider.person |= {"email": "renamed@elsewhere.example", "email_verified": False}
    assert frontend.trade(frontend.log_in()).data["user"]["id"] == str(person.user.id)


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email": "ada@elsewhere.example"},
        {"email": ""},
        {"email": "ada@sub.{domain}"},
        {"email": "{domain}"},
    ],
)
def test_only_verified_addresses_of_the_allowed_domains_come_in(
    frontend: Frontend, provider: Provider, claims: dict[str, Any]
):
    known_as(provider)
    provider.claims = {
        name: value.format(domain=provider.domain) if isinstance(value, str) else value
        for name, value in claims.items()
    }
    assert frontend.log_in()["error"] == "SSO_REFUSED"


def test_an_address_told_by_userinfo_counts_when_it_is_of_the_same_subject(frontend: Frontend, provider: Provider):
    email = known_as(provider)
    provider.claims = {"email": None, "email_verified": None}
    provider.userinfo = {"sub": provider.person["sub"], "email": email, "email_verified": True}
    assert frontend.trade(frontend.log_in()).status == 200
    provider.userinfo["sub"] = "somebody else"
    assert frontend.log_in()["error"] == "SSO_FAILED"


def test_newcomers_are_refused_unless_the_organization_wants_them(
    frontend: Frontend, provider: Provider, admin: Person
):
    admin.patch("/v1/organization/identity-provider", {"newcomerRole": ""})
    known_as(provider)
    assert frontend.log_in()["error"] == "SSO_REFUSED"


def test_an_account_that_belongs_elsewhere_is_opened_by_its_password_alone(
    frontend: Frontend, provider: Provider, admin: Person
):
    """Else a provider, or whoever runs it, would be let into the other organization's account."""
    person = member(provider, make_organization())
    for joins in (False, True):
        if joins:
            Membership.objects.create(organization=admin.organization, user=person.user, role=Role.AGENT)
        told = frontend.log_in()
        assert set(told) == {"linkChallenge"}
        body = {"challenge": told["linkChallenge"], "password": "wrong"}
        assert frontend.post("link", body).error["code"] == "INVALID_CREDENTIALS"
    tokens = frontend.post("link", {**body, "password": PASSWORD})
    assert tokens.data["user"]["organization"]["id"] == str(admin.organization.pk)
    assert frontend.trade(frontend.log_in()).status == 200, "Connected once, it needs the password no more."


def test_an_account_with_two_step_log_in_is_connected_by_its_code_too(frontend: Frontend, provider: Provider):
    person = member(provider, make_organization())
    secret, _ = switch_on(person)
    body = {"challenge": frontend.log_in()["linkChallenge"], "password": PASSWORD}
    assert frontend.post("link", body).error["details"]["field"] == "code"
    assert frontend.post("link", {**body, "code": "000000"}).status == 401
    assert frontend.post("link", {**body, "code": code_of(secret)}).status == 200


def test_a_session_by_the_provider_opens_its_own_organization_and_shows_no_other(
    frontend: Frontend, provider: Provider, admin: Person
):
    person = member(provider, admin.organization)
    tokens = frontend.trade(frontend.log_in())
    other = make_organization()
    Membership.objects.create(organization=other, user=person.user, role=Role.ADMIN)
    assert call(tokens, "/v1/contacts").status == 200
    assert call(tokens, "/v1/contacts", **{"X-Organization-ID": str(other.pk)}).status == 403
    shown = [found["id"] for found in call(tokens, "/v1/auth/me").data["organizations"]]
    assert shown == [str(admin.organization.pk)]
    elsewhere = login(person, organizationId=str(other.pk))
    assert elsewhere.status == 200
    sessions = call(tokens, "/v1/auth/sessions").data
    assert {found["organization"]["id"] for found in sessions} == {str(admin.organization.pk)}
    bearer = {"Authorization": f"Bearer {tokens.data['accessToken']}"}
    switch = person.post("/v1/auth/switch-organization", {"organizationId": str(other.pk)}, **bearer)
    assert switch.error["code"] == "NOT_A_MEMBER"


def test_the_platforms_operators_and_disabled_people_are_let_in_by_no_provider(
    frontend: Frontend, provider: Provider, admin: Person
):
    person = member(provider, admin.organization)
    User.objects.filter(pk=person.user.pk).update(is_superuser=True)
    assert frontend.log_in()["error"] == "SSO_REFUSED"
    User.objects.filter(pk=person.user.pk).update(is_superuser=False)
    frontend.trade(frontend.log_in())
    disable_user(user=person.user)
    assert frontend.log_in()["error"] == "SSO_REFUSED"


def test_a_membership_that_was_ended_stays_so(frontend: Frontend, provider: Provider, admin: Person):
    person = member(provider, admin.organization)
    Membership.objects.filter(user=person.user).update(is_active=False)
    assert frontend.log_in()["error"] == "SSO_REFUSED"


LIES = {
    "another audience": {"aud": "somebody-else"},
    "several audiences, for another party": {"aud": [CLIENT_ID, "other"], "azp": "other"},
    "several audiences, for nobody named": {"aud": [CLIENT_ID, "other"]},
    "another issuer": {"iss": "https://login.example.com"},
    "a nonce of another log-in": {"nonce": "x" * 43},
    "no nonce": {"nonce": None},
    "expired": {"exp": 1_700_000_000},
    "no end": {"exp": None},
    "no subject": {"sub": None},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("claims", LIES.values(), ids=LIES.keys())
def test_an_id_token_that_does_not_hold_is_refused(frontend: Frontend, provider: Provider, claims: dict[str, Any]):
    known_as(provider)
    provider.claims = claims
    assert frontend.log_in()["error"] == "SSO_FAILED"


def test_an_id_token_is_believed_by_the_providers_own_key_alone(frontend: Frontend, provider: Provider):
    known_as(provider)
    stranger = RSAKey.generate_key(2048, auto_kid=True)
    # joserfc itself refuses a secret that looks like a public key; any other does for the point.
    forgeries = [
        unsigned,
        lambda claims: jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, stranger),
        lambda claims: jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(CLIENT_SECRET * 4)),
        lambda claims: "not.a.token",
        lambda claims: None,
    ]
    for provider.sign in forgeries:
        assert frontend.log_in()["error"] == "SSO_FAILED"
    provider.sign = None
    assert "code" in frontend.log_in()


def test_a_provider_may_change_its_keys(frontend: Frontend, provider: Provider, monkeypatch: pytest.MonkeyPatch):
    known_as(provider)
    assert "code" in frontend.log_in()
    provider.key = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
    before = len(provider.asked)
    assert frontend.log_in()["error"] == "SSO_FAILED", "Keys are not read again within seconds."
    assert "/keys" not in provider.asked[before:]
    monkeypatch.setattr("vocelio.sso.services.protocol.REREAD_SECONDS", 0)
    assert "code" in frontend.log_in()


def test_description_and_keys_are_read_once_for_many_log_ins(frontend: Frontend, provider: Provider):
    known_as(provider)
    for _ in range(3):
        frontend.log_in()
    assert provider.asked.count("/keys") == 1


def test_a_code_of_the_provider_is_taken_once(frontend: Frontend, provider: Provider):
    known_as(provider)
    address = provider.log_in(frontend.start().headers["Location"])
    cookie = frontend.browser.cookies["vocelio_sso"].value
    assert "code" in frontend.come_back(address)
    frontend.browser.cookies["vocelio_sso"] = cookie
    assert frontend.come_back(address)["error"] == "SSO_FAILED"


def test_the_answer_counts_in_the_browser_that_began_alone(frontend: Frontend, provider: Provider, admin: Person):
    known_as(provider)
    address = provider.log_in(frontend.start().headers["Location"])
    victim = Client(SERVER_NAME="localhost")
    parts = urlsplit(address)
    assert Answer(victim.get(f"{parts.path}?{parts.query}")).error["code"] == "SSO_EXPIRED"
    other = Frontend(admin.organization.slug, provider)
    other.start()
    assert other.come_back(address)["error"] == "SSO_EXPIRED", "Another log-in's state."


def test_the_answer_of_another_provider_is_not_mixed_up(frontend: Frontend, provider: Provider, outsider: Person):
    known_as(provider)
    assert frontend.log_in(iss="https://attacker.example")["error"] == "SSO_FAILED"
    address = provider.log_in(frontend.start().headers["Location"])
    elsewhere = address.replace(frontend.slug, outsider.organization.slug)
    answer = frontend.browser.get(urlsplit(elsewhere).path + "?" + urlsplit(elsewhere).query)
    assert Answer(answer).error["code"] == "SSO_EXPIRED"


def test_what_the_provider_refuses_is_told(frontend: Frontend, provider: Provider):
    address = frontend.start().headers["Location"]
    state = parse_qs(urlsplit(address).query)["state"][0]
    told = frontend.come_back(f"http://x/v1/auth/oidc/{frontend.slug}/callback?error=access_denied&state={state}")
    assert (told["error"], "access_denied" in told["message"]) == ("SSO_FAILED", True)


@pytest.mark.parametrize(
    "address",
    [
        "https://attacker.example/sso",
        "//attacker.example",
        "http://localhost:3000@attacker.example/",
        "http://localhost:3000.attacker.example/",
        "http://localhost:3000\\@attacker.example/",
        "javascript:alert(1)",
        "/relative",
    ],
)
def test_codes_go_to_own_frontends_alone(frontend: Frontend, address: str):
    answer = Answer(frontend.start(address))
    assert (answer.status, answer.error["details"]["field"]) == (422, "returnTo")


def test_the_handed_over_code_works_once_and_for_the_frontend_that_began(frontend: Frontend, provider: Provider):
    known_as(provider)
    told = frontend.log_in()
    assert frontend.trade(told).status == 200
    assert frontend.trade(told).error["code"] == "SSO_EXPIRED"
    stolen = frontend.log_in()
    thief = Frontend(frontend.slug, provider)
    assert thief.trade(stolen).error["code"] == "SSO_EXPIRED"
    assert frontend.trade(stolen).error["code"] == "SSO_EXPIRED", "A wrong guess uses it up."


def test_an_organization_without_a_provider_reads_like_none(frontend: Frontend, outsider: Person):
    frontend.slug = outsider.organization.slug
    without = Answer(frontend.start())
    frontend.slug = "no-such-organization"
    assert without.error["code"] == Answer(frontend.start()).error["code"] == "SSO_UNAVAILABLE"
