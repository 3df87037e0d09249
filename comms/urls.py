from django.urls import URLPattern, URLResolver, path

from comms.views.accounts import (
    BounceViewSet,
    ChannelAccountViewSet,
    CommsSettingsViewSet,
    CommsWebhookViewSet,
    ProvidersViewSet,
    SyncTemplatesViewSet,
)
from comms.views.communications import AttachmentViewSet, BatchViewSet, CommunicationViewSet
from comms.views.sequences import EnrolmentViewSet, SequenceViewSet
from comms.views.templates import TemplateViewSet
from vocelio.api.routers import Router

router = Router()
router.register("communications/templates", TemplateViewSet, basename="communication-templates")
router.register("communications/batches", BatchViewSet, basename="communication-batches")
router.register("communications/accounts", ChannelAccountViewSet, basename="communication-accounts")
router.register("communications/sequences", SequenceViewSet, basename="communication-sequences")
router.register("communications/enrolments", EnrolmentViewSet, basename="communication-enrolments")
router.register("communications/bounces", BounceViewSet, basename="communication-bounces")
router.register("communications", CommunicationViewSet, basename="communications")

urlpatterns: list[URLPattern | URLResolver] = [
    path(
        "communications/settings",
        CommsSettingsViewSet.as_view({"get": "retrieve", "put": "update", "patch": "update"}),
        name="communication-settings",
    ),
    path("communications/providers", ProvidersViewSet.as_view({"get": "providers"}), name="communication-providers"),
    path("communications/attachments", AttachmentViewSet.as_view({"post": "create"}), name="communication-attachments"),
    path(
        "communications/accounts/<uuid:pk>/sync-templates",
        SyncTemplatesViewSet.as_view({"post": "sync"}),
        name="communication-template-sync",
    ),
    path(
        "webhooks/comms/<str:token>",
        CommsWebhookViewSet.as_view({"post": "receive", "get": "handshake"}),
        name="comms-webhook",
    ),
    *router.urls,
]
