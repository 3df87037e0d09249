"""Every page of the back office x everybody who may enter: never empty, never another organization's."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import Model, UniqueConstraint
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import Contact
from tests.factories import Person, make_api_token, make_organization, make_person
from tests.pseudo import LANGUAGE, marking, untranslated
from tests.rows import make_row
from vocelio.backoffice.tenant import PlatformAdmin
from vocelio.organizations.models import Membership, Organization, Role, TenantRow
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import ApiToken, Session, User

PAGES = sorted(site._registry, key=lambda model: model._meta.label)
TENANT_PAGES = [model for model in PAGES if not isinstance(site._registry[model], PlatformAdmin)]
# Of their own design, beside lists and forms.
EXTRA_PAGES = [
    "ai_matching_match_explorer",
    "comms_caught",
    "contacts_contact_figures",
    "crm_sync_crmintegration_add",
    "dnc_compliance",
    "dnc_lookup",
    "dnc_registries",
    "health",
    "recruitment_jobopening_figures",
    "sales_deal_board",
    "sales_deal_figures",
    "security",
]
every_page = pytest.mark.parametrize("model", PAGES, ids=lambda model: model._meta.label)
every_tenant_page = pytest.mark.parametrize("model", TENANT_PAGES, ids=lambda model: model._meta.label)
everybody = pytest.mark.parametrize("who", ["operator", "admin", "manager"])


def address(model: Any, page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def row_of(model: Any, organization: Organization) -> Any:
    """Return a row of the organization in any table that has a page."""
    if issubclass(model, TenantRow):
        with organization_scope(organization.pk):
            is_alone = any(each.fields == ("organization",) and not each.condition for each in unique(model))
            return (is_alone and model.objects.first()) or make_row(model)
    if model is Organization:
        return organization
    person = make_person(organization, Role.AGENT)
    if model is ApiToken:
        return make_api_token(person)
    return {Membership: person.user.memberships.get(), Session: person.session, User: person.user}[model]


@contextmanager
def reading_marked(person: Person) -> Iterator[None]:
    """Let the operator, who sees every page, read it in the marked language."""
    if not person.user.is_superuser:
        yield
        return
    User.objects.filter(pk=person.user.pk).update(language=LANGUAGE)
    with marking():
        yield


def shown(person: Person, url: str, query: dict[str, str] | None = None) -> str:
    """Return a page that opens; nothing on the operator's is untranslated."""
    answer = person.client.get(url, query)
    assert answer.status_code == 200
    page: str = answer.content.decode()
    if person.user.is_superuser:
        assert untranslated(page) == []
    return page


def unique(model: type[Model]) -> list[UniqueConstraint]:
    return [each for each in model._meta.constraints if isinstance(each, UniqueConstraint)]


@everybody
@every_tenant_page
def test_every_page_shows_its_organizations_rows_and_no_others(model: Any, who: str, request: Any, organization: Any):
    person: Person = request.getfixturevalue(who)
    ours, theirs = row_of(model, organization), row_of(model, make_organization())
    # Every test makes organizations: the operator's list of them has many pages.
    search = {"q": organization.name} if model is Organization else {}
    if not has_permission(model, "view", person):
        assert person.client.get(address(model, "changelist"), search).status_code == 403
        return
    with reading_marked(person):
        page = shown(person, address(model, "changelist"), search)
        assert str(ours.pk) in page
        if not (model is Organization and who == "operator"):
            assert str(theirs.pk) not in page
            assert person.client.get(address(model, "change", theirs.pk)).status_code == 302
        shown(person, address(model, "change", ours.pk))


@everybody
@every_page
def test_every_form_to_add_opens_or_refuses(model: Any, who: str, request: Any):
    person: Person = request.getfixturevalue(who)
    if not has_permission(model, "add", person):
        assert person.client.get(address(model, "add")).status_code == 403
        return
    with reading_marked(person):
        shown(person, address(model, "add"))


@every_page
def test_platform_pages_are_the_operators_alone(model: Any, operator: Person, admin: Person):
    if model not in TENANT_PAGES:
        if model is LogEntry:
            # What people did, and their names, are not translated.
            assert operator.client.get(address(model, "changelist")).status_code == 200
        else:
            with reading_marked(operator):
                shown(operator, address(model, "changelist"))
        assert admin.client.get(address(model, "changelist")).status_code == 403


@everybody
@pytest.mark.parametrize("name", ["index", "jobs", "choose_organization", "password_change", "preferences", "two_step"])
def test_the_pages_of_no_table_open_without_foreign_requests(name: str, who: str, request: Any):
    person: Person = request.getfixturevalue(who)
    with reading_marked(person):
        page = shown(person, reverse(f"admin:{name}"))
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", page)


def test_the_log_in_page_is_translated():
    with marking():
        page = Client(SERVER_NAME="localhost", headers={"Accept-Language": LANGUAGE}).get(reverse("admin:login"))
    assert untranslated(page.content.decode()) == []


@pytest.mark.parametrize("name", EXTRA_PAGES)
def test_the_pages_beside_tables_are_translated(name: str, operator: Person):
    with reading_marked(operator):
        shown(operator, reverse(f"admin:{name}"))


def test_the_page_of_contacts_neither_counts_nor_sorts_the_table(admin: Person, organization: Organization):
    with organization_scope(organization.pk):
        make_row(Contact)
    with CaptureQueriesContext(connection) as queries:
        assert admin.client.get(address(Contact, "changelist")).status_code == 200
    counting = [query["sql"] for query in queries if "COUNT(" in query["sql"] and '"contacts"' in query["sql"]]
    assert all("LIMIT 10001" in sql for sql in counting)
    reading = [query["sql"] for query in queries if "ORDER BY" in query["sql"] and 'FROM "contacts"' in query["sql"]]
    assert [sql for sql in reading if 'ORDER BY "contacts"."created_at" DESC, "contacts"."id" DESC' not in sql] == []


# An organization has one row of them.
SINGLE = [
    model
    for model in TENANT_PAGES
    if any(getattr(rule, "fields", ()) == ("organization",) for rule in model._meta.constraints)
]


@pytest.mark.parametrize("model", [each for each in TENANT_PAGES if each not in (Organization, *SINGLE)])
def test_a_page_costs_as_many_queries_for_many_rows_as_for_two(
    model: Any, admin: Person, operator: Person, organization: Organization
):
    page: Any = site._registry[model]
    person = operator if page.for_operators else admin

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert person.client.get(address(model, "changelist")).status_code == 200
        return len(captured)

    for _ in range(2):
        row_of(model, organization)
    queries()
    few = queries()
    for _ in range(6):
        row_of(model, organization)
    assert queries() == few


def has_permission(model: Any, action: str, person: Person) -> bool:
    """Say what the page's own declaration grants, as roles.py has it."""
    from vocelio.access.roles import PERMISSIONS

    page: Any = site._registry[model]
    is_operator = person.user.is_superuser
    if isinstance(page, PlatformAdmin):
        return is_operator and model._meta.label != "admin.LogEntry"
    if model is Organization and is_operator:
        return True
    if page.for_operators and not is_operator:
        return False
    role = Role.ADMIN if is_operator else person.role
    return page.permissions.get(action) in PERMISSIONS[role]
