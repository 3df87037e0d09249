"""Two steps and single sign-on in the back office."""

import html
import re
from urllib.parse import urlsplit

from django.test import Client

from tests.backoffice.test_entrance import INDEX, LOGIN, sign_in, staff
from tests.factories import PASSWORD, Person
from tests.sso.conftest import provider
from tests.sso.provider import CLIENT_ID, CLIENT_SECRET, Provider
from tests.sso.test_log_in import known_as
from tests.users.test_second_factor import code_of, forget_last_code, switch_on
from vocelio.organizations.models import Organization, Role
from vocelio.users.models import User

__all__ = ["provider"]

STEP, SECURITY, TWO_STEP = "/admin/login/second-step/", "/admin/security/", "/admin/two-step/"


def ask(organization: Organization, rule: str) -> None:
    Organization.objects.filter(pk=organization.pk).update(second_factor=rule)


def shown_secret(page: str) -> str:
    found = re.search(r"<code[^>]*>([A-Z2-7]{32})</code>", page)
    assert found, page
    return found[1]


def test_staff_with_two_steps_enter_the_code_after_the_password(organization: Organization):
    person = staff(organization, Role.MANAGER)
    secret, codes = switch_on(person)
    client, status = sign_in(person.user.email)
    assert status == 302
    assert client.get(INDEX).status_code == 302, "The password alone opens nothing."
    assert "000000" not in client.post(STEP, {"code": "000000"}).headers
    answer = client.post(STEP, {"code": code_of(secret)})
    assert (answer.status_code, answer.headers["Location"]) == (302, INDEX)
    assert client.get(INDEX).status_code == 200
    other, _ = sign_in(person.user.email)
    assert other.post(STEP, {"code": codes[0]}).status_code == 302
    assert Client(SERVER_NAME="localhost").get(STEP).headers["Location"] == LOGIN


def test_the_rule_leads_staff_to_set_it_up_while_logging_in(organization: Organization):
    ask(organization, "back_office")
    person = staff(organization, Role.MANAGER)
    assert person.get("/v1/contacts").status == 200, "The API asks only where everybody must."
    client, status = sign_in(person.user.email)
    assert status == 302
    page = client.get(STEP).content.decode()
    assert "data:image/svg+xml" in page
    secret = shown_secret(page)
    assert shown_secret(client.post(STEP, {"code": "000000"}).content.decode()) == secret
    codes = client.post(STEP, {"code": code_of(secret)}).content.decode()
    assert len(re.findall(r"<li>[A-Z2-7-]{19}</li>", codes)) == 10
    assert client.get(INDEX).status_code == 200


def test_who_is_in_when_the_rule_comes_sets_it_up_before_the_next_page(admin: Person, organization: Organization):
    assert admin.client.get(INDEX).status_code == 200
    answer = admin.client.post(SECURITY, {"step": "rule", "second_factor": "back_office"})
    assert answer.status_code == 302
    assert admin.client.get("/admin/contacts/contact/").headers["Location"] == TWO_STEP
    browsable = admin.client.get("/v1/contacts")
    assert browsable.status_code in (401, 403)
    page = admin.client.post(TWO_STEP, {"step": "begin", "password": PASSWORD}).content.decode()
    done = admin.client.post(TWO_STEP, {"step": "confirm", "code": code_of(shown_secret(page))}).content.decode()
    assert "shown this one time" in done
    assert admin.client.get(INDEX).status_code == 200
    assert "Switch off" not in admin.client.get(TWO_STEP).content.decode()


def test_operators_prove_a_second_step_where_an_organization_asks_for_it(operator: Person, organization: Organization):
    assert operator.client.get(INDEX).status_code == 200
    ask(organization, "everyone")
    assert operator.client.get(INDEX).headers["Location"] == TWO_STEP


