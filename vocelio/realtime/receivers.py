"""Hears who may listen no more, or to other things."""

import uuid
from typing import Any

from django.contrib.auth.signals import user_logged_out
from django.dispatch import receiver

from vocelio.realtime.rights import rights_changed
from vocelio.users.models import User
from vocelio.users.signals import access_changed, session_ended


@receiver(session_ended)
def recheck_person(user_id: uuid.UUID, **kwargs: Any) -> None:
    rights_changed(user_id=user_id)


@receiver(access_changed)
def recheck_member(user_id: uuid.UUID, organization_id: uuid.UUID, **kwargs: Any) -> None:
    rights_changed(user_id=user_id, organization_id=organization_id)


@receiver(user_logged_out)
def recheck_staff(user: User | None, **kwargs: Any) -> None:
    """Look again at sockets that pages of the back office have open."""
    if user is not None:
        rights_changed(user_id=user.pk)
