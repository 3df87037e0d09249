"""The one DRF permission: a view says which permission an action needs, the role says who holds it."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from vocelio.access.principal import Principal
from vocelio.access.roles import SELF

PUBLIC = "public"


def required_permission(view: Any, request: Request) -> str | None:
    """Return the permission the called action declares; None when it declares none."""
    declared: dict[str, str] = view.permissions
    # No action: the address exists but not for this method, which the view answers by 405.
    return SELF if view.action in (None, "metadata") else declared.get(view.action)


class RolePermission(BasePermission):
    """Grants what `permissions` of the view and roles.py agree on; an undeclared action is refused."""

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        permission = required_permission(view, request)
        if permission == PUBLIC:
            return True
        caller = request.user
        if not isinstance(caller, Principal) or permission is None:
            return False
        if permission == SELF and caller.scopes is not None and request.method not in SAFE_METHODS:
            # A program reads what is its owner's own, and changes nothing of it.
            return False
        return caller.may(permission)
