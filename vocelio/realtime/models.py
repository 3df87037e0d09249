"""What happened, in order: each organization's events, kept so that a client can catch up after a lost connection."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from vocelio.organizations.models import Organization, TenantRow


class EventHead(models.Model):
    """The number of an organization's latest event. Locked while a unit of work commits, so numbers have no gaps."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, primary_key=True)
    sequence = models.BigIntegerField(default=0)

    class Meta:
        db_table = "event_heads"

    def __str__(self) -> str:
        return str(self.sequence)


class Event(TenantRow):
    """One message to the sockets that subscribed to its topic.

    `key` narrows it, e.g. to one job; `owners` are the users responsible for the record it tells of,
    empty for nobody's record, null when it is not about one record.
    """

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sequence = models.BigIntegerField()
    topic = models.CharField(max_length=40)
    key = models.CharField(max_length=60, blank=True)
    type = models.CharField(max_length=40)
    data = models.JSONField()
    owners = ArrayField(models.UUIDField(), null=True)

    class Meta:
        db_table = "events"
        # Within a day's partition; beyond, the lock of the head keeps numbers from coming twice.
        constraints = [models.UniqueConstraint(fields=["organization", "sequence"], name="one_event_per_sequence")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.type}"
