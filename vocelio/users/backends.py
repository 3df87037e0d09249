"""Sign in by e-mail address and password."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from vocelio.users.models import User


class EmailBackend(ModelBackend):
    """Case-insensitive; an unknown address costs as much time as a wrong password."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        email = username or kwargs.get("email") or ""
        if password is None:
            return None
        user = User.objects.filter(email=email.strip().lower()).first()
        if user is None:
            make_password(password)
            return None
        return user if user.check_password(password) and self.user_can_authenticate(user) else None
