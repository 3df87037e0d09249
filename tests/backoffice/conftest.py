"""People as the back office knows them: signed in by cookie."""

import pytest

from tests.factories import PASSWORD, Person, make_person, unique
from vocelio.backoffice.chosen import SESSION_KEY
from vocelio.organizations.models import Organization, Role
from vocelio.users.models import User


def enter(person: Person) -> Person:
    """Sign a member of staff in to the back office."""
    User.objects.filter(pk=person.user.pk).update(is_staff=True)
    person.client.force_login(User.objects.get(pk=person.user.pk))
    return person


@pytest.fixture
def admin(organization: Organization) -> Person:
    return enter(make_person(organization, Role.ADMIN))


@pytest.fixture
def manager(organization: Organization) -> Person:
    return enter(make_person(organization, Role.MANAGER))


@pytest.fixture
def operator(organization: Organization) -> Person:
    """Return the platform's superuser, who belongs to no organization and looks into this one."""
    person = make_person(organization)
    person.user.memberships.all().delete()
    person.user = User.objects.create_superuser(f"{unique('root')}@example.test", PASSWORD)
    person.client.force_login(person.user)
    session = person.client.session
    session[SESSION_KEY] = str(organization.pk)
    session.save()
    return person
