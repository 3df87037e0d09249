"""Who gets a lead that nobody was named for."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from vocelio.organizations.models import TenantModel


class AssignmentRule(TenantModel):
    """Leads that meet the criteria go to the members in turn; of several rules that fit, the first by position.

    `criteria` holds lists of accepted values by field (source, country, state, city, industry), upper and lower
    case alike; all must be met, none means every lead.
    """

    name = models.CharField(max_length=100)
    position = models.PositiveIntegerField(default=0)
    criteria = models.JSONField(default=dict, blank=True)
    members = ArrayField(models.UUIDField(), default=list)
    is_active = models.BooleanField(default=True)
    turn = models.BigIntegerField(default=0, editable=False, help_text="How many leads it has given out.")

    class Meta:
        db_table = "assignment_rules"
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="one_assignment_rule_per_name"),
            models.CheckConstraint(condition=~Q(members=[]), name="assignment_rule_has_members"),
        ]
        indexes = [models.Index(fields=["organization", "position"], name="assignment_rules_in_order")]

    def __str__(self) -> str:
        return self.name
