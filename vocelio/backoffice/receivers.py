"""Put sign-ins and sign-outs of the back office on record."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver

from vocelio.users.models import User
from vocelio.users.services.trail import record_everywhere


@receiver(user_logged_in)
def record_sign_in(sender: Any, user: User, **kwargs: Any) -> None:
    record_everywhere("login.succeeded", user_id=user.pk)


@receiver(user_logged_out)
def record_sign_out(sender: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        record_everywhere("logout.succeeded", user_id=user.pk)
