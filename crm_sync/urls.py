from django.urls import path

from crm_sync.views.integrations import CallingViewSet, ConsentCallbackViewSet, IntegrationViewSet, WebhookViewSet
from crm_sync.views.runs import ConflictViewSet, DeadLetterViewSet, ItemViewSet, RunViewSet
from vocelio.api.routers import Router

router = Router()
router.register("crm-integrations", IntegrationViewSet, basename="crm-integrations")
router.register("crm-sync-runs", RunViewSet, basename="crm-sync-runs")
router.register("crm-sync-items", ItemViewSet, basename="crm-sync-items")
router.register("crm-dead-letters", DeadLetterViewSet, basename="crm-dead-letters")
router.register("crm-conflicts", ConflictViewSet, basename="crm-conflicts")

urlpatterns = [
    path("crm-integrations/<uuid:pk>/test", CallingViewSet.as_view({"post": "test"}), name="crm-test"),
    path("crm-integrations/oauth/complete", CallingViewSet.as_view({"post": "complete"}), name="crm-oauth-complete"),
    path(
        "crm-integrations/oauth/callback",
        ConsentCallbackViewSet.as_view({"get": "callback"}),
        name="crm-oauth-callback",
    ),
    path("webhooks/crm/<str:token>", WebhookViewSet.as_view({"post": "receive"}), name="crm-webhook"),
    *router.urls,
]
