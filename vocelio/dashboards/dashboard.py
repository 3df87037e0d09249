"""What dashboards show on the back office's first page: the way to them."""

from django.urls import reverse

from vocelio.access.principal import Principal
from vocelio.backoffice.cards import Card
from vocelio.dashboards.models import Dashboard


def cards(principal: Principal) -> list[Card]:
    """Return the way to the usual dashboard of one's role."""
    number = Dashboard.objects.get_queryset().visible_to(principal).count()
    address = reverse("admin:dashboards_dashboard_usual")
    return [Card("Dashboards", number, "figures at a glance, live", address, "speed")]
