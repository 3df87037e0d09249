"""The second step of logging in: codes of an authenticator app, and recovery codes for who lost theirs."""

import base64
import secrets
import uuid
from dataclasses import dataclass

import pyotp
import segno
from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from vocelio.crypto.envelope import seal, unseal
from vocelio.errors import Conflict, Invalid, Unauthorized
from vocelio.organizations.models import Membership, SecondFactorRule
from vocelio.organizations.platform import platform_organization
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import RecoveryCode, SecondFactor, Session, User
from vocelio.users.services.attempts import admit, prove_password
from vocelio.users.services.sessions import end_sessions
from vocelio.users.services.trail import record_everywhere
from vocelio.users.tokens import hash_secret

STEP_SECONDS = 30
# Clocks differ: the code before and the one after count too.
TOLERANCE = 1
RECOVERY_CODES = 10


class InvalidCode(Unauthorized):
    code = "INVALID_CODE"
    message = "The code is wrong, was used before or has expired."


class SecondFactorOn(Conflict):
    code = "TOTP_ENABLED"
    message = "Two-step log-in is on already; turn it off first."


class SecondFactorOff(Conflict):
    code = "TOTP_DISABLED"
    message = "Two-step log-in is not on."


class SecondFactorRequired(Conflict):
    code = "TOTP_REQUIRED_BY_ORGANIZATION"
    message = "An organization you belong to requires two-step log-in."


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator app is told, shown this one time."""

    secret: str
    otpauth_uri: str
    # An SVG picture as a data URI.
    qr_code: str


@dataclass(frozen=True)
class Standing:
    """Whether a person logs in in two steps, and whether they must."""

    is_enabled: bool
    is_required: bool
    recovery_codes_left: int


def has_second_factor(user_id: uuid.UUID) -> bool:
    """Say whether logging in asks this person for a code."""
    return SecondFactor.objects.filter(user_id=user_id, confirmed_at__isnull=False).exists()


def standing(user_id: uuid.UUID) -> Standing:
    return Standing(
        is_enabled=has_second_factor(user_id),
        is_required=is_required(user_id),
        recovery_codes_left=RecoveryCode.objects.filter(user_id=user_id, used_at=None).count(),
    )


def is_required(user_id: uuid.UUID) -> bool:
    """Say whether an organization of this person asks for a second step, be it for the back office alone."""
    mine = Membership.objects.active().filter(user_id=user_id)
    return mine.exclude(organization__second_factor=SecondFactorRule.OPTIONAL).exists()


def begin_enrolment(user: User) -> Enrolment:
    """Return a new secret for the person's app; nothing changes until `confirm_enrolment`. Raise SecondFactorOn."""
    secret = pyotp.random_base32()
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if has_second_factor(user.pk):
            raise SecondFactorOn
        SecondFactor.objects.update_or_create(
            user=user, defaults={"secret": _sealed(secret, user.pk), "last_step": 0, "created_at": Now()}
        )
        record_everywhere("second_factor.enrolment_begun", user_id=user.pk)
    return _enrolment(user, secret)


def pending_enrolment(user: User) -> Enrolment:
    """Return the enrolment begun and not confirmed yet, to show it once more; else begin one."""
    factor = SecondFactor.objects.filter(user=user, confirmed_at=None).first()
    return _enrolment(user, _unsealed(factor)) if factor else begin_enrolment(user)


def confirm_enrolment(user: User, code: str, *, keep_session: uuid.UUID | None = None) -> list[str]:
    """Switch two-step log-in on by the first code of the app; return recovery codes, never shown again.

    Sessions begun by password alone end, but for the one to keep, which counts as proven from now on.
    Raise InvalidCode, SecondFactorOn. Call it outside any transaction: guesses are counted although refused.
    """
    attempt = admit(_guessed(user), user)
    with transaction.atomic():
        factor = SecondFactor.objects.select_for_update().filter(user=user).first()
        if factor is not None and factor.confirmed_at is not None:
            raise SecondFactorOn
        if factor is None or not _accept(factor, code):
            raise InvalidCode
        attempt.delete()
        SecondFactor.objects.filter(pk=user.pk).update(confirmed_at=Now())
        if keep_session is not None:
            Session.objects.filter(pk=keep_session, user=user).update(has_second_factor=True)
        end_sessions(Session.objects.filter(user=user, has_second_factor=False), reason="second_factor_enabled")
        record_everywhere("second_factor.enabled", user_id=user.pk)
        return _new_recovery_codes(user)


