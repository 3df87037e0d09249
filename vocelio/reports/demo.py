"""The demo's saved reports, one of them mailed."""

from vocelio.access.principal import principal_of_member
from vocelio.audit.context import Actor, acting
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope
from vocelio.reports.models import SavedReport
from vocelio.reports.services.saved import create_report
from vocelio.reports.services.schedules import create_schedule


def load(organization: Organization) -> None:
    """Save two reports of Acme's manager, unless there are any."""
    manager = Membership.objects.filter(organization=organization, role=Role.MANAGER).first()
    if organization.slug != "acme" or manager is None:
        return
    principal = principal_of_member(manager.user_id, organization.pk)
    with acting(Actor(user_id=manager.user_id, door="demo")), organization_scope(organization.pk):
        if principal is None or SavedReport.objects.exists():
            return
        won = create_report(
            principal=principal,
            name="Won by owner and month",
            description="What each of us brought home.",
            definition={
                "metrics": ["deals.won_value"],
                "dimensions": ["owner"],
                "range": {"preset": "last_365_days"},
                "granularity": "month",
            },
            chart="stacked",
            is_shared=True,
        )
        create_report(
            principal=principal,
            name="Where contacts come from",
            description="By source, compared with the quarter before.",
            definition={
                "metrics": ["contacts.created"],
                "dimensions": ["source"],
                "range": {"preset": "this_quarter"},
                "compare": True,
            },
            chart="bar",
            is_shared=True,
        )
        create_schedule(
            report=won,
            principal=principal,
            frequency="weekly",
            day=1,
            hour=7,
            format="pdf",
            recipients=[principal.user_id],
        )
