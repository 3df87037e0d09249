from vocelio.api.routers import Router
from vocelio.realtime.views import EventViewSet

router = Router()
router.register("events", EventViewSet, basename="events")

urlpatterns = router.urls
