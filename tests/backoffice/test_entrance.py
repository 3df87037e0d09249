"""Who gets in, which organization they look into, and what is remembered of it."""

from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from tests.backoffice.conftest import enter
from tests.factories import PASSWORD, Person, make_organization, make_person
from vocelio.audit.models import AuditEntry
from vocelio.backoffice.chosen import SESSION_KEY
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import User

INDEX, LOGIN = "/admin/", "/admin/login/"


def sign_in(email: str, password: str = PASSWORD) -> tuple[Client, int]:
    client = Client(SERVER_NAME="localhost")
    answer = client.post(LOGIN, {"username": email, "password": password})
    return client, answer.status_code


def staff(organization: Organization, role: str) -> Person:
    person = make_person(organization, role)
    User.objects.filter(pk=person.user.pk).update(is_staff=True)
    return person


def actions(organization: Organization) -> list[str]:
    with organization_scope(organization.pk):
        return list(AuditEntry.objects.order_by("created_at", "id").values_list("action", flat=True))


def test_anonymous_visitors_are_sent_to_the_login_page():
    answer = Client(SERVER_NAME="localhost").get("/admin/contacts/contact/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(LOGIN)
    assert b"Vocelio" in Client(SERVER_NAME="localhost").get(LOGIN).content


def test_a_manager_signs_in_by_email_in_any_case_and_sees_their_organization(organization: Organization):
    person = staff(organization, Role.MANAGER)
    client, status = sign_in(person.user.email.upper())
    assert status == 302
    page = client.get(INDEX)
    assert page.status_code == 200
    assert organization.name in page.content.decode()
    assert "login.succeeded" in actions(organization)


def test_a_wrong_password_is_refused_and_counted(organization: Organization):
    person = staff(organization, Role.MANAGER)
    for _ in range(12):
        _, status = sign_in(person.user.email, "not the password")
        assert status == 200
    _, status = sign_in(person.user.email)
    assert status == 200, "Even the right password waits after too many wrong ones."


def test_agents_cannot_enter_even_as_staff(organization: Organization):
    person = staff(organization, Role.AGENT)
    assert sign_in(person.user.email)[1] == 200
    enter(person)
    assert person.client.get(INDEX).status_code == 302


def test_managers_who_are_not_staff_cannot_enter(organization: Organization):
    assert sign_in(make_person(organization, Role.MANAGER).user.email)[1] == 200


def test_a_lost_role_holds_at_the_next_request(manager: Person):
    assert manager.client.get(INDEX).status_code == 200
    Membership.objects.filter(user=manager.user).update(role=Role.AGENT)
    assert manager.client.get(INDEX).status_code == 302


def test_staff_of_several_organizations_choose_one(manager: Person, organization: Organization):
    other = make_organization()
    Membership.objects.create(organization=other, user=manager.user, role=Role.ADMIN)
    manager.client.session.flush()
    enter(manager)
    assert manager.client.get(INDEX).headers["Location"] == reverse("admin:choose_organization")
    page = manager.client.get(reverse("admin:choose_organization")).content.decode()
    assert organization.name in page
    assert other.name in page
    manager.client.post(reverse("admin:choose_organization"), {"organization": other.slug})
    assert manager.client.session[SESSION_KEY] == str(other.pk)
    assert manager.client.get(INDEX).status_code == 200
    assert actions(other)[-1] == "organization.entered"


def test_a_foreign_organization_cannot_be_chosen(manager: Person):
    foreign = make_organization()
    answer = manager.client.post(reverse("admin:choose_organization"), {"organization": foreign.slug})
    assert answer.status_code == 404
    assert manager.client.session[SESSION_KEY] != str(foreign.pk)


def test_a_forged_choice_in_the_session_opens_nothing(manager: Person):
    session = manager.client.session
    session[SESSION_KEY] = str(make_organization().pk)
    session.save()
    manager.client.get(INDEX)
    assert manager.client.session[SESSION_KEY] == str(manager.organization.pk)


def test_the_operator_is_asked_which_organization_instead_of_seeing_none(operator: Person):
    client = Client(SERVER_NAME="localhost")
    client.force_login(operator.user)
    assert client.get("/admin/contacts/contact/").headers["Location"] == reverse("admin:choose_organization")


def test_a_refused_page_is_html_and_on_record(manager: Person, organization: Organization):
    answer = manager.client.get("/admin/users/user/")
    assert answer.status_code == 403
    assert "text/html" in answer.headers["Content-Type"]
    with organization_scope(organization.pk):
        entry = AuditEntry.objects.get(action="access.refused")
    assert (entry.user_id, entry.door) == (manager.user.pk, "admin")


def test_changing_ones_password_proves_the_old_one(manager: Person, organization: Organization):
    page, new = reverse("admin:password_change"), "a wholly other horse"
    wrong = {"old_password": "guess", "new_password1": new, "new_password2": new}
    assert manager.client.post(page, wrong).status_code == 200
    assert manager.client.post(page, {**wrong, "old_password": PASSWORD}).status_code == 302
    assert "password.changed" in actions(organization)
    assert sign_in(manager.user.email, new)[1] == 302


def test_only_the_operators_changes_are_in_djangos_log(operator: Person, admin: Person, organization: Organization):
    target = make_person(organization, Role.AGENT).user
    page = reverse("admin:users_user_change", args=[target.pk])
    operator.client.post(page, {"name": "Renamed", "is_staff": "on"})
    target.refresh_from_db()
    assert (target.name, target.is_active) == ("Renamed", False)
    assert LogEntry.objects.filter(user=operator.user, object_id=str(target.pk)).exists()
    assert {"user.updated", "user.disabled"} <= set(actions(organization))
    admin.client.post("/admin/contacts/contactlist/add/", {"name": "Autumn", "status": "active", "settings": "{}"})
    assert not LogEntry.objects.filter(user=admin.user).exists()
    assert actions(organization)[-1] == "list.created"
