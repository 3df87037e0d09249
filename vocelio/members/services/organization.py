"""Change the organization itself."""

from collections.abc import Mapping
from typing import Any

from vocelio.audit.services import record
from vocelio.errors import Invalid
from vocelio.organizations.models import Organization, RetentionRule, SecondFactorRule
from vocelio.organizations.retention import all_kept, kept_days
from vocelio.organizations.scope import current_organization_id
from vocelio.users.models import Session
from vocelio.users.services.sessions import end_sessions


def update_organization(organization: Organization, **changes: Any) -> Organization:
    """Change name, settings, subscription_tier, region, language, time zone, number_format, visibility or second_factor.

    Sessions that proved less than a new rule of the second factor asks for end.
    """
    for name, value in changes.items():
        setattr(organization, name, value)
    organization.save(update_fields=list(changes))
    organization.refresh_from_db()
    record("organization.updated", "organization", organization.id, fields=sorted(changes))
    if "second_factor" in changes and organization.second_factor == SecondFactorRule.EVERYONE:
        weak = Session.objects.filter(organization=organization, has_second_factor=False, sso_organization=None)
        end_sessions(weak, reason="second_factor_required")
    return organization


def set_retention(days: Mapping[str, int | None]) -> None:
    """Choose for how many days kinds of data are kept; None takes the installation's. Upkeep removes what is past it."""
    kinds = {kind.name: kind for kind in all_kept()}
    errors = []
    for name, number in days.items():
        kind = kinds.get(name)
        if kind is None:
            problem, constraint = "There is no such kind of data.", "does_not_exist"
        elif number is not None and not kind.shortest <= number <= kind.longest:
            problem, constraint = f"Between {kind.shortest} and {kind.longest} days.", "out_of_range"
        else:
            continue
        errors.append({"field": f"days.{name}", "value": number, "constraint": constraint, "message": problem})
    if errors:
        raise Invalid(errors=errors)
    before = kept_days()
    changed = {name: number for name, number in days.items() if before.get(name) != number}
    RetentionRule.objects.filter(name__in=[name for name, number in changed.items() if number is None]).delete()
    RetentionRule.objects.bulk_create(
        [RetentionRule(name=name, days=number) for name, number in changed.items() if number is not None],
        update_conflicts=True,
        unique_fields=["organization", "name"],
        update_fields=["days"],
    )
    record("retention.changed", "organization", current_organization_id(), days=changed)
