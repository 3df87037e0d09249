"""Plan, change, complete and delete activities; remind of them; hear when somebody says no."""

import uuid
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import Client, Contact
from contacts.services.contacts import check_assignee
from contacts.services.touches import note_touch
from contacts.signals import opted_out
from sales.models import Activity, ActivityKind, Deal, Disposition, Project
from sales.services.announcements import announce_activity
from sales.services.recurrence import check_rule, next_occurrence
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import Conflict, Invalid
from vocelio.notifications.services.feed import tell_feed
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.scope import current_organization_id

REMINDER_BATCH = 500
# What was talked about with a person; tasks and notes are not.
TOUCHES = {ActivityKind.CALL, ActivityKind.MEETING}


class AlreadyCompleted(Conflict):
    code = "ALREADY_COMPLETED"
    message = "This activity was completed already."


def create_activity(*, principal: Principal, **fields: Any) -> Activity:
    """Plan an activity; nobody named, it is the caller's own."""
    fields.setdefault("assigned_to_id", principal.user_id)
    activity = Activity(created_by_id=current_actor().user_id)
    _set(activity, fields, principal)
    if activity.recurrence:
        _begin_series(activity)
    activity.save(force_insert=True)
    activity.refresh_from_db()
    record("activity.created", "activity", activity.pk, kind=activity.kind, fields=sorted(fields))
    announce_activity("activity_created", activity)
    _tell_assignee(activity, None)
    return activity


def update_activity(*, activity: Activity, principal: Principal, **fields: Any) -> Activity:
    """Change the given fields; a new time is reminded of anew."""
    activity = _locked(activity)
    owner_before, rule_before, due_before = activity.assigned_to_id, activity.recurrence, activity.due_at
    if "disposition" in fields and activity.completed_at is None:
        raise Invalid.field("disposition", "Say how a call ended by completing it.", constraint="not_completed")
    _set(activity, fields, principal)
    if activity.recurrence and (activity.recurrence != rule_before or activity.due_at != due_before):
        _begin_series(activity)
    elif not activity.recurrence:
        activity.series_id = None
    if activity.due_at != due_before or "remind_minutes" in fields:
        activity.reminded_at = None
    activity.save()
    activity.refresh_from_db()
    record("activity.updated", "activity", activity.pk, fields=sorted(fields))
    announce_activity("activity_updated", activity, [owner_before])
    _tell_assignee(activity, owner_before)
    return activity


def complete_activity(
    *,
    activity: Activity,
    principal: Principal,
    disposition: str = "",
    outcome: str = "",
    callback_at: Any = None,
) -> tuple[Activity, Activity | None]:
    """Note that it was done; return it and what follows: the next of its series, or the call back.

    Of two people at once the second gets AlreadyCompleted. A call that ends with `do_not_call` opts the person out
    of calls in this very transaction, so that either both are stored or neither.
    """
    activity = _locked(activity)
    if activity.completed_at is not None:
        raise AlreadyCompleted(completedAt=activity.completed_at.isoformat())
    _check_outcome(activity, disposition, callback_at)
    activity.completed_at = timezone.now()
    activity.completed_by_id = current_actor().user_id
    activity.disposition, activity.outcome = disposition, outcome or activity.outcome
    activity.save(update_fields=["completed_at", "completed_by", "disposition", "outcome"])
    record("activity.completed", "activity", activity.pk, kind=activity.kind, disposition=disposition)
    announce_activity("activity_completed", activity)
    tell_feed(
        kind="activity.completed",
        resource="activity",
        resource_id=activity.pk,
        title=activity.subject,
        owners=[activity.assigned_to_id],
        activityKind=activity.kind,
        disposition=disposition,
        dealId=str(activity.deal_id) if activity.deal_id else None,
    )
    if activity.contact_id is not None and activity.kind in TOUCHES:
        note_touch(contact_id=activity.contact_id, at=activity.completed_at)
    if disposition == Disposition.DO_NOT_CALL:
        _opt_out(activity)
    following = _follow_up(activity, principal, callback_at) if callback_at else _next_of_series(activity)
    return activity, following


def delete_activity(*, activity: Activity) -> None:
    """Take an activity away; the series it belongs to ends with it."""
    Activity.objects.filter(pk=activity.pk).update(deleted_at=Now())
    record("activity.deleted", "activity", activity.pk)
    announce_activity("activity_deleted", activity)


def send_reminders() -> int:
    """Remind people of the open organization's activities that are due soon, once each; return of how many.

    Two at once share the work: a row is locked, marked and told of in one transaction.
    """
    due = list(
        Activity.objects.to_remind_of()
        .select_for_update(of=("self",), skip_locked=True)
        .order_by("remind_at")[:REMINDER_BATCH]
    )
    for activity in due:
        notify(
            kind="activity.reminder",
            user_ids=[activity.assigned_to_id],
            title=f"{activity.get_kind_display()}: {activity.subject}",
            body=f"Due {activity.due_at:%d %b %Y, %H:%M} UTC." if activity.due_at else "",
            key=f"activity.reminder:{activity.pk}:{activity.remind_at.isoformat()}",
            resource="activity",
            resource_id=activity.pk,
        )
    Activity.objects.filter(pk__in=[activity.pk for activity in due]).update(reminded_at=Now())
    return len(due)


