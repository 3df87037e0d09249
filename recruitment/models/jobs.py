"""Jobs to be filled, who works on them, and the stages their applications pass through."""

from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from contacts.models import Client
from recruitment.models.profiles import SalaryPeriod
from recruitment.models.skills import SkillLevel
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet, TenantRow


class StageOutcome(models.TextChoices):
    """What an application in the stage is; its status follows from here and from nowhere else."""

    OPEN = "open", "Open"
    HIRED = "hired", "Hired"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


class HiringProcessQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        """Keep processes in use."""
        return self.filter(deleted_at__isnull=True)


HiringProcessManager = TenantManager.from_queryset(HiringProcessQuerySet)


class HiringProcess(TenantModel):  # type: ignore[django-manager-missing]  # its stages have one of their own making
    """The stages that jobs of a family share: a template that every new job of the family follows."""

    name = models.CharField(max_length=100)
    family = models.CharField(
        max_length=100, blank=True, default="", help_text="Jobs of this family follow it unless told otherwise."
    )
    is_default = models.BooleanField(default=False, help_text="What jobs of other families follow.")
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = HiringProcessManager()

    class Meta:
        db_table = "hiring_processes"
        verbose_name_plural = "hiring processes"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "name"], condition=Q(deleted_at__isnull=True), name="one_process_per_name"
            ),
            models.UniqueConstraint(
                fields=["organization", "family"],
                condition=Q(deleted_at__isnull=True) & ~Q(family=""),
                name="one_process_per_family",
            ),
            models.UniqueConstraint(fields=["organization"], condition=Q(is_default=True), name="one_default_process"),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(deleted_at__isnull=True), name="default_process_in_use"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ApplicationStageQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        """Keep stages in use; removed ones stay for the events that name them."""
        return self.filter(deleted_at__isnull=True)


ApplicationStageManager = TenantManager.from_queryset(ApplicationStageQuerySet)


class ApplicationStage(TenantModel):
    """One step of a process. The outcome of a stage that holds applications cannot change (migration 0002)."""

    process = TenantForeignKey(HiringProcess, on_delete=models.CASCADE, related_name="stages", db_index=False)
    name = models.CharField(max_length=100)
    position = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=StageOutcome, default=StageOutcome.OPEN)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = ApplicationStageManager()

    class Meta:
        db_table = "application_stages"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "process", "name"],
                condition=Q(deleted_at__isnull=True),
                name="one_application_stage_per_name",
            ),
            models.CheckConstraint(condition=Q(outcome__in=StageOutcome.values), name="stage_outcome_known"),
            models.UniqueConstraint(
                fields=["organization", "id", "process", "outcome"], name="stages_are_what_applications_say"
            ),
        ]
        indexes = [models.Index(fields=["organization", "process", "position"], name="application_stages_in_order")]

    def __str__(self) -> str:
        return self.name


class OpeningStatus(models.TextChoices):
    DRAFT = "draft", "Draft"
    OPEN = "open", "Open"
    ON_HOLD = "on_hold", "On hold"
    FILLED = "filled", "Filled"
    CLOSED = "closed", "Closed"
    CANCELLED = "cancelled", "Cancelled"


# Nobody works on these any more.
ENDED = (OpeningStatus.FILLED, OpeningStatus.CLOSED, OpeningStatus.CANCELLED)
# What each status may become.
NEXT_STATUSES: dict[str, tuple[str, ...]] = {
    OpeningStatus.DRAFT: (OpeningStatus.OPEN, OpeningStatus.CANCELLED),
    OpeningStatus.OPEN: (OpeningStatus.ON_HOLD, *ENDED),
    OpeningStatus.ON_HOLD: (OpeningStatus.OPEN, *ENDED),
    OpeningStatus.FILLED: (OpeningStatus.OPEN, OpeningStatus.CLOSED),
    OpeningStatus.CLOSED: (OpeningStatus.OPEN,),
    OpeningStatus.CANCELLED: (OpeningStatus.OPEN,),
}


class RemoteKind(models.TextChoices):
    ONSITE = "onsite", "On site"
    HYBRID = "hybrid", "Hybrid"
    REMOTE = "remote", "Remote"


class EmploymentType(models.TextChoices):
    FULL_TIME = "full_time", "Full time"
    PART_TIME = "part_time", "Part time"
    CONTRACT = "contract", "Contract"
    TEMPORARY = "temporary", "Temporary"
    INTERNSHIP = "internship", "Internship"


class OpeningPriority(models.TextChoices):
    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"
    URGENT = "urgent", "Urgent"


class JobOpeningQuerySet(TenantQuerySet):
    def alive(self) -> Self:
        """Keep jobs that are not in the trash."""
        return self.filter(deleted_at__isnull=True)

    def public(self) -> Self:
        """Keep jobs that strangers may read of and apply to."""
        return self.alive().filter(is_public=True, status=OpeningStatus.OPEN)

    def with_numbers(self) -> Self:
        """Add `open_applications` and `hires` by counting."""
        from recruitment.models.applications import Application

        mine = Application.objects.filter(job_id=models.OuterRef("pk")).order_by().values("job_id")
        number = mine.annotate(number=models.Count("pk")).values("number")

        def counted(status: str) -> Any:
            return models.functions.Coalesce(models.Subquery(number.filter(status=status)), 0)

        return self.annotate(open_applications=counted("open"), hires=counted("hired"))


JobOpeningManager = TenantManager.from_queryset(JobOpeningQuerySet)


