"""What candidates can, and how they are found by it."""

from typing import Any

from django.db import models

from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantRow


class SkillLevel(models.IntegerChoices):
    BEGINNER = 1, "Beginner"
    BASIC = 2, "Basic"
    INTERMEDIATE = 3, "Intermediate"
    ADVANCED = 4, "Advanced"
    EXPERT = 5, "Expert"


def fold(name: str) -> str:
    """Return a skill's name as it is compared."""
    return " ".join(name.split()).casefold()


class CandidateSkill(TenantRow):
    """One skill of a candidate. `folded` is its name as it is compared."""

    profile = TenantForeignKey(
        "recruitment.CandidateProfile", on_delete=models.CASCADE, related_name="skills", db_index=False
    )
    name = models.CharField(max_length=100)
    folded = models.CharField(max_length=200)
    level = models.PositiveSmallIntegerField(choices=SkillLevel, default=SkillLevel.INTERMEDIATE)
    years = models.DecimalField(max_digits=4, decimal_places=1, default=0)

    class Meta:
        db_table = "candidate_skills"
        ordering = ["-level", "-years", "name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "profile", "folded"], name="one_skill_per_name"),
            models.CheckConstraint(condition=models.Q(level__gte=1, level__lte=5), name="candidate_skill_level_known"),
        ]
        indexes = [models.Index(fields=["organization", "folded", "profile"], name="candidates_with_skill")]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def named(cls, name: str, level: int = 1, years: float = 0) -> "models.QuerySet[Any]":
        """Return skills of this name, mastered at least so well and for so long; upper and lower case are alike."""
        rows: models.QuerySet[Any] = cls.objects.filter(folded=fold(name), level__gte=level, years__gte=years)
        return rows
