"""Forget what messages said, once an organization wants it forgotten."""

from comms.models import Communication, MessageStatus
from vocelio.organizations.retention import kept_since

BATCH = 5_000
EMPTY = {"subject": "", "body_text": "", "body_html": "", "variables": {}, "attachments": []}


def purge_bodies() -> int:
    """Blank subject, text and attachments of a batch of old messages; return how many.

    Whom they went to, when and what became of it stays. What still waits to be sent is left alone; the files of the
    attachments are swept as nothing refers to them.
    """
    before = kept_since("message_bodies")
    if before is None:
        return 0
    old = Communication.objects.filter(created_at__lt=before).exclude(
        status__in=[MessageStatus.QUEUED, MessageStatus.SENDING]
    )
    full = old.exclude(**EMPTY).order_by("created_at").values("pk")[:BATCH]
    return int(Communication.objects.filter(pk__in=list(full.values_list("pk", flat=True))).update(**EMPTY))
