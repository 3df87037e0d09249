"""Add to the feed, and tell the sockets that follow it."""

import uuid
from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from vocelio.audit.context import current_actor
from vocelio.notifications.models import FeedEntry
from vocelio.realtime.publish import publish


def tell_feed(
    *,
    kind: str,
    resource: str,
    resource_id: uuid.UUID,
    title: str,
    owners: Iterable[uuid.UUID | None],
    **data: Any,
) -> FeedEntry:
    """Add what the acting person did to a record, `deal.won` for example, with the work of the open transaction.

    `owners` are responsible for the record, before and after; None among them makes it everybody's. `data` holds
    what a line of the feed shows beside the title.
    """
    known = set(owners)
    entry = FeedEntry(
        user_id=current_actor().user_id,
        kind=kind,
        resource=resource,
        resource_id=resource_id,
        title=title[:300],
        data=data,
        owners=[] if None in known else sorted(owner for owner in known if owner),
        created_at=timezone.now(),
    )
    entry.save(force_insert=True)
    publish(
        "feed",
        type="feed_entry",
        data={
            "id": str(entry.pk),
            "kind": kind,
            "resource": resource,
            "resourceId": str(resource_id),
            "title": entry.title,
            "data": data,
            "userId": str(entry.user_id) if entry.user_id else None,
            "createdAt": entry.created_at.isoformat(),
        },
        owners=known,
    )
    return entry
