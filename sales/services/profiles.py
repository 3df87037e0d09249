"""Make, change and delete sales profiles."""

from typing import Any

from contacts.models import Contact
from contacts.services.clients import visible_client
from contacts.services.profiles import create_profile, delete_profile, make_primary, update_profile
from sales.models import SalesProfile
from vocelio.access.principal import Principal
from vocelio.errors import Invalid

KIND = "sales"


def create_sales_profile(
    *, contact: Contact, principal: Principal, is_primary: bool | None = None, **fields: Any
) -> SalesProfile:
    """Give the contact a sales profile; the first is primary, later ones where asked for."""
    profile = SalesProfile(contact=contact, **fields)
    _check(profile, principal, fields)
    create_profile(kind=KIND, profile=profile, fields=fields, is_primary=is_primary)
    return profile


def update_sales_profile(*, profile: SalesProfile, principal: Principal, **fields: Any) -> SalesProfile:
    """Change the given fields."""
    for name, value in fields.items():
        setattr(profile, name, value)
    _check(profile, principal, fields)
    update_profile(kind=KIND, profile=profile, fields=fields)
    return profile


def make_sales_profile_primary(*, profile: SalesProfile) -> SalesProfile:
    """Make this the contact's primary sales profile; raise PrimaryChanged when another became so meanwhile."""
    make_primary(kind=KIND, profile=profile)
    return profile


def delete_sales_profile(*, profile: SalesProfile) -> None:
    """Delete the profile; the newest other one becomes primary when this one was."""
    delete_profile(kind=KIND, profile=profile)


def _check(profile: SalesProfile, principal: Principal, fields: dict[str, Any]) -> None:
    if (profile.budget is not None or profile.lifetime_value is not None) and not profile.currency:
        raise Invalid.field("currency", "Say in which currency the amounts are.", constraint="required")
    if fields.get("client_id") is not None:
        visible_client(fields["client_id"], principal)
