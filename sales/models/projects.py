"""Projects: what was sold, being delivered."""

from decimal import Decimal
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from contacts.models import Client
from sales.models.deals import Deal
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet


class ProjectStatus(models.TextChoices):
    PLANNED = "planned", "Planned"
    ACTIVE = "active", "Active"
    ON_HOLD = "on_hold", "On hold"
    COMPLETED = "completed", "Completed"
    CANCELLED = "cancelled", "Cancelled"


class ProjectQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        """Keep projects that are not in the trash."""
        return self.filter(deleted_at__isnull=True)


ProjectManager = TenantManager.from_queryset(ProjectQuerySet)


class Project(TenantModel):
    """Work for a client. A won deal has at most one."""

    owner_field = "assigned_to"

    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    status = models.CharField(max_length=20, choices=ProjectStatus, default=ProjectStatus.PLANNED)
    client = TenantForeignKey(
        Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    deal = TenantForeignKey(Deal, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)
    budget = models.DecimalField(max_digits=18, decimal_places=2, default=Decimal(0))
    currency = models.CharField(max_length=3)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = ProjectManager()

    class Meta:
        db_table = "projects"
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="project_has_name"),
            models.CheckConstraint(condition=Q(status__in=ProjectStatus.values), name="project_status_known"),
            models.CheckConstraint(condition=Q(budget__gte=0), name="project_budget_not_negative"),
            models.CheckConstraint(condition=Q(currency__regex=r"^[A-Z]{3}$"), name="project_currency_is_iso"),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="project_ends_after_it_starts",
            ),
            models.UniqueConstraint(
                fields=["organization", "deal"],
                condition=Q(deal__isnull=False, deleted_at__isnull=True),
                name="one_project_per_deal",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"],
                name="projects_newest",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(
                fields=["organization", "client"], name="projects_of_client", condition=Q(client__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProjectMember(TenantModel):
    """A member of the organization who works on a project, as what and with how much of their time."""

    project = TenantForeignKey(Project, on_delete=models.CASCADE, related_name="members", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    role = models.CharField(max_length=100, blank=True, default="")
    allocation = models.PositiveSmallIntegerField(default=100, help_text="Percent of their time.")
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True)

    class Meta:
        db_table = "project_team_members"
        constraints = [
            models.UniqueConstraint(fields=["organization", "project", "user"], name="once_in_a_project"),
            models.CheckConstraint(condition=Q(allocation__gte=1, allocation__lte=100), name="allocation_is_percent"),
            models.CheckConstraint(
                condition=Q(starts_on__isnull=True) | Q(ends_on__isnull=True) | Q(ends_on__gte=F("starts_on")),
                name="project_member_leaves_after_joining",
            ),
        ]
        indexes = [models.Index(fields=["organization", "user"], name="projects_of_member")]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.project_id}"


class Milestone(TenantModel):
    """Something a project reaches on a day."""

    project = TenantForeignKey(Project, on_delete=models.CASCADE, related_name="milestones", db_index=False)
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    due_on = models.DateField()
    completed_at = models.DateTimeField(null=True, editable=False)
    completed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "project_milestones"
        indexes = [models.Index(fields=["organization", "project", "due_on"], name="milestones_of_project")]

    def __str__(self) -> str:
        return self.name


class ProjectTimelineEntry(TenantModel):
    """What happened and is planned in a project, as the view `project_timeline` shows it (migration 0002)."""

    project_id = models.UUIDField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=60)
    title = models.CharField(max_length=300)
    is_planned = models.BooleanField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, null=True, related_name="+")
    data = models.JSONField()
    created_at = None  # type: ignore[assignment]
    updated_at = None  # type: ignore[assignment]

    class Meta:
        managed = False
        db_table = "project_timeline"

    def __str__(self) -> str:
        return self.title
