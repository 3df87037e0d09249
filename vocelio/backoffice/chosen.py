"""Which organization a member of staff looks into, and as whom."""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from vocelio.access.principal import Entrance, Principal, principal_of_staff
from vocelio.organizations.models import Organization, Role, SecondFactorRule
from vocelio.users.models import User

# The browsable API reads the same key (vocelio/api/authentication.py).
SESSION_KEY = "organization_id"
BY_PASSWORD = Entrance()
STAFF_ROLES = [Role.ADMIN, Role.MANAGER]


def organizations_of(user: User | AnonymousUser, entrance: Entrance = BY_PASSWORD) -> QuerySet[Organization]:
    """Return the organizations the person may look into: all for the platform's operator.

    Whom an identity provider let in may look into its organization alone; who came by password not into those
    that require a provider. A second step that is still missing takes nothing off.
    """
    if not isinstance(user, User) or not user.is_active:
        return Organization.objects.none()
    if user.is_superuser:
        return Organization.objects.all()
    if not user.is_staff:
        return Organization.objects.none()
    only = entrance.sso_organization_id
    return Organization.objects.filter(
        Q(pk=only) if only else Q(requires_sso=False) | Q(memberships__is_break_glass=True),
        is_active=True,
        memberships__user=user,
        memberships__is_active=True,
        memberships__role__in=STAFF_ROLES,
    )


def lacks_second_factor(request: HttpRequest) -> bool:
    """Say whether the chosen organization asks for a second step that this log-in lacks."""
    entrance, chosen = Entrance.of(request.session), request.session.get(SESSION_KEY)
    if not chosen or entrance.has_second_factor or entrance.sso_organization_id:
        return False
    asking = organizations_of(request.user, entrance).exclude(second_factor=SecondFactorRule.OPTIONAL)
    return asking.filter(pk=chosen).exists()


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
    entrance = Entrance.of(request.session)
    if chosen and (principal := principal_of_staff(request.user.pk, uuid.UUID(chosen), entrance)):
        return principal
    # Nothing to choose from: take the only one.
    only = list(organizations_of(request.user, entrance)[:2])
    if len(only) != 1:
        return None
    request.session[SESSION_KEY] = str(only[0].pk)
    return principal_of_staff(request.user.pk, only[0].pk, entrance)