class JobOpening(TenantModel):
    """A job to be filled, once or several times. `version` rises with every change.

    `process` cannot change while it has applications, which the database holds. `public_slug` is its address on the
    careers page: the title and random letters, so that nobody guesses another's.
    """

    owner_field = "assigned_to"

    title = models.CharField(max_length=200)
    public_slug = models.SlugField(max_length=120, editable=False)
    status = models.CharField(max_length=10, choices=OpeningStatus, default=OpeningStatus.DRAFT)
    status_reason = models.CharField(max_length=500, blank=True, default="", editable=False)
    description = models.TextField(blank=True, default="")
    requirements = models.TextField(blank=True, default="")
    benefits = models.TextField(blank=True, default="")
    client = TenantForeignKey(
        Client, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    department = models.CharField(max_length=100, blank=True, default="")
    family = models.CharField(max_length=100, blank=True, default="", help_text="Chooses the hiring process.")
    process = TenantForeignKey(HiringProcess, on_delete=models.PROTECT, related_name="+", db_index=False)
    city = models.CharField(max_length=100, blank=True, default="")
    state = models.CharField(max_length=50, blank=True, default="")
    country = models.CharField(max_length=2, blank=True, default="")
    remote_kind = models.CharField(max_length=10, choices=RemoteKind, default=RemoteKind.ONSITE)
    employment_type = models.CharField(max_length=20, choices=EmploymentType, default=EmploymentType.FULL_TIME)
    salary_min = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    salary_max = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="", help_text="ISO 4217.")
    salary_period = models.CharField(max_length=10, choices=SalaryPeriod, default=SalaryPeriod.YEAR)
    is_salary_public = models.BooleanField(default=False, help_text="Shown on the careers page.")
    experience_min = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True, help_text="Years.")
    experience_max = models.DecimalField(max_digits=4, decimal_places=1, null=True, blank=True, help_text="Years.")
    openings = models.PositiveSmallIntegerField(default=1, help_text="How many are to be hired.")
    priority = models.CharField(max_length=10, choices=OpeningPriority, default=OpeningPriority.NORMAL)
    apply_by = models.DateField(null=True, blank=True, help_text="The last day to apply.")
    fill_by = models.DateField(null=True, blank=True, help_text="When it is to be filled.")
    questions = models.JSONField(default=list, blank=True, help_text="Asked of applicants.")
    tags = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    is_public = models.BooleanField(default=False, help_text="Shown on the careers page while open.")
    opened_at = models.DateTimeField(null=True, editable=False, help_text="When it was first opened.")
    closed_at = models.DateTimeField(null=True, editable=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = JobOpeningManager()

    class Meta:
        db_table = "jobs"
        verbose_name = "job"
        constraints = [
            # Over all organizations: the address names none.
            models.UniqueConstraint(fields=["public_slug"], name="one_job_per_address"),
            models.UniqueConstraint(fields=["organization", "id", "process"], name="jobs_are_what_applications_say"),
            models.CheckConstraint(condition=~Q(title=""), name="job_has_title"),
            models.CheckConstraint(condition=Q(status__in=OpeningStatus.values), name="job_status_known"),
            models.CheckConstraint(
                condition=Q(status="draft") | Q(opened_at__isnull=False) | Q(status="cancelled"),
                name="job_opened_when_not_draft",
            ),
            models.CheckConstraint(condition=Q(openings__gte=1), name="job_has_openings"),
            models.CheckConstraint(
                condition=Q(salary_min__isnull=True) | Q(salary_max__isnull=True) | Q(salary_max__gte=F("salary_min")),
                name="job_salary_in_order",
            ),
            models.CheckConstraint(
                condition=Q(salary_min__isnull=True, salary_max__isnull=True) | ~Q(currency=""),
                name="job_salary_has_currency",
            ),
            models.CheckConstraint(
                condition=Q(experience_min__isnull=True)
                | Q(experience_max__isnull=True)
                | Q(experience_max__gte=F("experience_min")),
                name="job_experience_in_order",
            ),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-created_at", "-id"], name="jobs_newest", condition=Q(deleted_at__isnull=True)
            ),
            models.Index(
                fields=["organization", "status", "-created_at", "-id"],
                name="jobs_by_status",
                condition=Q(deleted_at__isnull=True),
            ),
            models.Index(fields=["organization", "client"], name="jobs_of_client", condition=Q(client__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def place(self) -> str:
        return ", ".join(filter(None, [self.city, self.state, self.country]))


class JobSkill(TenantRow):
    """A skill a job asks for or wishes. `folded` is its name as it is compared."""

    job = TenantForeignKey(JobOpening, on_delete=models.CASCADE, related_name="skills", db_index=False)
    name = models.CharField(max_length=100)
    folded = models.CharField(max_length=200)
    level = models.PositiveSmallIntegerField(choices=SkillLevel, default=SkillLevel.INTERMEDIATE)
    is_required = models.BooleanField(default=True)

    class Meta:
        db_table = "job_skills"
        ordering = ["-is_required", "-level", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "job", "folded"], name="one_job_skill_per_name"),
            models.CheckConstraint(condition=Q(level__gte=1, level__lte=5), name="job_skill_level_known"),
        ]

    def __str__(self) -> str:
        return self.name


class TeamRole(models.TextChoices):
    RECRUITER = "recruiter", "Recruiter"
    HIRING_MANAGER = "hiring_manager", "Hiring manager"
    COORDINATOR = "coordinator", "Coordinator"
    INTERVIEWER = "interviewer", "Interviewer"


class JobTeamMember(TenantRow):
    """A member of the organization who works on filling a job."""

    job = TenantForeignKey(JobOpening, on_delete=models.CASCADE, related_name="team", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    role = models.CharField(max_length=20, choices=TeamRole, default=TeamRole.RECRUITER)

    class Meta:
        db_table = "job_team_members"
        constraints = [
            models.UniqueConstraint(fields=["organization", "job", "user"], name="once_in_a_hiring_team"),
            models.CheckConstraint(condition=Q(role__in=TeamRole.values), name="team_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.job_id}"
