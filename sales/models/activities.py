"""Calls, meetings, tasks and notes, and the calendar they appear in."""

from datetime import UTC, datetime
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Now

from contacts.models import Client, Contact
from sales.models.deals import Deal
from sales.models.projects import Project
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet

# Later than anything planned.
FAR_AWAY = datetime(2200, 1, 1, tzinfo=UTC)


class ActivityKind(models.TextChoices):
    CALL = "call", "Call"
    MEETING = "meeting", "Meeting"
    TASK = "task", "Task"
    NOTE = "note", "Note"


class Disposition(models.TextChoices):
    """How a call ended."""

    CONNECTED = "connected", "Connected"
    VOICEMAIL = "voicemail", "Left a voicemail"
    NO_ANSWER = "no_answer", "No answer"
    BUSY = "busy", "Busy"
    CALLBACK = "callback", "Asked to be called back"
    NOT_INTERESTED = "not_interested", "Not interested"
    WRONG_NUMBER = "wrong_number", "Wrong number"
    DO_NOT_CALL = "do_not_call", "Do not call again"


class Priority(models.TextChoices):
    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"


class ActivityQuerySet(TenantQuerySet):
    def open(self) -> Self:
        """Keep what is still to be done."""
        return self.filter(completed_at__isnull=True, deleted_at__isnull=True)

    def alive(self) -> Self:
        """Keep what was not deleted."""
        return self.filter(deleted_at__isnull=True)

    def overdue(self) -> Self:
        return self.open().filter(due_at__lt=Now())

    def due_between(self, start: datetime, end: datetime) -> Self:
        return self.filter(due_at__gte=start, due_at__lt=end)

    def with_due_order(self) -> Self:
        """Add `due_order`, by which what has no time comes last."""
        last = models.Value(FAR_AWAY, models.DateTimeField())
        return self.annotate(due_order=Coalesce("due_at", last))

    def to_remind_of(self) -> Self:
        """Keep what somebody must be reminded of by now."""
        return self.open().filter(remind_at__lte=Now(), reminded_at__isnull=True, assigned_to__isnull=False)


ActivityManager = TenantManager.from_queryset(ActivityQuerySet)


class Activity(TenantModel):
    """Something to do or done. `recurrence` is an RFC 5545 rule; completing one makes the next of its series."""

    owner_field = "assigned_to"

    kind = models.CharField(max_length=10, choices=ActivityKind)
    subject = models.CharField(max_length=255)
    notes = models.TextField(blank=True, default="")
    location = models.CharField(max_length=255, blank=True, default="")
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.NORMAL)
    due_at = models.DateTimeField(null=True, blank=True)
    duration_minutes = models.PositiveIntegerField(null=True, blank=True)
    remind_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="Before it is due.")
    remind_at = models.DateTimeField(null=True, editable=False)
    reminded_at = models.DateTimeField(null=True, editable=False)
    recurrence = models.CharField(max_length=200, blank=True, default="", help_text="RFC 5545, e.g. FREQ=WEEKLY.")
    series_id = models.UUIDField(null=True, editable=False)
    occurrence = models.PositiveIntegerField(default=1, editable=False, help_text="Which of its series.")
    series_starts_at = models.DateTimeField(null=True, editable=False)
    completed_at = models.DateTimeField(null=True, editable=False)
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    disposition = models.CharField(max_length=20, choices=Disposition, blank=True, default="")
    outcome = models.TextField(blank=True, default="")
    deal = TenantForeignKey(Deal, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    client = TenantForeignKey(
        Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    contact = TenantForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    project = TenantForeignKey(
        Project, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = ActivityManager()

    class Meta:
        db_table = "sales_activities"
        verbose_name = "activity"
        verbose_name_plural = "activities"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ActivityKind.values), name="activity_kind_known"),
            models.CheckConstraint(condition=Q(priority__in=Priority.values), name="activity_priority_known"),
            models.CheckConstraint(
                condition=Q(disposition="") | Q(kind="call", disposition__in=Disposition.values),
                name="activity_disposition_of_calls",
            ),
            models.CheckConstraint(
                condition=Q(recurrence="") | Q(due_at__isnull=False), name="recurring_activity_has_due_date"
            ),
            # Of two who complete one at the same moment, one makes the next of the series.
            models.UniqueConstraint(
                fields=["organization", "series_id", "occurrence"],
                condition=Q(series_id__isnull=False),
                name="one_activity_per_occurrence",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"],
                name="activities_newest",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "assigned_to", "due_at"],
                name="activities_to_do",
                condition=Q(completed_at__isnull=True, deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "deal", "due_at"],
                name="activities_of_deal",
                condition=Q(deal__isnull=False, deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "contact"], name="activities_of_contact", condition=Q(contact__isnull=False)
            ),
            models.Index(
                fields=["organization", "client"], name="activities_of_client", condition=Q(client__isnull=False)
            ),
            models.Index(
                fields=["organization", "project"], name="activities_of_project", condition=Q(project__isnull=False)
            ),
            models.Index(
                fields=["organization", "remind_at"],
                name="activities_to_remind_of",
                condition=Q(completed_at__isnull=True, reminded_at__isnull=True, remind_at__isnull=False),
            ),
            models.Index(
                fields=["organization", "completed_at"],
                name="activities_done",
                condition=Q(completed_at__isnull=False, deleted_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.subject


class CalendarFeed(TenantModel):
    """One person's secret address of their activities as a calendar; the secret is kept as a hash."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    token_hash = models.BinaryField(max_length=32)
    last_read_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "calendar_feeds"
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_calendar_feed_per_person"),
            models.UniqueConstraint(fields=["organization", "token_hash"], name="one_calendar_feed_per_token"),
        ]

    def __str__(self) -> str:
        return f"calendar of {self.user_id}"
