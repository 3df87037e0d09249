"""Which organization a member of staff looks into, and as whom."""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest

from vocelio.access.principal import Principal, principal_of_staff
from vocelio.organizations.models import Organization, Role
from vocelio.users.models import User

# The browsable API reads the same key (vocelio/api/authentication.py).
SESSION_KEY = "organization_id"
STAFF_ROLES = [Role.ADMIN, Role.MANAGER]


def organizations_of(user: User | AnonymousUser) -> QuerySet[Organization]:
    """Return the organizations the person may look into: all for the platform's operator."""
    if not isinstance(user, User) or not user.is_active:
        return Organization.objects.none()
    if user.is_superuser:
        return Organization.objects.all()
    if not user.is_staff:
        return Organization.objects.none()
    return Organization.objects.filter(
        is_active=True,
        memberships__user=user,
        memberships__is_active=True,
        memberships__role__in=STAFF_ROLES,
    )


def choose(request: HttpRequest, organization: Organization) -> None:
    """Look into this organization from now on."""
    request.session[SESSION_KEY] = str(organization.pk)
    request.__dict__.pop("_principal", None)


def principal_of(request: HttpRequest) -> Principal | None:
    """Return who acts in which organization; None while none is chosen. Read once a request."""
    if "_principal" not in request.__dict__:
        request.__dict__["_principal"] = _principal_of(request)
    principal: Principal | None = request.__dict__["_principal"]
    return principal


def _principal_of(request: HttpRequest) -> Principal | None:
    if not isinstance(request.user, User):
        return None
    chosen = request.session.get(SESSION_KEY)
    if chosen and (principal := principal_of_staff(request.user.pk, uuid.UUID(chosen))):
        return principal
    # Nothing to choose from: take the only one.
    only = list(organizations_of(request.user)[:2])
    if len(only) != 1:
        return None
    request.session[SESSION_KEY] = str(only[0].pk)
    return principal_of_staff(request.user.pk, only[0].pk)
