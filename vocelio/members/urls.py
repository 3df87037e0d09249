from django.urls import path

from vocelio.api.routers import Router
from vocelio.members.views import (
    AcceptInvitationViewSet,
    InvitationViewSet,
    MemberViewSet,
    OrganizationViewSet,
    RetentionViewSet,
)

router = Router()
router.register("members/invitations", InvitationViewSet, basename="invitations")
router.register("members", MemberViewSet, basename="members")
router.register("auth/invitations", AcceptInvitationViewSet, basename="accept-invitation")

urlpatterns = [
    *router.urls,
    path(
        "organization",
        OrganizationViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update"}),
        name="organization",
    ),
    path(
        "organization/retention",
        RetentionViewSet.as_view({"get": "retrieve", "put": "update", "patch": "update"}),
        name="retention",
    ),
]
