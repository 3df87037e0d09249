from vocelio.api.routers import Router
from vocelio.webhooks.views import WebhookDeliveryViewSet, WebhookEndpointViewSet

router = Router()
router.register("webhook-endpoints", WebhookEndpointViewSet, basename="webhook-endpoints")
router.register("webhook-deliveries", WebhookDeliveryViewSet, basename="webhook-deliveries")

urlpatterns = router.urls
