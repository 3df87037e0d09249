"""Disable and enable a person everywhere: the platform operator's means, used by the back office."""

from django.db import transaction

from vocelio.users.models import Session, User
from vocelio.users.services.second_factor import remove_second_factor
from vocelio.users.services.sessions import end_sessions
from vocelio.users.services.trail import record_everywhere


def disable_user(*, user: User) -> User:
    """Shut the person out of every organization; their sessions end at once."""
    with transaction.atomic():
        record_everywhere("user.disabled", user_id=user.id)
        user.is_active = False
        user.save(update_fields=["is_active"])
        end_sessions(Session.objects.filter(user=user), reason="user_disabled")
    return user


def enable_user(*, user: User) -> User:
    """Let the person sign in again."""
    with transaction.atomic():
        user.is_active = True
        user.save(update_fields=["is_active"])
        record_everywhere("user.enabled", user_id=user.id)
    return user


def operator_resets_second_factor(user: User) -> None:
    """Switch somebody's two-step log-in off in every organization; their sessions end at once."""
    with transaction.atomic():
        record_everywhere("second_factor.reset", user_id=user.pk)
        remove_second_factor(user)
        end_sessions(Session.objects.filter(user=user), reason="second_factor_reset")


def set_preferences(*, user: User, **changes: str) -> User:
    """Change a person's own name, language or time zone; empty leaves it to organization and browser."""
    for name, value in changes.items():
        setattr(user, name, value)
    with transaction.atomic():
        user.save(update_fields=list(changes))
        record_everywhere("user.preferences_changed", user_id=user.pk, fields=sorted(changes))
    return user
