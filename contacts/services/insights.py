"""What profiles tell about each other, where time alone changes it."""

import uuid

from django.db import connection

from contacts.models import KeptSummary
from vocelio.organizations.scope import current_organization_id

BATCH = 500


def renew_insights(after: uuid.UUID | None) -> uuid.UUID | None:
    """Find anew what the profiles of the next contacts tell; return the last of them, or None at the end."""
    summaries = KeptSummary.objects.filter(pk__gt=after) if after else KeptSummary.objects.all()
    contacts: list[uuid.UUID] = list(summaries.order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not contacts:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT keep_insights(%s, %s)", [current_organization_id(), contacts])
    return contacts[-1]
