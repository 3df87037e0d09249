from django.urls import path

from vocelio.api.routers import Router
from vocelio.members.views import AcceptInvitationViewSet, InvitationViewSet, MemberViewSet, OrganizationViewSet

router = Router()
router.register("members/invitations", InvitationViewSet, basename="invitations")
router.register("members", MemberViewSet, basename="members")
router.register("auth/invitations", AcceptInvitationViewSet, basename="accept-invitation")

ORGANIZATION_ACTIONS = {"get": "retrieve", "put": "update", "patch": "partial_update"}

urlpatterns = [
    *router.urls,
    path("organization", OrganizationViewSet.as_view(ORGANIZATION_ACTIONS), name="organization"),
]
