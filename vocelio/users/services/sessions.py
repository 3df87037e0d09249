"""Sign in, keep the session alive, end it."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max, Q
from django.db.models.functions import Now
from django.utils import timezone

from vocelio.access.principal import principal_of_session
from vocelio.access.roles import PERMISSIONS
from vocelio.audit.context import current_actor, identify
from vocelio.audit.services import record
from vocelio.errors import Forbidden, Unauthorized, VocelioError
from vocelio.organizations.models import Membership, SecondFactorRule
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import RefreshToken, Session, SessionQuerySet, User
from vocelio.users.services.attempts import InvalidCredentials
from vocelio.users.services.trail import record_everywhere
from vocelio.users.signals import session_ended
from vocelio.users.tokens import hash_secret, make_access_token, make_secret


class NoOrganization(Forbidden):
    code = "NO_ORGANIZATION"
    message = "You do not belong to any organization."


class NotAMember(Forbidden):
    code = "NOT_A_MEMBER"
    message = "You do not belong to this organization."


class SsoRequired(Forbidden):
    """`organizationSlug` names the organization for `/auth/oidc/{slug}/start`."""

    code = "SSO_REQUIRED"
    message = "This organization logs in by its identity provider, not by password."


class NeedsSecondFactor(Forbidden):
    code = "SECOND_FACTOR_REQUIRED"
    message = "This organization requires two-step log-in; log in anew."


class SessionEnded(Unauthorized):
    code = "SESSION_ENDED"
    message = "The session has ended; sign in again."


class InvalidRefreshToken(Unauthorized):
    code = "INVALID_REFRESH_TOKEN"
    message = "The refresh token is not valid; sign in again."


@dataclass(frozen=True)
class Tokens:
    """What a signed-in client holds, and the membership it acts by."""

    access_token: str
    refresh_token: str
    expires_in: int
    membership: Membership


def start_session(
    *,
    user: User,
    organization_id: uuid.UUID | None = None,
    has_second_factor: bool = False,
    sso_organization_id: uuid.UUID | None = None,
) -> Tokens:
    """Start a session of a person who has proven themselves, in the organization chosen, used last or joined first.

    `has_second_factor` says that they proved a code besides the password, `sso_organization_id` that an
    identity provider vouches for them. Raise NoOrganization or NotAMember, and NeedsSecondFactor or SsoRequired
    where none of the organizations lets in who proved no more.
    """
    memberships = (
        Membership.objects.active()
        .filter(user=user)
        .select_related("user", "organization")
        .annotate(
            last_used_at=Max("user__sessions__last_used_at", filter=Q(user__sessions__organization=F("organization")))
        )
        .order_by(F("last_used_at").desc(nulls_last=True), "created_at", "id")
    )
    candidates = list(memberships.filter(organization_id=organization_id) if organization_id else memberships)
    if not candidates:
        record_everywhere("login.refused", user_id=user.id)
        raise NotAMember if organization_id else NoOrganization
    refusals = [
        refusal(candidate, has_second_factor=has_second_factor, sso_organization_id=sso_organization_id)
        for candidate in candidates
    ]
    membership = next((found for found, reason in zip(candidates, refusals, strict=True) if reason is None), None)
    if membership is None:
        record_everywhere("login.refused", user_id=user.id)
        raise next(reason for reason in refusals if reason is not None)
    actor = current_actor()
    with organization_scope(membership.organization_id):
        # A password changed since it was proven has ended all sessions; this one must not slip past that.
        alike = User.objects.filter(pk=user.pk, password=user.password, is_active=True)
        if not alike.update(last_login=Now()):
            raise InvalidCredentials
        session = Session.objects.create(
            user=user,
            organization_id=membership.organization_id,
            ip_address=actor.ip_address,
            user_agent=actor.user_agent[:300],
            expires_at=_expiry(),
            has_second_factor=has_second_factor,
            sso_organization_id=sso_organization_id,
        )
        record("login.succeeded", "session", session.id)
        return _issue(session.id, membership)


def refusal(
    membership: Membership, *, has_second_factor: bool, sso_organization_id: uuid.UUID | None
) -> VocelioError | None:
    """Return why a session of this proof does not open the membership's organization; None when it does.

    The same rule as in `principal_of_session`, with the reason.
    """
    organization = membership.organization
    if sso_organization_id is not None:
        return None if sso_organization_id == organization.pk else NotAMember()
    if organization.requires_sso and not membership.is_break_glass:
        return SsoRequired(organizationSlug=organization.slug)
    if organization.second_factor == SecondFactorRule.EVERYONE and not has_second_factor:
        return NeedsSecondFactor()
    return None


def refresh_session(*, refresh_token: str) -> Tokens:
    """Trade a refresh token for new tokens, once; a second use is taken for theft and ends the session."""
    token_hash = hash_secret(refresh_token)
    with transaction.atomic():
        session_id = _consume(token_hash)
        if session_id is not None:
            session = Session.objects.get(pk=session_id)
            membership = _membership(session.user_id, session.organization_id)
            kept = Session.objects.live().filter(pk=session_id).update(last_used_at=Now(), expires_at=_expiry())
            opens = principal_of_session(session_id, session.user_id)
            if membership is None or not kept or opens is None:
                raise SessionEnded
            identify(session.user_id)
            with organization_scope(session.organization_id):
                record("session.refreshed", "session", session_id)
            return _issue(session_id, membership)
    # Outside of the transaction above: the ending stands although the caller is refused.
    end_sessions(Session.objects.filter(refresh_tokens__token_hash=token_hash), reason="replayed")
    raise InvalidRefreshToken


def switch_organization(*, session_id: uuid.UUID, organization_id: uuid.UUID) -> Tokens:
    """Move the session to another organization of the person; refresh tokens handed out before are used up."""
    session = Session.objects.get(pk=session_id)
    membership = _membership(session.user_id, organization_id)
    reason: VocelioError | None = NotAMember()
    if membership is not None:
        reason = refusal(
            membership,
            has_second_factor=session.has_second_factor,
            sso_organization_id=session.sso_organization_id,
        )
    if membership is None or reason is not None:
        record_everywhere("session.switch_refused", user_id=session.user_id)
        raise reason or NotAMember()
    with organization_scope(organization_id):
        RefreshToken.objects.filter(session=session, used_at=None).update(used_at=Now())
        moved = Session.objects.live().filter(pk=session_id)
        if not moved.update(organization_id=organization_id, last_used_at=Now(), expires_at=_expiry()):
            raise SessionEnded
        record("session.switched", "session", session_id, previous=str(session.organization_id))
        return _issue(session_id, membership)


def sign_out(*, refresh_token: str) -> None:
    """End the session of a refresh token, used or not; one that never was is no error."""
    sessions = Session.objects.filter(refresh_tokens__token_hash=hash_secret(refresh_token))
    user_id = sessions.values_list("user_id", flat=True).first()
    if user_id is not None:
        identify(user_id)
    end_sessions(sessions, reason="signed_out")


def sessions_of(user_id: uuid.UUID, session_id: uuid.UUID | None) -> SessionQuerySet:
    """Return where a person is signed in; to a session by an identity provider, only in its organization."""
    only = sso_organization_of(session_id)
    mine = Session.objects.live().filter(user_id=user_id)
    return mine.filter(organization_id=only) if only else mine


def sso_organization_of(session_id: uuid.UUID | None) -> uuid.UUID | None:
    """Return whose identity provider let the session in; None for a session by password."""
    if session_id is None:
        return None
    return Session.objects.filter(pk=session_id).values_list("sso_organization_id", flat=True).first()


def end_sessions(sessions: SessionQuerySet, *, reason: str) -> int:
    """End those that are live, with all their tokens; audit each and announce it on commit. Return how many."""
    with transaction.atomic():
        ended = list(sessions.live().select_for_update(of=("self",), no_key=True).order_by("pk"))
        Session.objects.filter(pk__in=[session.pk for session in ended]).update(ended_at=Now(), end_reason=reason)
        for session in ended:
            with organization_scope(session.organization_id):
                record("session.ended", "session", session.pk, reason=reason)
        for user_id in {session.user_id for session in ended}:
            _announce(user_id, [session.pk for session in ended if session.user_id == user_id])
    return len(ended)


def _announce(user_id: uuid.UUID, session_ids: list[uuid.UUID]) -> None:
    transaction.on_commit(lambda: session_ended.send(Session, session_ids=session_ids, user_id=user_id))


def _consume(token_hash: bytes) -> uuid.UUID | None:
    """Use a token up; None when it is unknown or was used before. Of parallel callers one gets the session."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE refresh_tokens SET used_at = now() WHERE token_hash = %s AND used_at IS NULL RETURNING session_id",
            [token_hash],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _issue(session_id: uuid.UUID, membership: Membership) -> Tokens:
    refresh_token, token_hash = make_secret()
    RefreshToken.objects.create(token_hash=token_hash, session_id=session_id)
    access_token = make_access_token(
        user_id=membership.user_id,
        organization_id=membership.organization_id,
        session_id=session_id,
        role=membership.role,
        permissions=PERMISSIONS[membership.role],
    )
    return Tokens(access_token, refresh_token, settings.JWT_EXPIRES_IN, membership)


def _membership(user_id: uuid.UUID, organization_id: uuid.UUID) -> Membership | None:
    mine = Membership.objects.active().filter(user_id=user_id, organization_id=organization_id)
    return mine.select_related("user", "organization").first()


def _expiry() -> datetime:
    return timezone.now() + timedelta(seconds=settings.REFRESH_EXPIRES_IN)
