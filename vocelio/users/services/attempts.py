"""Prove a password, and limit the guesses without letting a stranger lock the owner out.

At most 10 wrong guesses in 15 minutes for an account from one address, and 50 an hour for an account from
anywhere; the second limit does not hold where the person signed in before. Counted in PostgreSQL, so it also holds
while Redis is down.
"""

import ipaddress
import logging
import math
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import authenticate
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.crypto import salted_hmac

from vocelio.audit.context import current_actor, identify
from vocelio.errors import TooMany, Unauthorized
from vocelio.users.models import LoginAttempt, Session, User
from vocelio.users.services.trail import record_everywhere

logger = logging.getLogger(__name__)

PER_ADDRESS, PER_ADDRESS_WINDOW = 10, timedelta(minutes=15)
PER_ACCOUNT, PER_ACCOUNT_WINDOW = 50, timedelta(hours=1)
# An address counts as the person's own for this long after a sign-in from it.


class InvalidCredentials(Unauthorized):
    code = "INVALID_CREDENTIALS"
    message = "The e-mail address or the password is wrong."


def prove_password(*, email: str, password: str) -> User:
    """Return the enabled person of this address and password, and act in their name from now on.

    Raise InvalidCredentials, or TooMany before the password is looked at. The attempt is committed first, so
    parallel guesses cannot outrun the count; call it outside any transaction that may roll back.
    """
    email = email.strip().lower()
    known = User.objects.filter(email=email).first()
    attempt = admit(email, known)
    user = authenticate(username=email, password=password)
    if not isinstance(user, User):
        if known is None:
            logger.info("Log-in refused: unknown address", extra={"account": attempt.account[:12]})
        else:
            record_everywhere("login.failed", user_id=known.id)
        raise InvalidCredentials
    LoginAttempt.objects.filter(account=attempt.account, network=attempt.network).delete()
    identify(user.id)
    return user


def forgive_attempts(*, email: str) -> None:
    """Forget the wrong guesses at an account, after its owner proved themselves in another way."""
    LoginAttempt.objects.filter(account=account_key(email)).delete()


def account_key(email: str) -> str:
    """Return what attempts at this address are counted under; it does not tell the address."""
    return salted_hmac("vocelio.login_attempts", email.strip().lower(), algorithm="sha256").hexdigest()


def caller_network() -> str:
    """Return the caller's address; of IPv6 the /64, since one customer holds all of it."""
    address = current_actor().ip_address
    if address is None:
        return ""
    parsed = ipaddress.ip_address(address)
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((address, 64), strict=False))


def admit(account: str, user: User | None) -> LoginAttempt:
    """Note an attempt, to be deleted once it proves right; raise TooMany when a limit was reached before it."""
    attempt = LoginAttempt.objects.create(account=account_key(account), network=caller_network())
    others = LoginAttempt.objects.filter(account=attempt.account).exclude(pk=attempt.pk)
    wait = _wait(others.filter(network=attempt.network), PER_ADDRESS, PER_ADDRESS_WINDOW)
    if not (user and _is_known_network(user, attempt.network)):
        wait = max(wait, _wait(others, PER_ACCOUNT, PER_ACCOUNT_WINDOW))
    if wait > 0:
        attempt.delete()
        logger.warning("Log-in throttled", extra={"account": attempt.account[:12], "retry_after": wait})
        raise TooMany(retry_after=wait)
    return attempt


def _wait(attempts: QuerySet[LoginAttempt], limit: int, window: timedelta) -> int:
    """Return for how many seconds this many attempts stand in the way; 0 when one more is within the limit."""
    recent = attempts.filter(created_at__gt=Now() - window).order_by("-created_at")
    decisive = recent.values_list("created_at", flat=True)[limit - 1 : limit].first()
    if decisive is None:
        return 0
    return max(1, math.ceil((decisive + window - timezone.now()).total_seconds()))


def _is_known_network(user: User, network: str) -> bool:
    """Say whether the person signed in from there lately."""
    if not network:
        return False
    recent = Session.objects.filter(user=user, created_at__gt=Now() - settings.RETENTION["sessions"])
    return recent.extra(where=["ip_address <<= %s::inet"], params=[network]).exists()
