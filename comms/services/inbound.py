"""What people write back: threaded, told to whom it concerns, and heard when it is a no."""

import re
from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from comms.channels.mail import our_message
from comms.channels.values import Inbound
from comms.models import (
    ChannelAccount,
    Communication,
    Direction,
    Medium,
    MessageStatus,
    Purpose,
)
from comms.services.announcements import announce
from comms.services.outbox import wake
from comms.services.sequences import stop_enrolments
from comms.services.statuses import note_opt_out
from contacts.models import Contact
from vocelio.audit.services import record
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import current_organization_id

# FCC 24-24 (47 CFR 64.1200(a)(10)) names stop, quit, end, revoke, opt out, cancel, unsubscribe; carriers add STOPALL.
STOP_WORDS = {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"}
# An answer that names no message belongs to the last one sent within this time.
THREAD_WITHIN = timedelta(days=30)
CONFIRMATION = "{organization}: you are unsubscribed and will get no more messages from us here."


def receive(account: ChannelAccount, inbound: Inbound) -> Communication | None:
    """Keep a message of a person's and act on it; None when it was kept before."""
    if Communication.objects.filter(account=account, provider_id=inbound.provider_id).exists():
        return None
    address = inbound.address.strip().lower() if account.medium == Medium.EMAIL else inbound.address
    parent = _parent(account, inbound, address)
    contact = _contact(account.medium, address) or (parent.contact if parent is not None else None)
    text = inbound.text or " ".join(f"[{kind}]" for kind in inbound.media)
    message = Communication(
        direction=Direction.INBOUND,
        channel=account.medium,
        status=MessageStatus.RECEIVED,
        account=account,
        contact=contact,
        address=address,
        subject=inbound.subject,
        body_text=text,
        reply_to=parent,
        provider_id=inbound.provider_id,
        sent_at=min(inbound.at, timezone.now()),
        client_id=parent.client_id if parent is not None else None,
        subject_type=parent.subject_type if parent is not None else "",
        subject_id=parent.subject_id if parent is not None else None,
    )
    message.save(force_insert=True)
    message.refresh_from_db()
    record("communication.received", "communication", message.pk, channel=message.channel)
    if says_stop(text) and account.medium != Medium.EMAIL:
        _opt_out(account, message, parent)
    if not inbound.is_automatic:
        _note_reply(message, parent)
        _tell(message, parent)
    announce(message, "communication_received")
    return message


def says_stop(text: str) -> bool:
    """Say whether a message is nothing but one of the words by which the law lets people stop all others."""
    word = re.sub(r"[^a-z]", "", text.lower())
    return len(text) <= 40 and word in STOP_WORDS


def _parent(account: ChannelAccount, inbound: Inbound, address: str) -> Communication | None:
    """Return our message that this one answers."""
    ours = [our for name in inbound.reply_to if (our := our_message(name))]
    sent = Communication.objects.select_related("contact").defer("contact__search")
    sent = sent.filter(account=account, direction=Direction.OUTBOUND)
    named = sent.filter(Q(pk__in=ours) | Q(provider_id__in=inbound.reply_to)) if inbound.reply_to else sent.none()
    found: Communication | None = named.order_by("-created_at").first()
    if found is None and account.medium != Medium.EMAIL:
        recent = sent.filter(address=address, attempted_at__gt=timezone.now() - THREAD_WITHIN)
        found = recent.order_by("-attempted_at").first()
    return found


def _contact(medium: str, address: str) -> Contact | None:
    rows = Contact.objects.alive().defer("search").order_by("-created_at")
    found: Contact | None = rows.filter(**{"email" if medium == Medium.EMAIL else "phone": address}).first()
    return found


def _opt_out(account: ChannelAccount, message: Communication, parent: Communication | None) -> None:
    """Store the no and confirm it: once, at once, and with nothing but the confirmation."""
    note_opt_out(parent or message, source=f"{message.channel} reply", reason="Wrote a stop word")
    name = Organization.objects.values_list("name", flat=True).get(pk=current_organization_id())
    confirmation = Communication(
        channel=message.channel,
        purpose=Purpose.CONFIRMATION,
        account=account,
        contact=message.contact,
        address=message.address,
        body_text=CONFIRMATION.format(organization=name),
        reply_to=None,
        # A person who writes STOP again within a day gets no second one.
        idempotency_key=f"c:{message.channel}:{message.address}:{timezone.now():%Y-%m-%d}",
    )
    if not Communication.objects.filter(idempotency_key=confirmation.idempotency_key).exists():
        confirmation.save(force_insert=True)
        wake(account.pk)


def _note_reply(message: Communication, parent: Communication | None) -> None:
    if message.contact_id:
        stop_enrolments([message.contact_id], by="reply")
    if parent is None:
        return
    rows = Communication.objects.filter(pk=parent.pk, attempted_at__isnull=False)
    rows.filter(replied_at__isnull=True).update(replied_at=message.sent_at)
    rows.exclude(status__in=[MessageStatus.QUEUED, MessageStatus.CANCELLED]).update(status=MessageStatus.REPLIED)
    announce(rows.get() if rows.exists() else parent)


def _tell(message: Communication, parent: Communication | None) -> None:
    """Tell the person who is responsible for the contact, else whoever wrote last."""
    user_id = (message.contact.assigned_to_id if message.contact else None) or (
        parent.created_by_id if parent else None
    )
    if user_id is None:
        return
    who = str(message.contact) if message.contact is not None else message.address
    notify(
        kind="message.received",
        user_ids=[user_id],
        title=f"{who} wrote: {message}"[:200],
        key=f"message.received:{message.pk}",
        resource="communication",
        resource_id=message.pk,
    )
