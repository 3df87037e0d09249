"""Fixtures of the whole suite: four people, two organizations."""

import pytest

from tests.database import django_db_setup, pytest_sessionstart
from tests.factories import Person, make_organization, make_person
from tests.realtime.server import server, start_server
from vocelio.organizations.models import Organization, Role

__all__ = ["django_db_setup", "pytest_sessionstart", "server", "start_server"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Upkeep goes through every organization there is: its tests come first, while tests have made few."""
    items.sort(key=lambda item: item.get_closest_marker("upkeep") is None)


@pytest.fixture
def organization() -> Organization:
    return make_organization()


@pytest.fixture
def admin(organization: Organization) -> Person:
    return make_person(organization, Role.ADMIN)


@pytest.fixture
def manager(organization: Organization) -> Person:
    return make_person(organization, Role.MANAGER)


@pytest.fixture
def agent(organization: Organization) -> Person:
    return make_person(organization, Role.AGENT)


@pytest.fixture
def outsider() -> Person:
    """Return an admin of another organization."""
    return make_person(make_organization(), Role.ADMIN)
