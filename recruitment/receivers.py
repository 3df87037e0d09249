"""Facts of the installation that recruitment acts on."""

from typing import Any

from django.dispatch import receiver

from recruitment.services.applications import leave_unmailed
from vocelio.db.models import OutgoingHold
from vocelio.operations.signals import leaving_in_doubt


@receiver(leaving_in_doubt)
def leave_rejections(sender: Any, hold: OutgoingHold, **kwargs: Any) -> dict[str, int]:
    """Mail no rejection that the installation before the restore may have mailed."""
    return {"rejections (not mailed)": leave_unmailed(hold.held_at)}
