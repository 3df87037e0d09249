from vocelio.api.routers import Router
from vocelio.dashboards.views import DashboardViewSet

router = Router()
router.register("dashboards", DashboardViewSet, basename="dashboards")

urlpatterns = router.urls
