"""Change what members may do, and end memberships."""

from typing import Any

from django.db import transaction

from vocelio.audit.services import record
from vocelio.errors import Conflict
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.realtime.publish import publish
from vocelio.users.models import Session
from vocelio.users.services.sessions import end_sessions
from vocelio.users.signals import access_changed


class LastAdmin(Conflict):
    code = "LAST_ADMIN"
    message = "An organization keeps at least one active admin; make somebody else admin first."


def update_member(membership: Membership, **changes: Any) -> Membership:
    """Change role, team or is_active; raise LastAdmin rather than leave the organization without one.

    A new role holds from the member's next request, a deactivated one is signed out of the organization.
    """
    _lock_admins(membership)
    membership.refresh_from_db()
    loses_admin = changes.get("role", Role.ADMIN) != Role.ADMIN or not changes.get("is_active", True)
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


def _lock_admins(membership: Membership) -> None:
    """Let changes of members of one organization wait for each other; rows that refer to it need not wait."""
    Organization.objects.select_for_update(no_key=True).get(pk=membership.organization_id)


def _is_last_admin(membership: Membership) -> bool:
    admins = Membership.objects.active().filter(organization_id=membership.organization_id, role=Role.ADMIN)
    return not admins.exclude(pk=membership.pk).exists()
