"""Reports that people keep, when they are mailed, and what became of each mailing."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.dates import WEEKDAYS

from vocelio.access.principal import Principal
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet


class SavedReportQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Keep the caller's own and those that are shared. What they show is judged anew for whoever runs them."""
        return self.filter(Q(owner_id=principal.user_id) | Q(is_shared=True))


SavedReportManager = TenantManager.from_queryset(SavedReportQuerySet)


class SavedReport(TenantModel):  # type: ignore[django-manager-missing]  # its schedules have one of their own making
    """A question that somebody asks again: `definition` is what POST /reports/run takes."""

    name = models.CharField(max_length=100)
    description = models.CharField(max_length=500, blank=True, default="")
    definition = models.JSONField()
    chart = models.CharField(max_length=10, blank=True, default="", help_text="How it is drawn.")
    is_shared = models.BooleanField(default=False, help_text="Everybody in the organization sees it.")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, editable=False, related_name="+", db_index=False
    )

    objects: ClassVar[Any] = SavedReportManager()

    class Meta:
        db_table = "saved_reports"
        verbose_name = "report"
        constraints = [
            models.UniqueConstraint(fields=["organization", "owner", "name"], name="one_report_per_name"),
            models.CheckConstraint(condition=~Q(name=""), name="report_has_name"),
        ]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="saved_reports_newest")]

    def __str__(self) -> str:
        return self.name


class Frequency(models.TextChoices):
    DAILY = "daily", "Every day"
    WEEKLY = "weekly", "Every week"
    MONTHLY = "monthly", "Every month"


class FileFormat(models.TextChoices):
    CSV = "csv", "CSV"
    XLSX = "xlsx", "Excel"
    PDF = "pdf", "PDF"


class ReportScheduleQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Keep those of the reports that the caller sees."""
        return self.filter(report__in=SavedReport.objects.get_queryset().visible_to(principal))

    def due(self) -> Self:
        return self.filter(is_active=True, next_at__lte=Now())


ReportScheduleManager = TenantManager.from_queryset(ReportScheduleQuerySet)


class ReportSchedule(TenantModel):  # type: ignore[django-manager-missing]  # its deliveries have, too
    """When a report is mailed to whom. It is computed as its owner, with what the owner may see at that moment.

    `hour` is of the organization's time zone; `day` a weekday from 1 (Monday) or a day of the month up to 28.
    """

    report = TenantForeignKey(SavedReport, on_delete=models.CASCADE, related_name="schedules", db_index=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, editable=False, related_name="+", db_index=False
    )
    frequency = models.CharField(max_length=10, choices=Frequency)
    hour = models.PositiveSmallIntegerField(default=8, validators=[MaxValueValidator(23)])
    day = models.PositiveSmallIntegerField(default=1, validators=[MaxValueValidator(28)])
    format = models.CharField(max_length=5, choices=FileFormat, default=FileFormat.PDF)
    recipients = ArrayField(models.UUIDField(), help_text="Members.")
    is_active = models.BooleanField(default=True)
    next_at = models.DateTimeField(editable=False)
    failures = models.PositiveSmallIntegerField(default=0, editable=False, help_text="In a row.")
    stopped_reason = models.CharField(max_length=300, blank=True, default="", editable=False)

    objects: ClassVar[Any] = ReportScheduleManager()

    class Meta:
        db_table = "report_schedules"
        constraints = [
            models.CheckConstraint(condition=Q(frequency__in=Frequency.values), name="schedule_frequency_known"),
            models.CheckConstraint(condition=Q(format__in=FileFormat.values), name="schedule_format_known"),
            models.CheckConstraint(condition=Q(hour__lte=23), name="schedule_hour_of_a_day"),
            models.CheckConstraint(condition=Q(day__gte=1, day__lte=28), name="schedule_day_known"),
            models.CheckConstraint(condition=~Q(frequency="weekly") | Q(day__lte=7), name="schedule_day_of_a_week"),
            models.CheckConstraint(condition=~Q(recipients=[]), name="schedule_has_recipients"),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(stopped_reason=""), name="stopped_schedule_says_why_and_rests"
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "report"], name="schedules_of_report"),
            models.Index(fields=["next_at"], name="schedules_due", condition=Q(is_active=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_frequency_display()} at {self.hour}:00"

    @property
    def weekday(self) -> str:
        """Return the name of the day of a weekly one."""
        return str(WEEKDAYS[self.day - 1])


class ReportDeliveryQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Keep those of the reports that the caller sees."""
        return self.filter(report__in=SavedReport.objects.get_queryset().visible_to(principal))


ReportDeliveryManager = TenantManager.from_queryset(ReportDeliveryQuerySet)


class ReportDelivery(Job):
    """One mailing of a report. `outcomes` says of each recipient whether it was sent, or why not."""

    task = "vocelio.reports.tasks.run_delivery"
    noun = "report_delivery"

    report = TenantForeignKey(SavedReport, on_delete=models.CASCADE, related_name="+", db_index=False)
    schedule = TenantForeignKey(ReportSchedule, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    due_at = models.DateTimeField(null=True, help_text="The tick it is of; null when somebody asked for it.")
    sent = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    outcomes = models.JSONField(default=list)

    objects: ClassVar[Any] = ReportDeliveryManager()

    class Meta(Job.Meta):
        db_table = "report_deliveries"
        verbose_name_plural = "report deliveries"
        constraints = [
            models.UniqueConstraint(fields=["organization", "schedule", "due_at"], name="one_delivery_per_tick")
        ]
        indexes = [
            *Job.Meta.indexes,
            models.Index(fields=["organization", "schedule", "-created_at"], name="deliveries_of_schedule"),
        ]

    def __str__(self) -> str:
        return f"Mailing of {self.created_at:%Y-%m-%d %H:%M}"

    def audit_counts(self) -> dict[str, int]:
        return {"processed": self.processed, "sent": self.sent, "skipped": self.skipped}

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {"sent": self.sent, "skipped": self.skipped}
