"""Delete what sign-ins leave behind once nothing depends on it."""

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from vocelio.users.models import LoginAttempt, PasswordReset, RefreshToken, Session, SingleSignOnCode


def purge_sign_ins() -> int:
    """Delete attempts and resets of yesterday, and sessions that ended before addresses are forgotten."""
    over = Q(ended_at__lt=Now() - settings.RETENTION["sessions"]) | Q(
        expires_at__lt=Now() - settings.RETENTION["sessions"]
    )
    purged = [
        LoginAttempt.objects.filter(created_at__lt=Now() - settings.RETENTION["login_attempts"]),
        PasswordReset.objects.filter(created_at__lt=Now() - settings.RETENTION["login_attempts"]),
        # A token used this long ago is refused as unknown instead of as replayed: refused all the same.
        RefreshToken.objects.filter(used_at__lt=Now() - settings.RETENTION["used_refresh_tokens"]),
        Session.objects.filter(over),
        SingleSignOnCode.objects.filter(expires_at__lt=Now()),
    ]
    return sum(rows.delete()[0] for rows in purged)
