"""Delete what sign-ins leave behind once nothing depends on it."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from vocelio.users.models import LoginAttempt, PasswordReset, RefreshToken, Session, SingleSignOnCode
from vocelio.users.services.attempts import ADDRESS_KNOWN_FOR


def purge_sign_ins() -> int:
    """Delete attempts and resets of yesterday, and sessions that ended before addresses are forgotten."""
    over = Q(ended_at__lt=Now() - ADDRESS_KNOWN_FOR) | Q(expires_at__lt=Now() - ADDRESS_KNOWN_FOR)
    purged = [
        LoginAttempt.objects.filter(created_at__lt=Now() - timedelta(days=1)),
        PasswordReset.objects.filter(created_at__lt=Now() - timedelta(days=1)),
        # A token used this long ago is refused as unknown instead of as replayed: refused all the same.
        RefreshToken.objects.filter(used_at__lt=Now() - timedelta(days=30)),
        Session.objects.filter(over),
        SingleSignOnCode.objects.filter(expires_at__lt=Now()),
    ]
    return sum(rows.delete()[0] for rows in purged)
