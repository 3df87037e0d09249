"""Forgotten and changed passwords."""

import logging
import smtplib
import uuid
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

from vocelio.audit.context import Actor, acting, current_actor, identify
from vocelio.errors import Invalid, TooMany
from vocelio.languages.mails import write_mail
from vocelio.users.models import PasswordReset, Session, User
from vocelio.users.services.attempts import InvalidCredentials, forgive_attempts, prove_password
from vocelio.users.services.sessions import end_sessions
from vocelio.users.services.trail import record_everywhere
from vocelio.users.tokens import hash_secret, make_secret

logger = logging.getLogger(__name__)

RESET_VALID_FOR = timedelta(hours=1)
# Mails to one address, and wishes from one caller, in an hour.
MAILS_PER_HOUR, WISHES_PER_HOUR = 5, 30


def check_new_password(password: str, *, user: User, field: str) -> None:
    """Raise Invalid with every objection of the validators, on the field that carried the password."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        problems = [
            {"field": field, "constraint": problem.code or "invalid", "message": message}
            for problem in error.error_list
            for message in problem.messages
        ]
        raise Invalid(problems[0]["message"], errors=problems) from None


def request_reset(*, email: str) -> None:
    """Note the wish and ring for the mail; what is done here is the same for known and unknown addresses."""
    actor = current_actor()
    email = email.strip().lower()
    lately = PasswordReset.objects.filter(created_at__gt=Now() - timedelta(hours=1))
    if actor.ip_address and lately.filter(ip_address=actor.ip_address).count() >= WISHES_PER_HOUR:
        raise TooMany(retry_after=600)
    if lately.filter(email=email).count() >= MAILS_PER_HOUR:
        return
    PasswordReset.objects.create(
        email=email, ip_address=actor.ip_address, user_agent=actor.user_agent[:300], request_id=actor.request_id
    )
    try:
        current_app.send_task("vocelio.users.tasks.send_password_resets", retry=False)
    except (BrokerError, OSError) as error:
        logger.warning("Queue unreachable, the mail waits for the schedule", extra={"error": str(error)})


def send_password_resets() -> int:
    """Mail a link for every wish that waits; return how many were sent. Two workers at once share the work."""
    waiting = PasswordReset.objects.filter(sent_at=None, created_at__gt=Now() - RESET_VALID_FOR)
    sent = 0
    for reset_id in waiting.order_by("created_at").values_list("pk", flat=True)[:500]:
        try:
            sent += _send_reset(reset_id)
        except (smtplib.SMTPException, OSError):
            logger.exception("Password mail not sent; the next run tries again", extra={"reset": str(reset_id)})
    return sent


def _send_reset(reset_id: uuid.UUID) -> bool:
    """Make the token and mail it, in one transaction; a wish for an unknown address is forgotten."""
    with transaction.atomic():
        reset = PasswordReset.objects.select_for_update(skip_locked=True).filter(pk=reset_id, sent_at=None).first()
        if reset is None:
            return False
        user = User.objects.filter(email=reset.email, is_active=True).first()
        if user is None:
            # Kept without the token: it still counts against a caller who asks too often.
            PasswordReset.objects.filter(pk=reset_id).update(sent_at=Now())
            return False
        secret, reset.token_hash = make_secret()
        reset.user, reset.sent_at = user, timezone.now()
        reset.expires_at = reset.sent_at + RESET_VALID_FOR
        reset.save(update_fields=["user", "token_hash", "sent_at", "expires_at"])
        with acting(
            Actor(ip_address=reset.ip_address, user_agent=reset.user_agent, request_id=reset.request_id, door="api")
        ):
            record_everywhere("password.reset_requested", user_id=user.id)
        link = f"{settings.FRONTEND_URL}/password-reset#token={secret}"
        write_mail(
            to=user.email,
            subject="Set a new Vocelio password",
            template="password_reset",
            context={"user": user, "link": link},
            user=user,
        )
    return True


def confirm_reset(*, token: str, password: str) -> None:
    """Set a new password by the token of the mail, once, and end all sessions of the person."""
    with transaction.atomic():
        usable = PasswordReset.objects.filter(
            token_hash=hash_secret(token), used_at=None, expires_at__gt=Now(), user__is_active=True
        )
        reset = usable.select_for_update(of=("self",)).select_related("user").first()
        if reset is None or reset.user is None:
            raise Invalid.field("token", "This link was used or has expired; ask for a new one.", constraint="expired")
        check_new_password(password, user=reset.user, field="password")
        identify(reset.user.id)
        set_password(user=reset.user, password=password)
        record_everywhere("password.reset", user_id=reset.user.id)
        forgive_attempts(email=reset.user.email)


def change_password(*, user_id: uuid.UUID, session_id: uuid.UUID | None, current: str, new: str) -> None:
    """Change the password of a person who proves the current one; end all their sessions but this."""
    user = User.objects.get(pk=user_id)
    try:
        prove_password(email=user.email, password=current)
    except InvalidCredentials:
        raise Invalid.field("currentPassword", "This is not your current password.", constraint="incorrect") from None
    check_new_password(new, user=user, field="newPassword")
    with transaction.atomic():
        set_password(user=user, password=new, keep_session=session_id)
        record_everywhere("password.changed", user_id=user.id)


def set_password(*, user: User, password: str, keep_session: uuid.UUID | None = None) -> None:
    """Store a password; end the person's sessions but the one to keep, and the links of unused mails."""
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        PasswordReset.objects.filter(user=user, used_at=None).update(used_at=Now())
        others = Session.objects.filter(user=user)
        if keep_session is not None:
            others = others.exclude(pk=keep_session)
        end_sessions(others, reason="password_changed")
