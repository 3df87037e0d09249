"""The installation's own identity provider: members of any organization come in, newcomers where it is set."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from tests.factories import Person, make_organization, make_person, unique
from tests.sso.provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.sso.test_log_in import Frontend, known_as
from vocelio.organizations.models import Membership, Role
from vocelio.sso.examinations import single_sign_on
from vocelio.sso.services import protocol


@pytest.fixture
def installation(settings: Any) -> Iterator[Provider]:
    running = Provider()
    running.domain = f"{unique('corp')}.example"
    settings.OUTBOUND_TRUSTED = [running.host]
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = (
        running.issuer,
        CLIENT_ID,
        CLIENT_SECRET,
    )
    settings.OIDC_ALLOWED_DOMAINS, settings.OIDC_NAME = [running.domain], "Corp ID"
    yield running
    protocol.forget_provider(running.issuer)
    running.close()


def test_a_member_of_several_organizations_comes_in_and_nobody_else(installation: Provider):
    person = make_person(make_organization(), Role.AGENT)
    Membership.objects.create(organization=make_organization(), user=person.user, role=Role.AGENT)
    frontend = Frontend("_", installation)
    known_as(installation)
    assert frontend.log_in()["error"] == "SSO_REFUSED"
    person.user.email = known_as(installation)
    person.user.save()
    assert frontend.trade(frontend.log_in()).data["user"]["id"] == str(person.user.id)
    known_as(installation, person.user.email, email_verified=False)
    assert frontend.log_in()["error"] == "SSO_REFUSED"
    known_as(installation, "somebody@elsewhere.example")
    assert frontend.log_in()["error"] == "SSO_REFUSED"


def test_newcomers_join_the_organization_that_is_named(installation: Provider, settings: Any):
    organization = make_organization()
    settings.OIDC_ORGANIZATION, settings.OIDC_NEWCOMER_ROLE = organization.slug, "manager"
    frontend = Frontend("_", installation)
    email = known_as(installation)
    user = frontend.trade(frontend.log_in()).data["user"]
    assert (user["email"], user["role"], user["organization"]["slug"]) == (email, "manager", organization.slug)


def test_an_organization_with_a_provider_of_its_own_is_not_entered_by_it(
    provider: Provider, admin: Person, installation: Provider, settings: Any
):
    settings.OUTBOUND_TRUSTED = [provider.host, installation.host]
    person = make_person(admin.organization, Role.AGENT)
    person.user.email = known_as(installation)
    person.user.save()
    assert Frontend("_", installation).log_in()["error"] == "SSO_REFUSED"


def test_the_log_in_page_leads_there_and_the_doctor_looks_at_it(installation: Provider, settings: Any):
    browser = Client(SERVER_NAME="localhost")
    assert "Corp ID" in browser.get("/admin/login/").content.decode()
    went = browser.post("/admin/login/sso/", {"organization": "_"})
    assert urlsplit(went.headers["Location"]).netloc == installation.host
    (finding,) = single_sign_on()
    assert (finding.level, finding.text) == ("OK", f"{installation.issuer} answers, with 1 keys")
    settings.OIDC_ISSUER = ""
    assert "Corp ID" not in browser.get("/admin/login/").content.decode()
    assert list(single_sign_on()) == []
