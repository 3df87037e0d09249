"""The schedule's door to sales: reminders, snapshots, rates, trash and totals."""

from collections.abc import Callable

from celery import shared_task

from sales.models import DealTally
from sales.services import activities, deals, money, snapshots
from vocelio.db.ticks import once_per
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


def everywhere(work: Callable[[], int]) -> int:
    """Do the work in each organization, a transaction each; return how much was done."""
    total = 0
    for organization_id in Organization.objects.filter(is_active=True).values_list("pk", flat=True):
        done = 1
        while done:
            with organization_scope(organization_id):
                done = work()
            total += done
    return total


def once_everywhere(work: Callable[[], int]) -> int:
    total = 0
    for organization_id in Organization.objects.filter(is_active=True).values_list("pk", flat=True):
        with organization_scope(organization_id):
            total += work()
    return total


@shared_task
@once_per(seconds=30)
def send_reminders() -> int:
    """Remind people of activities that are due soon."""
    return everywhere(activities.send_reminders)


@shared_task
@once_per(seconds=3600)
def take_snapshots() -> int:
    """Note what every pipeline is worth today."""
    return once_everywhere(snapshots.take_snapshot)


@shared_task
@once_per(seconds=3600)
def restate_amounts() -> int:
    """Bring amounts in foreign currencies to rates that began today."""
    return once_everywhere(money.restate)


@shared_task
def purge_deals() -> int:
    """Remove for good what has been in any organization's trash for 30 days."""
    return everywhere(deals.purge_trash)


@shared_task
def compact_deal_tallies() -> None:
    """Sum up the changes of stage totals of all organizations."""
    DealTally.compact()
