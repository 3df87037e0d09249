"""What was matched, by which model and weights, what was shown, and what a person then decided."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from contacts.models import Contact
from recruitment.models import CandidateProfile, JobOpening
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantModel, TenantRow


class MatchKind(models.TextChoices):
    CANDIDATES = "candidates", "Candidates for a job"
    JOBS = "jobs", "Jobs for a candidate"


class Match(TenantRow):
    """One question and how it was answered. It outlives the job; what it showed goes with the people it was about."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=10, choices=MatchKind)
    job = TenantForeignKey(JobOpening, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    profile = TenantForeignKey(CandidateProfile, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    # A free text itself is not kept: it may be somebody's CV.
    text_hash = models.CharField(max_length=64, blank=True, default="")
    filters = models.JSONField(default=dict)
    weights = models.JSONField(default=dict)
    title_weight = models.FloatField(default=0.5)
    threshold = models.PositiveSmallIntegerField(default=0)
    provider = models.CharField(max_length=30)
    model = models.CharField(max_length=60)
    model_version = models.CharField(max_length=20)
    rules_version = models.CharField(max_length=10)
    notice = models.CharField(max_length=200, blank=True, default="", help_text="What was out of order.")
    total = models.PositiveIntegerField(default=0, help_text="Results there were.")

    class Meta:
        db_table = "matches"
        verbose_name_plural = "matches"
        constraints = [models.CheckConstraint(condition=Q(kind__in=MatchKind.values), name="match_kind_known")]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="matches_newest"),
            models.Index(fields=["organization", "job"], name="matches_of_job", condition=Q(job__isnull=False)),
            models.Index(
                fields=["organization", "profile"], name="matches_of_profile", condition=Q(profile__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} on {self.created_at:%Y-%m-%d %H:%M}"


class Verdict(models.TextChoices):
    GOOD = "good", "Good match"
    BAD = "bad", "Bad match"


class MatchedPerson(TenantModel):
    """One result that was shown: its rank, score and factors, and what a person said of it.

    Nothing follows from a verdict but figures: no application is made, moved or rejected by it.
    """

    match = TenantForeignKey(Match, on_delete=models.CASCADE, related_name="results", db_index=False)
    rank = models.PositiveIntegerField()
    job = TenantForeignKey(JobOpening, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    profile = TenantForeignKey(CandidateProfile, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    contact = TenantForeignKey(Contact, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    score = models.DecimalField(max_digits=5, decimal_places=2)
    factors = models.JSONField(default=list)
    reason = models.TextField()
    verdict = models.CharField(max_length=5, choices=Verdict, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "match_results"
        verbose_name = "match result"
        constraints = [
            models.UniqueConstraint(fields=["organization", "match", "rank"], name="one_result_a_rank"),
            models.CheckConstraint(condition=Q(score__gte=0, score__lte=100), name="match_score_in_percent"),
            models.CheckConstraint(
                condition=Q(verdict="", decided_at__isnull=True) | ~Q(verdict="") & Q(decided_at__isnull=False),
                name="verdict_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="match_results_newest"),
            models.Index(fields=["organization", "profile"], name="match_results_of_profile"),
        ]

    def __str__(self) -> str:
        return f"{self.rank}. {self.score}"
