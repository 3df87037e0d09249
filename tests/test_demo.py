"""The demo: what bin/up shows the first time."""

import phonenumbers
import pytest
from django.core.management import call_command
from django.db.models import Count

from contacts.demo import read
from contacts.models import Contact, ContactImport, ContactList, ContactListMembership
from dnc.models import Scrub
from vocelio.audit.models import AuditEntry
from vocelio.backoffice.demo_people import MEMBERS, PASSWORD
from vocelio.organizations.models import Membership, Organization
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import User

TABLES = [Contact, ContactList, ContactListMembership, ContactImport, AuditEntry]


@pytest.fixture(scope="module")
def demo(django_db_setup: None) -> dict[str, Organization]:
    """Load the demo, twice."""
    call_command("load_demo", verbosity=0)
    before = counts()
    call_command("load_demo", verbosity=0)
    assert counts() == before, "The second run changes nothing."
    return {
        organization.slug: organization for organization in Organization.objects.filter(slug__in=["acme", "globex"])
    }


def counts() -> dict[str, list[int]]:
    result = {}
    for organization in Organization.objects.filter(slug__in=["acme", "globex"]):
        with organization_scope(organization.pk):
            result[organization.slug] = [table.objects.count() for table in TABLES]
    return result


def test_everybody_of_the_demo_can_sign_in(demo: dict[str, Organization]):
    for slug, email, _, role, _ in MEMBERS:
        assert User.objects.get(email=email).check_password(PASSWORD)
        assert Membership.objects.get(user__email=email, organization=demo[slug]).role == role
    assert User.objects.get(email="root@vocelio.test").is_superuser


def test_there_is_something_on_every_screen(demo: dict[str, Organization]):
    for slug, least in (("acme", 7_900), ("globex", 1_900)):
        with organization_scope(demo[slug].pk):
            assert Contact.objects.alive().count() >= least
            assert Contact.objects.in_trash().exists()
            sizes = ContactListMembership.objects.values("list").annotate(number=Count("pk"))
            # The clean list of a scrub is filled by its job.
            assert len(sizes) >= ContactList.objects.exclude(pk__in=Scrub.objects.values("clean_list")).count()
            assert AuditEntry.objects.exists()
    with organization_scope(demo["acme"].pk):
        job = ContactImport.objects.get(filename="trade-show-leads.csv")
        assert job.status == "completed"
        assert job.invalid_contacts > 0
        assert job.total_rows == job.imported_contacts + job.updated_contacts + job.duplicates + job.invalid_contacts


def test_the_demo_can_call_and_write_to_nobody(demo: dict[str, Organization]):
    states = {row["area_code"]: row["state"] for row in read("area_codes.csv")}
    with organization_scope(demo["acme"].pk):
        rows = Contact.objects.values_list("phone", "email", "state")
    for phone, email, state in rows:
        assert phone[5:10] == "55501"
        assert states[phone[2:5]] == state
        assert not email or email.endswith(".example")
    sample = [phone for phone, _, _ in rows[:500]]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(phone)) for phone in sample)
