"""Every unsafe route leaves an audit row. A new route without an example here fails the test."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from contacts.models import Contact, ContactImport, ContactList
from tests.factories import PASSWORD, Person, make_person, phone_number, unique
from tests.rows import make_row
from tests.test_routes import ROUTES, Route
from vocelio.audit.models import AuditEntry
from vocelio.organizations.models import Membership
from vocelio.organizations.scope import organization_scope
from vocelio.users.services import passwords

# What a request carries out: values of the address, and the body.
Example = tuple[dict[str, Any], Any]


def row(model: Any, **values: Any) -> Callable[[Person], Any]:
    def make(person: Person) -> Any:
        with organization_scope(person.organization.id):
            return make_row(model, **values)

    return make


contact, contact_list = row(Contact), row(ContactList)


def colleague(person: Person) -> Membership:
    return Membership.objects.get(user=make_person(person.organization, "agent").user)


def signed_in(person: Person) -> dict[str, Any]:
    answer = person.post("/v1/auth/login", {"email": person.user.email, "password": PASSWORD})
    result: dict[str, Any] = answer.data
    return result


def csv_file() -> SimpleUploadedFile:
    text = f"first_name,phone\nAda,{phone_number()}\n"
    return SimpleUploadedFile("contacts.csv", io.BytesIO(text.encode()).getvalue(), "text/csv")


def members_of(person: Person) -> Example:
    chosen, member = contact_list(person), contact(person)
    return {"pk": chosen.pk}, {"contactIds": [str(member.pk)]}


EXAMPLES: dict[str, Callable[[Person], Example]] = {
    "POST /v1/auth/login": lambda p: ({}, {"email": p.user.email, "password": PASSWORD}),
    "POST /v1/auth/refresh": lambda p: ({}, {"refreshToken": signed_in(p)["refreshToken"]}),
    "POST /v1/auth/logout": lambda p: ({}, {"refreshToken": signed_in(p)["refreshToken"]}),
    "POST /v1/auth/password-reset": lambda p: ({}, {"email": p.user.email}),
    "POST /v1/auth/password-change": lambda p: (
        {},
        {"currentPassword": PASSWORD, "newPassword": "another horse battery"},
    ),
    "POST /v1/auth/switch-organization": lambda p: ({}, {"organizationId": str(p.organization.id)}),
    "DELETE /v1/auth/sessions/<uuid:pk>": lambda p: ({"pk": p.session.pk}, None),
    "POST /v1/members/invitations": lambda p: ({}, {"email": f"{unique('new')}@example.test", "role": "agent"}),
    "PUT /v1/members/<uuid:pk>": lambda p: ({"pk": colleague(p).pk}, {"team": "north"}),
    "PATCH /v1/members/<uuid:pk>": lambda p: ({"pk": colleague(p).pk}, {"team": "north"}),
    "DELETE /v1/members/<uuid:pk>": lambda p: ({"pk": colleague(p).pk}, None),
    "PUT /v1/organization": lambda p: ({}, {"name": unique("name")}),
    "PATCH /v1/organization": lambda p: ({}, {"name": unique("name")}),
    "POST /v1/contact-lists": lambda p: ({}, {"name": unique("list")}),
    "PUT /v1/contact-lists/<uuid:pk>": lambda p: ({"pk": contact_list(p).pk}, {"name": unique("list")}),
    "PATCH /v1/contact-lists/<uuid:pk>": lambda p: ({"pk": contact_list(p).pk}, {"name": unique("list")}),
    "DELETE /v1/contact-lists/<uuid:pk>": lambda p: ({"pk": contact_list(p).pk}, None),
    "POST /v1/contact-lists/<uuid:pk>/contacts": members_of,
    "DELETE /v1/contact-lists/<uuid:pk>/contacts": members_of,
    "POST /v1/contacts": lambda p: ({}, {"phone": phone_number()}),
    "POST /v1/contacts/manual": lambda p: ({}, {"phone": phone_number()}),
    "PUT /v1/contacts/<uuid:pk>": lambda p: ({"pk": contact(p).pk}, {"firstName": "Ada"}),
    "PATCH /v1/contacts/<uuid:pk>": lambda p: ({"pk": contact(p).pk}, {"firstName": "Ada"}),
    "DELETE /v1/contacts/<uuid:pk>": lambda p: ({"pk": contact(p).pk}, None),
    "POST /v1/contacts/<uuid:pk>/restore": lambda p: (
        {"pk": row(Contact, deleted_at=timezone.now())(p).pk},
        {},
    ),
    "POST /v1/contacts/bulk-operations": lambda p: (
        {},
        {"action": "add-tags", "contactIds": [str(contact(p).pk)], "data": {"tags": ["vip"]}},
    ),
    "POST /v1/uploads/contacts": lambda p: ({}, {"file": csv_file()}),
    "POST /v1/uploads/contacts/<uuid:pk>/cancel": lambda p: ({"pk": row(ContactImport)(p).pk}, {}),
}
# Their secrets come by mail: tests/users and tests/members follow them to the end, audit rows included.
BY_MAIL = {
    "POST /v1/auth/password-reset/confirm",
    "POST /v1/auth/invitations/accept",
    "DELETE /v1/members/invitations/<uuid:pk>",
}


def test_every_unsafe_route_has_an_example():
    unsafe = {str(route) for route in ROUTES if route.method != "get"}
    assert unsafe == set(EXAMPLES) | BY_MAIL


@pytest.mark.parametrize("route", [r for r in ROUTES if str(r) in EXAMPLES], ids=str)
def test_an_unsafe_route_leaves_an_audit_row(route: Route, admin: Person):
    def entries() -> int:
        with organization_scope(admin.organization.id):
            return int(AuditEntry.objects.count())

    values, body = EXAMPLES[str(route)](admin)
    before = entries()
    answer = admin.call(route.method, route.address(**values), body)
    assert answer.status < 300, answer
    if route.path.endswith("password-reset"):
        # Written by the task, so that known and unknown addresses are answered alike.
        passwords.send_password_resets()
    assert entries() > before
