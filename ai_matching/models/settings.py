"""How an organization matches, and what that has cost."""

from decimal import Decimal

from django.db import models
from django.db.models import Q

from vocelio.languages.translate import translated
from vocelio.organizations.models import TenantModel, TenantRow


class AiSettings(TenantModel):
    """One row an organization, made when first changed.

    `weights` holds what each factor of a match counts; those not named count as usual. `answering` is the embedder
    whose vectors searches use while another one, chosen later, is still at work on the same subjects.
    """

    weights = models.JSONField(default=dict, blank=True)
    title_weight = models.FloatField(
        default=0.4, help_text="What the likeness of titles counts, from 0 to 1; the rest is that of the texts."
    )
    threshold = models.PositiveSmallIntegerField(default=0, help_text="Results below this score are not shown.")
    provider = models.CharField(max_length=30, blank=True, default="", help_text="Empty: the best that is ready.")
    answering = models.CharField(max_length=30, blank=True, default="", editable=False)
    monthly_budget = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        default=Decimal(10),
        help_text="US dollars a calendar month; then texts stay here.",
    )
    may_send_contacts = models.BooleanField(
        default=False, help_text="Whether enrichment may ask OpenAI about a contact."
    )

    class Meta:
        db_table = "ai_settings"
        verbose_name = "matching settings"
        verbose_name_plural = "matching settings"
        constraints = [
            models.UniqueConstraint(fields=["organization"], name="one_ai_settings"),
            models.CheckConstraint(
                condition=Q(title_weight__gte=0, title_weight__lte=1), name="ai_title_weight_is_a_share"
            ),
            models.CheckConstraint(condition=Q(threshold__lte=100), name="ai_threshold_in_percent"),
            models.CheckConstraint(condition=Q(monthly_budget__gte=0), name="ai_budget_not_negative"),
        ]

    def __str__(self) -> str:
        return translated("Matching settings")


class Purpose(models.TextChoices):
    EMBEDDING = "embedding", "Embeddings"
    ENRICHMENT = "enrichment", "Enrichment"


class AiUsage(TenantRow):
    """What one day's work by one model took."""

    day = models.DateField()
    purpose = models.CharField(max_length=15, choices=Purpose)
    provider = models.CharField(max_length=30)
    model = models.CharField(max_length=60)
    requests = models.PositiveIntegerField(default=0)
    texts = models.PositiveIntegerField(default=0)
    tokens = models.PositiveBigIntegerField(default=0)
    cost = models.DecimalField(max_digits=18, decimal_places=9, default=Decimal(0), help_text="US dollars.")

    class Meta:
        db_table = "ai_usage"
        verbose_name = "use of models"
        verbose_name_plural = "use of models"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "day", "purpose", "provider", "model"], name="one_ai_usage_a_day"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.provider}"