def prove_code(user: User, code: str) -> None:
    """Take a code of the app or a recovery code, once; raise InvalidCode, or TooMany before it is looked at.

    Call it outside any transaction that may roll back, as `prove_password`.
    """
    attempt = admit(_guessed(user), user)
    with transaction.atomic():
        factor = SecondFactor.objects.filter(user=user, confirmed_at__isnull=False).select_for_update().first()
        if factor is not None and (_accept(factor, code) or _use_recovery_code(user, code)):
            attempt.delete()
            return
        record_everywhere("second_factor.refused", user_id=user.pk)
    raise InvalidCode


def replace_recovery_codes(user: User, *, password: str, code: str) -> list[str]:
    """Return new recovery codes, which end those before, to a person who proves password and code."""
    _prove_both(user, password, code)
    with transaction.atomic():
        record_everywhere("second_factor.recovery_codes_replaced", user_id=user.pk)
        return _new_recovery_codes(user)


def disable_second_factor(user: User, *, password: str, code: str) -> None:
    """Switch two-step log-in off for a person who proves password and code; raise SecondFactorRequired."""
    if is_required(user.pk):
        raise SecondFactorRequired
    _prove_both(user, password, code)
    with transaction.atomic():
        record_everywhere("second_factor.disabled", user_id=user.pk)
        remove_second_factor(user)


def remove_second_factor(user: User) -> None:
    """Forget app and recovery codes; the caller has judged that it may be, and records it."""
    RecoveryCode.objects.filter(user=user).delete()
    SecondFactor.objects.filter(user=user).delete()


def _prove_both(user: User, password: str, code: str) -> None:
    if not has_second_factor(user.pk):
        raise SecondFactorOff
    confirm_password(user, password)
    try:
        prove_code(user, code)
    except InvalidCode:
        raise Invalid.field("code", InvalidCode.message, constraint="incorrect") from None


def confirm_password(user: User, password: str, *, field: str = "password") -> None:
    """Let a signed-in person prove that it is still them; raise Invalid on the field."""
    try:
        prove_password(email=user.email, password=password)
    except Unauthorized:
        raise Invalid.field(field, "This is not your current password.", constraint="incorrect") from None


def _enrolment(user: User, secret: str) -> Enrolment:
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=settings.TOTP_ISSUER)
    return Enrolment(secret, uri, segno.make(uri, error="m").svg_data_uri(scale=4))


def _guessed(user: User) -> str:
    """Return the name under which guesses at codes count, apart from those at the password."""
    return f"{user.email} second step"


def _accept(factor: SecondFactor, code: str) -> bool:
    """Accept a code of a time step later than the last one's; the row is locked by the caller."""
    digits = code.replace(" ", "")
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return False
    totp = pyotp.TOTP(_unsealed(factor))
    now = int(timezone.now().timestamp()) // STEP_SECONDS
    for step in range(max(now - TOLERANCE, factor.last_step + 1), now + TOLERANCE + 1):
        if pyotp.utils.strings_equal(totp.generate_otp(step), digits):
            SecondFactor.objects.filter(pk=factor.pk).update(last_step=step)
            return True
    return False


def _use_recovery_code(user: User, code: str) -> bool:
    typed = "".join(character for character in code.upper() if character.isalnum())
    unused = RecoveryCode.objects.filter(user=user, code_hash=hash_secret(typed), used_at=None)
    if not unused.update(used_at=Now()):
        return False
    record_everywhere("second_factor.recovery_code_used", user_id=user.pk)
    return True


def _new_recovery_codes(user: User) -> list[str]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = [base64.b32encode(secrets.token_bytes(10)).decode() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create([RecoveryCode(user=user, code_hash=hash_secret(code)) for code in codes])
    return ["-".join(code[start : start + 4] for start in range(0, 16, 4)) for code in codes]


def _place(user_id: uuid.UUID) -> str:
    return f"second_factors|secret|{user_id}"


def _sealed(secret: str, user_id: uuid.UUID) -> str:
    # People belong to several organizations, so their secrets are sealed with the platform's key.
    with organization_scope(platform_organization().pk):
        return seal(secret, _place(user_id))


def _unsealed(factor: SecondFactor) -> str:
    with organization_scope(platform_organization().pk):
        return unseal(factor.secret, _place(factor.pk))
