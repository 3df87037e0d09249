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
