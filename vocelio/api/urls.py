from vocelio.api.audit_log import AuditLogViewSet
from vocelio.api.routers import Router

router = Router()
router.register("audit-log", AuditLogViewSet, basename="audit-log")

urlpatterns = router.urls
