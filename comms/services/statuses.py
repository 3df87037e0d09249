"""What becomes of messages: reports of providers, in whatever order and however often they come."""

from datetime import datetime
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from comms.channels.values import Report
from comms.models import RANK, BouncedAddress, ChannelAccount, Communication, Medium, MessageStatus
from comms.services.announcements import announce
from comms.services.sequences import stop_enrolments
from contacts.models import Contact
from contacts.signals import opted_out
from vocelio.organizations.scope import current_organization_id

# An address that may take mail again one day is given up after so many bounces in a row.
SOFT_BOUNCES = 3
MOMENTS = {
    MessageStatus.SENT: "sent_at",
    MessageStatus.DELIVERED: "delivered_at",
    MessageStatus.READ: "read_at",
    MessageStatus.REPLIED: "replied_at",
}


def apply_report(account: ChannelAccount, report: Report) -> bool:
    """Note what a provider reports; say whether it changed anything. A report that is older than what is known, or was
    noted before, changes nothing."""
    message = _find(account, report)
    if message is None:
        return False
    changed = _advance(message, report)
    if report.address and report.address != message.address:
        # A report about another address than ours says nothing of ours.
        return changed
    if report.status in (MessageStatus.BOUNCED, MessageStatus.FAILED) and changed:
        if report.is_permanent or report.status == MessageStatus.BOUNCED:
            note_bounce(message, code=report.code, reason=report.reason, is_permanent=report.is_permanent)
    elif changed and report.status == MessageStatus.DELIVERED:
        BouncedAddress.objects.filter(medium=message.channel, address=message.address, is_suppressed=False).delete()
    if report.opted_out:
        note_opt_out(message, source=f"{account.provider} report", reason="Complained or opted out at the provider")
    return changed


def _find(account: ChannelAccount, report: Report) -> Communication | None:
    rows = Communication.objects.select_for_update(of=("self",)).filter(account=account, direction="outbound")
    found: Communication | None = None
    if report.message_id is not None:
        found = rows.filter(pk=report.message_id).first()
    if found is None and report.provider_id:
        found = rows.filter(provider_id=report.provider_id).first()
    return found


def _advance(message: Communication, report: Report) -> bool:
    status = MessageStatus(report.status)
    # What a clock ahead of ours says cannot have happened later than now.
    at = min(report.at, timezone.now())
    changes: dict[str, Any] = {}
    if message.attempted_at is None:
        return False
    if not message.provider_id and report.provider_id:
        changes["provider_id"] = report.provider_id
    moment = MOMENTS.get(status)
    if moment and getattr(message, moment) is None:
        changes[moment] = at
        if message.sent_at is None:
            changes["sent_at"] = at
    is_further = RANK[status] > RANK[MessageStatus(message.status)]
    if is_further:
        changes |= {"status": status, "error_code": report.code, "error_message": report.reason[:500]}
    if not changes:
        return False
    for name, value in changes.items():
        setattr(message, name, value)
    message.save(update_fields=list(changes))
    if is_further:
        announce(message)
    return is_further


def note_bounce(message: Communication, *, code: str, reason: str, is_permanent: bool) -> None:
    """Count a bounce of the address; one that is gone for good is not written to any more."""
    row, is_new = BouncedAddress.objects.get_or_create(
        medium=message.channel,
        address=message.address,
        defaults={"code": code, "reason": reason[:300], "is_suppressed": is_permanent},
    )
    if not is_new:
        BouncedAddress.objects.filter(pk=row.pk).update(
            bounces=F("bounces") + 1, last_bounce_at=Now(), code=code, reason=reason[:300]
        )
        row.refresh_from_db()
    if is_permanent or row.bounces >= SOFT_BOUNCES:
        BouncedAddress.objects.filter(pk=row.pk).update(is_suppressed=True)
        if message.contact_id:
            stop_enrolments([message.contact_id], by="bounce")


def note_opt_out(
    message: Communication, *, source: str, reason: str, channel: str = "", at: datetime | None = None
) -> None:
    """Let the person's no to this medium hold for everybody, in this transaction."""
    is_email = message.channel == "email"
    opted_out.send(
        sender=Communication,
        organization_id=current_organization_id(),
        phone_numbers=[] if is_email else [message.address],
        emails=[message.address] if is_email else [],
        channel=channel or message.channel,
        source=source,
        reason=reason,
        user_id=None,
    )
    if message.unsubscribed_at is None and message.direction == "outbound":
        message.unsubscribed_at = at or timezone.now()
        message.save(update_fields=["unsubscribed_at"])


def withdraw(*, phone_numbers: list[str], emails: list[str], channel: str) -> int:
    """Cancel what waits for people who said no, at once; return how many messages.

    A message that a worker holds but has not handed over yet is among them. One that is being handed over right now
    keeps its row locked until then: the no is stored after it.
    """
    emails = [email.strip().lower() for email in emails]
    matching = Q(
        address__in=phone_numbers, channel__in=[Medium.SMS, Medium.WHATSAPP] if channel == "all" else [channel]
    )
    matching |= Q(address__in=emails)
    if channel == "all":
        people = Contact.objects.filter(Q(phone__in=phone_numbers) | Q(email__in=emails)).values_list("pk", flat=True)
        matching |= Q(contact__in=list(people[:1000]))
    rows = Communication.objects.filter(
        matching,
        status__in=[MessageStatus.QUEUED, MessageStatus.SENDING],
        attempted_at__isnull=True,
    ).exclude(purpose="confirmation")
    withdrawn = list(rows.select_for_update(of=("self",)).values_list("pk", "contact_id"))
    count: int = rows.filter(pk__in=[pk for pk, _ in withdrawn]).update(
        status=MessageStatus.CANCELLED,
        error_code="OPTED_OUT",
        error_message="The person said no before it was sent.",
        claimed_until=None,
    )
    stop_enrolments({contact_id for _, contact_id in withdrawn if contact_id}, by="opt_out")
    return count
