"""Scores of leads with the reasons, and how they have changed."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sales.models import SalesProfile
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantModel, TenantRow


class LeadScore(TenantModel):
    """How promising a lead is, 0 to 100, with what each factor adds: [{factor, points, most, reason}]."""

    owner_field = "profile__contact__assigned_to"

    profile = TenantForeignKey(SalesProfile, on_delete=models.CASCADE, related_name="+", db_index=False)
    score = models.PositiveSmallIntegerField()
    factors = models.JSONField(default=list)
    rules_version = models.CharField(max_length=10)
    scored_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "lead_scores"
        constraints = [
            models.UniqueConstraint(fields=["organization", "profile"], name="one_score_a_lead"),
            models.CheckConstraint(condition=Q(score__lte=100), name="lead_score_in_percent"),
        ]
        indexes = [models.Index(fields=["organization", "-score", "-id"], name="lead_scores_best")]

    def __str__(self) -> str:
        return f"{self.score}"


class LeadScoreEntry(TenantRow):
    """A score a lead had from a moment on; written when it changes and never changed itself."""

    owner_field = "profile__contact__assigned_to"

    profile = TenantForeignKey(SalesProfile, on_delete=models.CASCADE, related_name="+", db_index=False)
    scored_at = models.DateTimeField(db_default=Now(), editable=False)
    score = models.PositiveSmallIntegerField()
    factors = models.JSONField(default=list)
    rules_version = models.CharField(max_length=10)

    class Meta:
        db_table = "lead_score_history"
        constraints = [models.CheckConstraint(condition=Q(score__lte=100), name="lead_score_was_in_percent")]
        indexes = [models.Index(fields=["organization", "profile", "-scored_at"], name="lead_scores_over_time")]

    def __str__(self) -> str:
        return f"{self.score} on {self.scored_at:%Y-%m-%d}"
