from vocelio.api.routers import Router
from vocelio.notifications.views import FeedViewSet, NotificationViewSet

router = Router()
router.register("notifications", NotificationViewSet, basename="notifications")
router.register("feed", FeedViewSet, basename="feed")

urlpatterns = router.urls
