"""What sales shows on the back office's first page."""

from django.urls import reverse
from django.utils import timezone

from sales.models import Activity, Deal, StageKind
from vocelio.access.principal import Principal
from vocelio.backoffice.cards import Card


def cards(principal: Principal) -> list[Card]:
    """Return open deals, what was won this month, and what is overdue."""
    deals = Deal.objects.alive().visible_to(principal)
    month = timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    won = deals.filter(status=StageKind.WON, closed_at__gte=month).count()
    overdue = Activity.objects.get_queryset().visible_to(principal).overdue().count()
    board = reverse("admin:sales_deal_board")
    return [
        Card("Open deals", deals.open().count(), f"{won} won this month", board, "handshake"),
        Card(
            "Overdue activities",
            overdue,
            "calls, meetings and tasks",
            f"{reverse('admin:sales_activity_changelist')}?state=overdue",
            "alarm",
        ),
    ]
