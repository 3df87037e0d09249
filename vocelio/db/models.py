"""What the kernel remembers of itself."""

from django.db import models


class ScheduleTick(models.Model):
    """When a scheduled task last ran; one row a schedule, claimed by once_per()."""

    schedule = models.CharField(max_length=200, primary_key=True)
    ticked_at = models.DateTimeField()

    class Meta:
        db_table = "schedule_ticks"

    def __str__(self) -> str:
        return self.schedule


class OutgoingHold(models.Model):
    """There while nothing may leave the installation, at most one row: see holds.py."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    held_at = models.DateTimeField()
    # The state that was restored; what was due between then and `held_at` may have left already.
    taken_at = models.DateTimeField()
    reason = models.CharField(max_length=500)

    class Meta:
        db_table = "outgoing_holds"
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_outgoing_hold")]

    def __str__(self) -> str:
        return self.reason
