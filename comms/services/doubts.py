"""After a restore: what was due before it may have been sent by the installation that the backup came from."""

from datetime import datetime

from django.db.models import Q

from comms.models import Communication, Enrolment, Medium, MessageStatus
from vocelio.audit.services import record

WHY = "Restored from a backup: it may have gone out after the backup was taken."


def doubt(before: datetime) -> dict[str, int]:
    """Call unknown what was due by then, end sequences whose next message was; return how many of each.

    What a person sends by hand stays, and so does what is due later.
    """
    waiting = Q(status=MessageStatus.QUEUED) & ~Q(channel=Medium.LINKEDIN) | Q(status=MessageStatus.SENDING)
    messages = Communication.objects.filter(waiting, scheduled_at__lte=before, created_at__lt=before).update(
        status=MessageStatus.UNKNOWN, claimed_until=None, error_code="RESTORED", error_message=WHY
    )
    enrolments = Enrolment.objects.filter(status=Enrolment.Status.ACTIVE, next_at__lte=before).update(
        status=Enrolment.Status.STOPPED, stopped_by="restore", next_at=None
    )
    if messages or enrolments:
        record("message.doubted", "communication", messages=messages, enrolments=enrolments)
    return {"messages (now unknown)": messages, "people in sequences (stopped)": enrolments}
