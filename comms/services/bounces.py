"""Addresses that bounced: write to them again."""

from comms.models import BouncedAddress
from vocelio.audit.services import record


def forget_bounce(row: BouncedAddress) -> None:
    """Forget that an address bounced, so that it is written to again."""
    BouncedAddress.objects.filter(pk=row.pk).delete()
    record("bounce.forgotten", "bouncedaddress", row.pk)
