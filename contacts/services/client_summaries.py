"""What matters about a client at a glance: its people, and what the apps above add."""

from datetime import datetime
from typing import Any

from django.db.models import Max

from contacts.client_panels import client_panels
from contacts.models import Client, ClientContact
from vocelio.access.principal import Principal


def summarize_client(*, client: Client, principal: Principal) -> dict[str, Any]:
    """Return people, primary contact, subsidiaries, each panel's figures and the last activity anywhere."""
    relations = ClientContact.objects.current().visible_to(principal).filter(client=client)
    primary = relations.filter(is_primary=True).select_related("contact").first()
    last_contacted = relations.aggregate(last=Max("contact__last_contacted_at"))["last"]
    moments: list[datetime] = [moment for moment in (client.updated_at, last_contacted) if moment]
    figures: dict[str, Any] = {}
    for panel in client_panels():
        part = panel.figures(client.pk, principal)
        figures |= part.figures
        if part.last_activity_at:
            moments.append(part.last_activity_at)
    subsidiaries = Client.objects.alive().visible_to(principal).filter(parent=client).count()
    return {
        "client_id": client.pk,
        "name": client.name,
        "status": client.status,
        "verification": client.verification,
        "people": relations.values("contact_id").distinct().count(),
        "primary_contact": {"id": primary.contact_id, "name": str(primary.contact)} if primary else None,
        "subsidiaries": subsidiaries,
        "last_activity_at": max(moments),
        "figures": figures,
    }
