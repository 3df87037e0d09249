"""Invite people by e-mail, and let them in."""

import logging
import smtplib
import uuid
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from vocelio.audit.context import current_actor, identify
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.jobs.services import forget_task, promise_task
from vocelio.languages.mails import write_mail
from vocelio.members.models import Invitation
from vocelio.members.services.members import announce_access, announce_member
from vocelio.organizations.models import Membership, Organization
from vocelio.organizations.scope import current_organization_id, organization_scope
from vocelio.users.models import User
from vocelio.users.services.attempts import prove_password
from vocelio.users.services.passwords import check_new_password
from vocelio.users.services.sessions import Tokens
from vocelio.users.services.sign_in import enter
from vocelio.users.tokens import hash_secret, make_secret

logger = logging.getLogger(__name__)

VALID_FOR = timedelta(days=7)


class AlreadyMember(Conflict):
    code = "ALREADY_MEMBER"
    message = "This person is a member already."


def invite_member(*, email: str, role: str, team: str = "", name: str = "") -> tuple[Invitation, bool]:
    """Invite somebody, or again with a new link; return the invitation and whether it is new.

    Raise AlreadyMember, which names the membership: one that was deactivated is activated again instead.
    """
    email = email.strip().lower()
    organization_id = Organization.objects.select_for_update(no_key=True).get(pk=current_organization_id()).pk
    member = Membership.objects.filter(organization_id=organization_id, user__email=email).first()
    if member is not None:
        raise AlreadyMember(
            field="email", constraint="unique", memberId=str(member.id), memberIsActive=member.is_active
        )
    invitation, is_new = Invitation.objects.open().update_or_create(
        email=email,
        defaults={
            "role": role,
            "team": team,
            "name": name,
            "invited_by_id": current_actor().user_id,
            "expires_at": timezone.now() + VALID_FOR,
            "token_hash": None,
            "sent_at": None,
        },
    )
    record("invitation.created" if is_new else "invitation.sent_again", "invitation", invitation.id, role=role)
    promise_task("vocelio.members.tasks.send_invitation", organization_id=organization_id, row_id=invitation.id)
    return invitation, is_new


def revoke_invitation(invitation: Invitation) -> None:
    """Withdraw the invitation; its link opens nothing any more."""
    invitation_id = invitation.id
    invitation.delete()
    record("invitation.revoked", "invitation", invitation_id)


def send_invitation(*, invitation_id: uuid.UUID) -> None:
    """Mail the link of an invitation of the open scope, once; without one left to send, do nothing.

    The secret is made here, so that no queue and no table ever holds it.
    """
    waiting = Invitation.objects.acceptable().filter(pk=invitation_id, sent_at=None)
    invitation = waiting.select_for_update(of=("self",)).select_related("organization", "invited_by").first()
    if invitation is not None:
        secret, invitation.token_hash = make_secret()
        invitation.sent_at = timezone.now()
        invitation.save(update_fields=["token_hash", "sent_at"])
        try:
            _mail(invitation, f"{invitation.organization_id}.{secret}")
        except smtplib.SMTPRecipientsRefused:
            logger.warning("Invitation undeliverable", extra={"invitation": str(invitation_id)})
    forget_task(invitation_id)


def accept_invitation(*, token: str, password: str, name: str = "") -> Tokens:
    """Join by the token of the mail and sign in: newcomers set a password, others prove theirs."""
    organization_id, token_hash = _parse(token)
    with organization_scope(organization_id):
        invitation = Invitation.objects.acceptable().filter(token_hash=token_hash, organization__is_active=True).first()
    if invitation is None:
        raise _expired()
    is_known = User.objects.filter(email=invitation.email).exists()
    # Outside of the transaction below, since wrong guesses are counted although they are refused.
    user = prove_password(email=invitation.email, password=password) if is_known else None
    with organization_scope(organization_id):
        acceptable = Invitation.objects.acceptable().filter(pk=invitation.pk, token_hash=token_hash)
        invitation = acceptable.select_for_update().first()
        if invitation is None:
            raise _expired()
        if user is None:
            user = _create_user(invitation, password, name)
        identify(user.id)
        # What was decided about a membership since then stands; the invitation only ever adds one.
        membership, is_new = Membership.objects.get_or_create(
            organization_id=organization_id, user=user, defaults={"role": invitation.role, "team": invitation.team}
        )
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at"])
        record("invitation.accepted", "invitation", invitation.id, membership=str(membership.id))
        if is_new:
            announce_member("member_added", membership)
            announce_access(membership)
    # Joined for good, whatever else logging in asks for.
    return enter(user, organization_id)


def _create_user(invitation: Invitation, password: str, name: str) -> User:
    check_new_password(password, user=User(email=invitation.email, name=name or invitation.name), field="password")
    return User.objects.create_user(invitation.email, password, name=name or invitation.name)


def _mail(invitation: Invitation, token: str) -> None:
    organization = " ".join(invitation.organization.name.split())
    context = {
        "invitation": invitation,
        "inviter": invitation.invited_by,
        "organization": invitation.organization,
        "role": invitation.get_role_display,
        "link": f"{settings.FRONTEND_URL}/accept-invitation#token={token}",
    }
    write_mail(
        to=invitation.email,
        subject=f"Join {organization} on Vocelio",
        template="invitation",
        context=context,
        user=User.objects.filter(email=invitation.email).first(),
        organization=invitation.organization,
    )


def _parse(token: str) -> tuple[uuid.UUID, bytes]:
    """Split `<organization id>.<secret>`: the id opens the scope in which the hash is looked up."""
    organization_id, _, secret = token.partition(".")
    try:
        return uuid.UUID(organization_id), hash_secret(secret)
    except ValueError:
        raise _expired() from None


def _expired() -> Invalid:
    return Invalid.field("token", "This invitation was used, withdrawn or has expired.", constraint="expired")