def test_a_person_switches_it_off_and_gets_new_codes_by_password_and_code(manager: Person):
    page = manager.client.post(TWO_STEP, {"step": "begin", "password": PASSWORD}).content.decode()
    secret = shown_secret(page)
    manager.client.post(TWO_STEP, {"step": "confirm", "code": code_of(secret)})
    forget_last_code(manager)
    proof = {"password": PASSWORD, "code": code_of(secret)}
    assert "shown this one time" in manager.client.post(TWO_STEP, {"step": "renew", **proof}).content.decode()
    off = manager.client.post(TWO_STEP, {"step": "disable", "password": PASSWORD, "code": code_of(secret, 1)})
    assert off.status_code == 302
    assert "is off" in manager.client.get(TWO_STEP).content.decode()


def test_only_admins_see_the_page_of_security(admin: Person, manager: Person):
    assert SECURITY in admin.client.get(INDEX).content.decode()
    assert SECURITY not in manager.client.get(INDEX).content.decode()
    assert manager.client.get(SECURITY).status_code == 403
    assert manager.client.post(SECURITY, {"step": "rule", "second_factor": "everyone"}).status_code == 403
    assert manager.client.post("/admin/security/test/").status_code == 403


def test_an_admin_sets_tests_and_removes_the_provider(admin: Person, provider: Provider):
    values = {
        "step": "provider", "issuer": provider.issuer, "client_id": CLIENT_ID, "allowed_domains": "corp.example, x.example",
        "newcomer_role": "agent", "is_enabled": "on",
    }  # fmt: skip
    assert admin.client.post(SECURITY, values).status_code == 302
    page = admin.client.get(SECURITY).content.decode()
    assert "corp.example, x.example" in page
    assert html.escape(CLIENT_SECRET) not in page
    refused = admin.client.post(SECURITY, {**values, "client_id": "other"}).content.decode()
    assert "needs the secret again" in refused
    assert "NO_BREAK" not in admin.client.post(SECURITY, {**values, "is_required": "on"}).content.decode()
    answer = admin.client.post("/admin/security/test/", follow=True).content.decode()
    assert "signs with 1 keys" in answer
    assert admin.client.post(SECURITY, {"step": "remove"}).status_code == 302
    assert admin.get("/v1/organization/identity-provider").status == 404


def test_staff_enter_by_the_provider_into_its_organization_alone(admin: Person, provider: Provider):
    ask(admin.organization, "back_office")
    person = staff(admin.organization, Role.MANAGER)
    User.objects.filter(pk=person.user.pk).update(email=known_as(provider))
    client = Client(SERVER_NAME="localhost")
    begun = client.post("/admin/login/sso/", {"organization": admin.organization.slug.upper()})
    address = urlsplit(provider.log_in(begun.headers["Location"]))
    entered = client.get(f"{address.path}?{address.query}")
    assert entered.headers["Location"] == INDEX
    assert client.get(INDEX).status_code == 200
    assert "no single sign-on" in client.post("/admin/login/sso/", {"organization": "nobody"}).content.decode()


def test_an_account_of_another_organization_too_is_connected_on_a_page(
    admin: Person, provider: Provider, outsider: Person
):
    outsider.user.memberships.create(organization=admin.organization, role=Role.MANAGER)
    User.objects.filter(pk=outsider.user.pk).update(email=known_as(provider), is_staff=True)
    client = Client(SERVER_NAME="localhost")
    begun = client.post("/admin/login/sso/", {"organization": admin.organization.slug})
    address = urlsplit(provider.log_in(begun.headers["Location"]))
    link = client.get(f"{address.path}?{address.query}").headers["Location"]
    assert client.get(INDEX).status_code == 302
    assert client.post(link, {"password": "wrong"}).status_code == 200
    assert client.post(link, {"password": PASSWORD}).status_code == 302
    page = client.get(INDEX).content.decode()
    assert admin.organization.name in page
    assert outsider.organization.name not in page
    assert outsider.organization.name not in client.get("/admin/organization/").content.decode()


def test_staff_of_an_organization_that_requires_the_provider_are_refused_by_password(organization: Organization):
    Organization.objects.filter(pk=organization.pk).update(requires_sso=True)
    assert sign_in(staff(organization, Role.MANAGER).user.email)[1] == 200
    spared = staff(organization, Role.ADMIN)
    spared.user.memberships.update(is_break_glass=True)
    assert sign_in(spared.user.email)[1] == 302
