"""The demo's recruitment data."""

from recruitment.demo_cvs import load_cvs
from recruitment.demo_hiring import load_hiring
from recruitment.demo_profiles import load_profiles
from vocelio.organizations.models import Organization


def load(organization: Organization) -> None:
    """Fill the organization, unless it has recruitment data already."""
    load_profiles(organization)
    load_hiring(organization)
    load_cvs(organization)
