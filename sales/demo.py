"""The demo's sales data."""

from sales.demo_deals import load_deals
from sales.demo_profiles import load_profiles
from vocelio.organizations.models import Organization


def load(organization: Organization) -> None:
    """Fill the organization, unless it has sales data already."""
    load_profiles(organization)
    load_deals(organization)
