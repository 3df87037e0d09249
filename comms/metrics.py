"""What reports can count of messages. All count the messages made in the period, as their channel's figures do."""

from typing import Any

from django.db.models import Count, QuerySet

from comms.models import (
    ChannelAccount,
    Communication,
    CommunicationTemplate,
    Direction,
    Medium,
    MessageStatus,
    Purpose,
)
from comms.services.analytics import COUNTS
from vocelio.reports.registry import Asked, Metric, choice, count, person, record, register, share


def outbound(asked: Asked) -> QuerySet[Any]:
    return _seen(asked).filter(direction=Direction.OUTBOUND)


def inbound(asked: Asked) -> QuerySet[Any]:
    return _seen(asked).filter(direction=Direction.INBOUND)


def _seen(asked: Asked) -> QuerySet[Any]:
    rows: Any = Communication.objects.get_queryset().visible_to(asked.principal)
    return rows  # type: ignore[no-any-return]


DIMENSIONS = (
    choice("channel", "Channel", Medium.choices),
    choice("purpose", "Purpose", Purpose.choices),
    choice("status", "Status", MessageStatus.choices),
    record("account", "Account", "account_id", ChannelAccount),
    record("template", "Template", "version__template_id", CommunicationTemplate, none="Without a template"),
    person("person", "Written by", "created_by_id", none="The system"),
)
COMMON: dict[str, Any] = {
    "permission": "messages:read",
    "date": "created_at",
    "dimensions": DIMENSIONS,
    "events": ("communications", "batch_progress"),
}
# What became of messages: {metric: (key of COUNTS, title, what it counts)}.
COUNTED = {
    "messages.sent": ("sent", "Messages sent", "Messages that went out."),
    "messages.delivered": ("delivered", "Messages delivered", "Messages that arrived, as their provider says."),
    "messages.opened": ("opened", "Messages opened", "Messages that were read, where that is known."),
    "messages.clicked": ("clicked", "Messages clicked", "Messages with a link that was followed."),
    "messages.replied": ("replied", "Messages replied to", "Messages that were answered."),
    "messages.bounced": ("bounced", "Messages bounced", "Messages to addresses that take none."),
    "messages.failed": ("failed", "Messages failed", "Messages that could not be handed over."),
    "messages.unsubscribed": ("unsubscribed", "Unsubscribed", "Messages whose recipient unsubscribed."),
}

register(
    *(
        Metric(name, title, counts, rows=outbound, measure=count(COUNTS[key]), **COMMON)
        for name, (key, title, counts) in COUNTED.items()
    ),
    Metric(
        "messages.delivery_rate",
        "Delivery rate",
        "Share of the messages sent that arrived.",
        rows=outbound,
        measure=share(Count("pk", filter=COUNTS["delivered"]), Count("pk", filter=COUNTS["sent"])),
        **COMMON,
    ),
    Metric(
        "messages.reply_rate",
        "Reply rate",
        "Share of the messages sent that were answered.",
        rows=outbound,
        measure=share(Count("pk", filter=COUNTS["replied"]), Count("pk", filter=COUNTS["sent"])),
        **COMMON,
    ),
    Metric("messages.received", "Messages received", "Messages that came in.", rows=inbound, measure=count(), **COMMON),
)
