"""Interviews, who takes part, and what they thought."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q

from recruitment.models.applications import Application
from vocelio.access.principal import Principal
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet, TenantRow


class InterviewKind(models.TextChoices):
    PHONE = "phone", "Phone"
    VIDEO = "video", "Video"
    ONSITE = "onsite", "On site"
    PANEL = "panel", "Panel"
    TASK = "task", "Work sample"


class InterviewStatus(models.TextChoices):
    SCHEDULED = "scheduled", "Scheduled"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"
    NO_SHOW = "no_show", "Nobody came"


class Interview(TenantModel):
    """A conversation with an applicant. `sequence` rises with what calendars must hear of (RFC 5545)."""

    owner_field = "application__assigned_to"

    application = TenantForeignKey(Application, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=InterviewKind, default=InterviewKind.VIDEO)
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=10, choices=InterviewStatus, default=InterviewStatus.SCHEDULED)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    timezone = models.CharField(max_length=60, default="UTC", help_text="Of the applicant; IANA name.")
    location = models.CharField(max_length=500, blank=True, default="", help_text="A place or a link.")
    agenda = models.TextField(blank=True, default="", help_text="Sent to everybody invited.")
    criteria = models.JSONField(default=list, blank=True, help_text="What every scorecard judges.")
    invites_candidate = models.BooleanField(default=True)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "interviews"
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="interview_ends_after_it_starts"),
            models.CheckConstraint(condition=Q(status__in=InterviewStatus.values), name="interview_status_known"),
        ]
        indexes = [
            models.Index(fields=["organization", "application"], name="interviews_of_application"),
            models.Index(fields=["organization", "starts_at", "id"], name="interviews_by_time"),
        ]

    def __str__(self) -> str:
        return self.title


class Interviewer(TenantRow):
    """A member of the organization who takes part."""

    interview = TenantForeignKey(Interview, on_delete=models.CASCADE, related_name="interviewers", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        db_table = "interviewers"
        constraints = [
            models.UniqueConstraint(fields=["organization", "interview", "user"], name="once_in_an_interview")
        ]
        indexes = [models.Index(fields=["organization", "user"], name="interviews_of_member")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.interview_id}"


class Verdict(models.IntegerChoices):
    STRONG_NO = 1, "Strong no"
    NO = 2, "No"
    UNDECIDED = 3, "Undecided"
    YES = 4, "Yes"
    STRONG_YES = 5, "Strong yes"


class ScorecardQuerySet(TenantQuerySet):
    def visible_to(self, principal: Principal) -> Self:
        """Keep one's own, and those of others on applications where one owes no scorecard any more.

        Whoever is to judge an applicant judges first: an interviewer with an interview of the application still to
        be scored sees nobody else's, whatever their role.
        """
        owed = Interviewer.objects.filter(
            interview__application_id=OuterRef("interview__application_id"),
            user_id=principal.user_id,
            interview__status__in=[InterviewStatus.SCHEDULED, InterviewStatus.COMPLETED],
        ).exclude(
            Exists(
                Scorecard.objects.filter(
                    interview_id=OuterRef("interview_id"), user_id=principal.user_id, submitted_at__isnull=False
                )
            )
        )
        mine = Q(user_id=principal.user_id)
        return super().visible_to(principal).filter(mine | (Q(submitted_at__isnull=False) & ~Exists(owed)))


ScorecardManager = TenantManager.from_queryset(ScorecardQuerySet)


class Scorecard(TenantModel):
    """What one interviewer thought: a draft until it is submitted, never changed afterwards."""

    owner_field = "interview__application__assigned_to"

    interview = TenantForeignKey(Interview, on_delete=models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    verdict = models.PositiveSmallIntegerField(choices=Verdict)
    ratings = models.JSONField(default=dict, blank=True, help_text="1 to 5 by criterion.")
    strengths = models.TextField(blank=True, default="")
    concerns = models.TextField(blank=True, default="")
    submitted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = ScorecardManager()

    class Meta:
        db_table = "scorecards"
        constraints = [
            models.UniqueConstraint(fields=["organization", "interview", "user"], name="one_scorecard_a_person"),
            models.CheckConstraint(condition=Q(verdict__gte=1, verdict__lte=5), name="verdict_known"),
        ]

    def __str__(self) -> str:
        return f"{self.get_verdict_display()} by {self.user_id}"
