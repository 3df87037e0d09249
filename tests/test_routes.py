"""Every route x every role x a foreign organization. A new route is walked without being named here."""

import json
import re
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver

from tests.factories import Answer, Person, make_api_token, make_organization, make_person
from tests.rows import make_row
from vocelio.access.permissions import PUBLIC
from vocelio.access.roles import PERMISSIONS, SELF
from vocelio.api.viewsets import ListMixin
from vocelio.organizations.models import Membership, Role, TenantRow
from vocelio.organizations.scope import organization_scope
from vocelio.urls import API
from vocelio.users.models import ApiToken

PARAMETER = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclass(frozen=True)
class Route:
    """One method of one address."""

    method: str
    path: str
    action: str
    view: Any

    @property
    def permission(self) -> str:
        return str(self.view.permissions[self.action])

    def address(self, **values: Any) -> str:
        """Return the path with its parameters filled in, random ids by default."""
        return PARAMETER.sub(lambda match: str(values.get(match[2], uuid.uuid4())), self.path)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def routes() -> list[Route]:
    return [
        Route(method, "/v1/" + path, action, pattern.callback.cls)
        for path, pattern in walk(API, "")
        for method, action in pattern.callback.actions.items()
    ]


def walk(patterns: list[Any], prefix: str) -> Any:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns, prefix + str(pattern.pattern))
        elif isinstance(pattern, URLPattern) and hasattr(pattern.callback, "actions"):
            yield prefix + str(pattern.pattern), pattern


ROUTES = routes()
every_route = pytest.mark.parametrize("route", ROUTES, ids=str)


def send(route: Route, person: Person, **values: Any) -> Answer:
    body: Any = {} if route.method in ("post", "put", "patch") else None
    return person.call(route.method, route.address(**values), body)


def without_trace(answer: Answer) -> Any:
    error = dict(answer.error)
    del error["timestamp"], error["requestId"]
    return error


@every_route
def test_anonymous_callers_are_401_except_where_the_route_is_public(route: Route):
    response = Client(SERVER_NAME="localhost").generic(route.method.upper(), route.address(), "{}", "application/json")
    if route.permission == PUBLIC:
        assert response.status_code < 500
    else:
        assert response.status_code == 401
        assert set(json.loads(response.content)) == {"error"}


@every_route
@pytest.mark.parametrize("role", Role.values)
def test_each_role_is_let_in_or_refused_as_the_matrix_says(route: Route, role: str):
    person = make_person(make_organization(), role)
    answer = send(route, person)
    if route.permission in PERMISSIONS[role] | {SELF, PUBLIC}:
        assert answer.status != 403
        assert answer.status < 500
    else:
        assert answer.status == 403


@pytest.mark.parametrize("route", [r for r in ROUTES if "pk>" in r.path and hasattr(r.view, "model")], ids=str)
def test_a_foreign_id_reads_like_one_that_never_existed(route: Route, admin: Person, outsider: Person):
    foreign: Any
    if route.view.model is Membership:
        foreign = Membership.objects.get(user=outsider.user)
    elif route.view.model is ApiToken:
        foreign = make_api_token(outsider)
    elif issubclass(route.view.model, TenantRow):
        with organization_scope(outsider.organization.id):
            foreign = make_row(route.view.model)
    else:
        pytest.fail(f"{route} is keyed by a model outside the policies: give it a test and list it here")
    answer = send(route, admin, pk=foreign.pk)
    unknown = send(route, admin)
    assert answer.status == unknown.status == 404
    assert without_trace(answer) == without_trace(unknown)


LISTS = [r for r in ROUTES if r.action == "list" and issubclass(r.view, ListMixin) and "<" not in r.path]


@pytest.mark.parametrize("route", [r for r in LISTS if issubclass(getattr(r.view, "model", Route), TenantRow)], ids=str)
def test_a_list_costs_as_many_queries_for_50_rows_as_for_2(route: Route, admin: Person):
    def queries() -> int:
        send(route, admin)
        with CaptureQueriesContext(connection) as captured:
            assert send(route, admin).status == 200
        return len(captured)

    def add(number: int) -> None:
        with organization_scope(admin.organization.id):
            for _ in range(number):
                make_row(route.view.model)

    add(2)
    few = queries()
    add(48)
    assert queries() == few
