"""Logging in by password, in one step or two.

login -> tokens
login -> TOTP_REQUIRED, challenge -> login/totp (challenge, code) -> tokens
login -> TOTP_ENROLMENT_REQUIRED, challenge -> login/totp/enrol (challenge) -> login/totp (challenge, code) -> tokens
"""

import uuid
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.utils.crypto import constant_time_compare

from vocelio.audit.context import identify
from vocelio.errors import Unauthorized
from vocelio.users.models import User
from vocelio.users.services.attempts import prove_password
from vocelio.users.services.second_factor import (
    Enrolment,
    begin_enrolment,
    confirm_enrolment,
    has_second_factor,
    prove_code,
)
from vocelio.users.services.sessions import NeedsSecondFactor, Tokens, start_session
from vocelio.users.services.trail import record_everywhere

CHALLENGE_SECONDS = 300
_SALT = "vocelio.second-step"


class TotpRequired(Unauthorized):
    """The password is right; `challenge` goes with the code to the second step."""

    code = "TOTP_REQUIRED"
    message = "Enter the code of your authenticator app."

    def __init__(self, challenge: str) -> None:
        super().__init__(challenge=challenge, expiresIn=CHALLENGE_SECONDS)


class TotpEnrolmentRequired(TotpRequired):
    """The password is right, and the organization lets nobody in by it alone."""

    code = "TOTP_ENROLMENT_REQUIRED"
    message = "Your organization requires two-step log-in; set it up to go on."


class ChallengeExpired(Unauthorized):
    code = "CHALLENGE_EXPIRED"
    message = "This log-in took too long or is over; begin anew."


@dataclass(frozen=True)
class Entry:
    """Tokens, and recovery codes where the second step was set up on the way."""

    tokens: Tokens
    recovery_codes: list[str] | None = None


def sign_in(*, email: str, password: str, organization_id: uuid.UUID | None = None) -> Tokens:
    """Start a session by password; without a choice in the organization used last, else the first joined.

    Raise TotpRequired for a person who logs in in two steps, TotpEnrolmentRequired for one who has to begin to.
    """
    return enter(prove_password(email=email, password=password), organization_id)


def enter(user: User, organization_id: uuid.UUID | None) -> Tokens:
    """Start a session of a person whose password was just proven, or raise what the second step needs."""
    if has_second_factor(user.pk):
        record_everywhere("login.second_step_asked", user_id=user.pk)
        raise TotpRequired(make_challenge(user, organization_id))
    try:
        return start_session(user=user, organization_id=organization_id)
    except NeedsSecondFactor:
        record_everywhere("login.enrolment_asked", user_id=user.pk)
        raise TotpEnrolmentRequired(make_challenge(user, organization_id)) from None


def enrol_at_sign_in(*, challenge: str) -> Enrolment:
    """Return the secret for the app of a person in the middle of logging in; raise SecondFactorOn."""
    user, _ = read_challenge(challenge)
    return begin_enrolment(user)


def sign_in_by_code(*, challenge: str, code: str) -> Entry:
    """Finish a log-in by a code of the app, which the first time switches the second step on, or a recovery code."""
    user, organization_id = read_challenge(challenge)
    recovery_codes = pass_second_step(user, code)
    return Entry(start_session(user=user, organization_id=organization_id, has_second_factor=True), recovery_codes)


def pass_second_step(user: User, code: str) -> list[str] | None:
    """Prove the code; return new recovery codes when it was the first. Raise InvalidCode, TooMany."""
    if has_second_factor(user.pk):
        prove_code(user, code)
        return None
    return confirm_enrolment(user, code)


def make_challenge(user: User, organization_id: uuid.UUID | None = None) -> str:
    """Return what proves for some minutes that this person's password was right; a changed password voids it."""
    content = [str(user.pk), str(organization_id or ""), user.get_session_auth_hash()]
    return signing.dumps(content, salt=_SALT)


def read_challenge(challenge: str) -> tuple[User, uuid.UUID | None]:
    """Return the person and the organization they chose, and act in their name; raise ChallengeExpired."""
    try:
        content: Any = signing.loads(challenge, salt=_SALT, max_age=CHALLENGE_SECONDS)
    except signing.BadSignature:
        raise ChallengeExpired from None
    user = User.objects.filter(pk=content[0], is_active=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), content[2]):
        raise ChallengeExpired
    identify(user.pk)
    return user, uuid.UUID(content[1]) if content[1] else None
