"""Tell people something once, by the channels they chose."""

import logging
import smtplib
import uuid
from collections.abc import Iterable
from email.utils import parseaddr

from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone

from vocelio.audit.services import record
from vocelio.jobs.services import forget_task, promise_task
from vocelio.languages.mails import write_mail
from vocelio.notifications.kinds import Channel, all_kinds, kind_named
from vocelio.notifications.models import Notification, NotificationPreference
from vocelio.organizations.models import Membership
from vocelio.organizations.scope import current_organization_id
from vocelio.realtime.publish import publish

logger = logging.getLogger(__name__)


def notify(
    *,
    kind: str,
    user_ids: Iterable[uuid.UUID],
    title: str,
    key: str,
    body: str = "",
    resource: str = "",
    resource_id: uuid.UUID | None = None,
) -> list[Notification]:
    """Tell these members something, with the work of the open transaction; return the notifications made.

    `key` names the occasion: whoever was told of it before is not told again, however often this is called. The
    notification is listed, pushed to the person's sockets and mailed as they prefer.
    """
    told = kind_named(kind)
    organization_id = current_organization_id()
    members = Membership.objects.active().filter(organization_id=organization_id, user_id__in=set(user_ids))
    wanted = [
        Notification(
            user_id=user_id,
            kind=told.name,
            title=title[:300],
            body=body,
            resource=resource,
            resource_id=resource_id,
            key=key,
            created_at=timezone.now(),
        )
        for user_id in members.values_list("user_id", flat=True).order_by("user_id")
    ]
    Notification.objects.bulk_create(wanted, ignore_conflicts=True)
    ids = [notification.pk for notification in wanted]
    made: list[Notification] = list(Notification.objects.filter(pk__in=ids)) if ids else []
    wishes = preferences_of([notification.user_id for notification in made])
    for notification in made:
        if wishes[notification.user_id][told.name, Channel.SOCKET]:
            announce(notification)
        if wishes[notification.user_id][told.name, Channel.EMAIL]:
            task = "vocelio.notifications.tasks.mail_notification"
            promise_task(task, organization_id=organization_id, row_id=notification.pk)
    return made


def announce(notification: Notification) -> None:
    """Push the notification to its person's sockets."""
    publish(
        "notifications",
        type="notification",
        data={
            "id": str(notification.pk),
            "kind": notification.kind,
            "title": notification.title,
            "body": notification.body,
            "resource": notification.resource,
            "resourceId": str(notification.resource_id) if notification.resource_id else None,
            "createdAt": notification.created_at.isoformat(),
        },
        owners=[notification.user_id],
    )


def mail_notification(*, notification_id: uuid.UUID) -> None:
    """Mail a notification of the open scope, once: the row is locked, and marked in the transaction that sends.

    Should the server die between the mail's acceptance and the commit, the mail goes out again under the same
    Message-ID, by which mailboxes know the second for the first.
    """
    waiting = Notification.objects.filter(pk=notification_id, emailed_at=None)
    notification = waiting.select_for_update(of=("self",)).select_related("user", "organization").first()
    if notification is not None and notification.user.is_active:
        Notification.objects.filter(pk=notification_id).update(emailed_at=Now())
        try:
            _mail(notification)
        except smtplib.SMTPRecipientsRefused:
            logger.warning("Notification undeliverable", extra={"notification": str(notification_id)})
    forget_task(notification_id)


def mark_read(notification: Notification) -> Notification:
    """Note that the person has read it; a second time changes nothing."""
    Notification.objects.unread().filter(pk=notification.pk).update(read_at=Now())
    record("notification.read", "notification", notification.pk)
    publish(
        "notifications", type="notification_read", data={"ids": [str(notification.pk)]}, owners=[notification.user_id]
    )
    notification.refresh_from_db()
    return notification


def mark_all_read(*, user_id: uuid.UUID) -> int:
    """Note that the person has read everything so far; return how many were unread."""
    count: int = Notification.objects.unread().filter(user_id=user_id).update(read_at=Now())
    record("notification.all_read", "notification", count=count)
    publish("notifications", type="notification_read", data={"ids": None}, owners=[user_id])
    return count


def preferences_of(user_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, dict[tuple[str, str], bool]]:
    """Return for each person whether each kind takes each channel, {(kind, channel): bool}."""
    defaults = {(kind.name, str(channel)): kind.takes(channel) for kind in all_kinds() for channel in Channel.values}
    result = {user_id: dict(defaults) for user_id in user_ids}
    rows = NotificationPreference.objects.filter(user_id__in=list(result))
    for user_id, kind, channel, is_enabled in rows.values_list("user_id", "kind", "channel", "is_enabled"):
        if (kind, channel) in defaults:
            result[user_id][kind, channel] = is_enabled
    return result


def update_preferences(*, user_id: uuid.UUID, wishes: dict[tuple[str, str], bool]) -> None:
    """Keep the person's wishes about these kinds and channels; others stay as they are."""
    NotificationPreference.objects.bulk_create(
        [
            NotificationPreference(user_id=user_id, kind=kind, channel=channel, is_enabled=is_enabled)
            for (kind, channel), is_enabled in sorted(wishes.items())
        ],
        update_conflicts=True,
        unique_fields=["organization", "user", "kind", "channel"],
        update_fields=["is_enabled"],
    )
    record("notification.preferences_updated", "notification", kinds=sorted({kind for kind, _ in wishes}))


def _mail(notification: Notification) -> None:
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    context = {"notification": notification, "link": settings.FRONTEND_URL}
    write_mail(
        to=notification.user.email,
        subject=notification.title,
        template="notification",
        context=context,
        user=notification.user,
        organization=notification.organization,
        headers={"Message-ID": f"<{notification.pk}@{domain}>"},
    )