def _set(activity: Activity, fields: dict[str, Any], principal: Principal) -> None:
    if fields.get("recurrence"):
        fields["recurrence"] = check_rule(fields["recurrence"])
    for name, value in fields.items():
        setattr(activity, name, value)
    if activity.recurrence and activity.due_at is None:
        raise Invalid.field("dueAt", "What recurs needs a time to begin with.", constraint="required")
    if activity.remind_minutes is not None and activity.due_at is None:
        raise Invalid.field("dueAt", "A reminder needs a time to remind of.", constraint="required")
    check_assignee(activity, fields)
    linked: list[tuple[str, Any]] = [
        ("deal_id", Deal.objects.alive()),
        ("client_id", Client.objects.alive()),
        ("contact_id", Contact.objects.alive()),
        ("project_id", Project.objects.alive()),
    ]
    for name, rows in linked:
        pk = fields.get(name)
        if pk is not None and not rows.visible_to(principal).filter(pk=pk).exists():
            field = name.removesuffix("_id") + "Id"
            raise Invalid.field(field, "There is no such record.", value=str(pk), constraint="does_not_exist")
    activity.remind_at = (
        activity.due_at - timedelta(minutes=activity.remind_minutes)
        if activity.due_at and activity.remind_minutes is not None
        else None
    )


def _begin_series(activity: Activity) -> None:
    activity.series_id, activity.series_starts_at, activity.occurrence = uuid7(), activity.due_at, 1


def _next_of_series(activity: Activity) -> Activity | None:
    """Make the next of the series, later than both this one and now; None when it has ended."""
    if not activity.recurrence or activity.due_at is None or activity.series_starts_at is None:
        return None
    after = max(activity.due_at, timezone.now()) if "COUNT" not in activity.recurrence else activity.due_at
    due_at = next_occurrence(activity.recurrence, activity.series_starts_at, after)
    if due_at is None:
        return None
    copied = ["kind", "subject", "notes", "location", "priority", "duration_minutes", "remind_minutes", "recurrence"]
    copied += ["series_id", "series_starts_at", "deal_id", "client_id", "contact_id", "project_id", "assigned_to_id"]
    following = Activity(
        **{name: getattr(activity, name) for name in copied},
        occurrence=activity.occurrence + 1,
        due_at=due_at,
        created_by_id=current_actor().user_id,
    )
    if following.remind_minutes is not None:
        following.remind_at = due_at - timedelta(minutes=following.remind_minutes)
    following.save(force_insert=True)
    following.refresh_from_db()
    announce_activity("activity_created", following)
    return following


def _follow_up(activity: Activity, principal: Principal, callback_at: Any) -> Activity:
    linked = ["deal_id", "client_id", "contact_id", "project_id", "assigned_to_id"]
    return create_activity(
        principal=principal,
        kind=ActivityKind.CALL,
        subject=f"Call back: {activity.subject}"[:255],
        due_at=callback_at,
        remind_minutes=0,
        **{name: getattr(activity, name) for name in linked if getattr(activity, name) is not None},
    )


def _check_outcome(activity: Activity, disposition: str, callback_at: Any) -> None:
    if disposition and activity.kind != ActivityKind.CALL:
        raise Invalid.field("disposition", "Only a call has a disposition.", value=disposition, constraint="not_a_call")
    if disposition == Disposition.CALLBACK and callback_at is None:
        raise Invalid.field("callbackAt", "Say when to call back.", constraint="required")
    if callback_at is not None and disposition not in ("", Disposition.CALLBACK):
        raise Invalid.field("callbackAt", "This call is not to be followed by another.", constraint="disposition")
    if disposition == Disposition.DO_NOT_CALL and activity.contact_id is None:
        raise Invalid.field("contactId", "Say whom not to call: the activity names no contact.", constraint="required")


def _opt_out(activity: Activity) -> None:
    contact = Contact.objects.get(pk=activity.contact_id)
    if not contact.phone:
        raise Invalid.field("disposition", "The contact has no phone number to opt out.", constraint="phone")
    opted_out.send(
        sender=Activity,
        organization_id=current_organization_id(),
        phone_numbers=[contact.phone],
        emails=[],
        channel="call",
        source="call disposition",
        reason="Said not to call again",
        user_id=current_actor().user_id,
    )
    record("contact.opted_out", "contact", contact.pk, channel="call", activity=str(activity.pk))


def _tell_assignee(activity: Activity, before: uuid.UUID | None) -> None:
    if activity.assigned_to_id and activity.assigned_to_id not in (before, current_actor().user_id):
        notify(
            kind="activity.assigned",
            user_ids=[activity.assigned_to_id],
            title=f"{activity.get_kind_display()} for you: {activity.subject}",
            key=f"activity.assigned:{activity.pk}:{activity.updated_at.isoformat()}",
            resource="activity",
            resource_id=activity.pk,
        )


def _locked(activity: Activity) -> Activity:
    locked: Activity = Activity.objects.alive().select_for_update(of=("self",), no_key=True).get(pk=activity.pk)
    return locked
