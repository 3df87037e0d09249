"""Change what members may do, and end memberships."""

import uuid
from typing import Any

from django.conf import settings
from django.db import transaction

from vocelio.audit.services import record
from vocelio.errors import Conflict
from vocelio.jobs.services import forget_task, promise_task
from vocelio.languages.mails import write_mail
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import current_organization_id
from vocelio.realtime.publish import publish
from vocelio.users.models import Session, User
from vocelio.users.services.second_factor import SecondFactorOff, has_second_factor, remove_second_factor
from vocelio.users.services.sessions import end_sessions
from vocelio.users.signals import access_changed


class LastAdmin(Conflict):
    code = "LAST_ADMIN"
    message = "An organization keeps at least one active admin; make somebody else admin first."


class LastBreakGlass(Conflict):
    code = "LAST_BREAK_GLASS_ADMIN"
    message = "While single sign-on is required, one active admin stays marked for emergencies."


class BelongsElsewhere(Conflict):
    code = "BELONGS_ELSEWHERE"
    message = "This person belongs to other organizations too; the platform's operator resets their log-in."


def update_member(membership: Membership, **changes: Any) -> Membership:
    """Change role, team, is_active or is_break_glass; raise LastAdmin rather than leave an organization without one.

    A new role holds from the member's next request, a deactivated one is signed out of the organization.
    """
    organization = _lock_admins(membership)
    membership.refresh_from_db()
    loses_admin = changes.get("role", Role.ADMIN) != Role.ADMIN or not changes.get("is_active", True)
    loses_key = loses_admin or not changes.get("is_break_glass", True)
    if organization.requires_sso and loses_key and _is_last_break_glass(membership):
        raise LastBreakGlass
    if loses_admin and membership.role == Role.ADMIN and membership.is_active and _is_last_admin(membership):
        raise LastAdmin
    changed = sorted(name for name, value in changes.items() if getattr(membership, name) != value)
    for name in changed:
        setattr(membership, name, changes[name])
    membership.save(update_fields=changed)
    membership.refresh_from_db()
    roles = {"role": membership.role} if "role" in changed else {}
    record("member.updated", "membership", membership.id, fields=changed, **roles)
    if "is_active" in changed and not membership.is_active:
        of_member = Session.objects.filter(user_id=membership.user_id, organization_id=membership.organization_id)
        end_sessions(of_member, reason="member_deactivated")
    if changed:
        has_ended = "is_active" in changed and not membership.is_active
        announce_member("member_removed" if has_ended else "member_updated", membership)
        announce_access(membership)
    return membership


def add_member(user: User, *, role: str) -> Membership:
    """Make somebody, whom an identity provider of the organization vouches for, a member of the open scope's."""
    membership = Membership.objects.create(organization_id=current_organization_id(), user=user, role=role)
    record("member.joined_by_sso", "membership", membership.pk, role=role)
    announce_access(membership)
    return membership


def reset_second_factor(membership: Membership) -> None:
    """Let a member who lost phone and recovery codes set two-step log-in up anew; they are told by mail.

    Raise SecondFactorOff, and BelongsElsewhere for somebody whose other organizations rely on it too.
    """
    user = membership.user
    if not has_second_factor(user.pk):
        raise SecondFactorOff
    elsewhere = Membership.objects.active().filter(user=user).exclude(organization_id=membership.organization_id)
    if elsewhere.exists():
        raise BelongsElsewhere
    remove_second_factor(user)
    end_sessions(Session.objects.filter(user=user), reason="second_factor_reset")
    record("second_factor.reset", "membership", membership.pk)
    promise_task(
        "vocelio.members.tasks.tell_second_factor_reset",
        organization_id=membership.organization_id,
        row_id=membership.pk,
    )


def tell_second_factor_reset(*, membership_id: uuid.UUID) -> None:
    """Mail the person that an admin has switched their two-step log-in off."""
    membership = Membership.objects.select_related("user", "organization").get(pk=membership_id)
    context = {"user": membership.user, "organization": membership.organization, "link": settings.FRONTEND_URL}
    write_mail(
        to=membership.user.email,
        subject="Your two-step log-in was reset",
        template="second_factor_reset",
        context=context,
        user=membership.user,
        organization=membership.organization,
    )
    forget_task(membership_id)


def deactivate_member(membership: Membership) -> Membership:
    """End the membership; what the person made stays."""
    return update_member(membership, is_active=False)


def announce_member(event: str, membership: Membership) -> None:
    """Publish `member_added`, `member_updated` or `member_removed`."""
    data = {"memberId": str(membership.pk), "role": membership.role, "isActive": membership.is_active}
    publish("members", type=event, data=data)


def announce_access(membership: Membership) -> None:
    """Tell, on commit, that what this person may do here has changed."""
    user_id, organization_id = membership.user_id, membership.organization_id
    transaction.on_commit(
        lambda: access_changed.send(Membership, user_id=user_id, organization_id=organization_id),
    )


def _lock_admins(membership: Membership) -> Organization:
    """Let changes of members of one organization wait for each other; rows that refer to it need not wait."""
    return Organization.objects.select_for_update(no_key=True).get(pk=membership.organization_id)


def _is_last_admin(membership: Membership) -> bool:
    admins = Membership.objects.active().filter(organization_id=membership.organization_id, role=Role.ADMIN)
    return not admins.exclude(pk=membership.pk).exists()


def _is_last_break_glass(membership: Membership) -> bool:
    keys = Membership.objects.active().filter(
        organization_id=membership.organization_id, role=Role.ADMIN, is_break_glass=True
    )
    return keys.filter(pk=membership.pk).exists() and not keys.exclude(pk=membership.pk).exists()
