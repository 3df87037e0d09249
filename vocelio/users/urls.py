from vocelio.api.routers import Router
from vocelio.users.views import AccountViewSet, ApiTokenViewSet, SessionViewSet, SignInViewSet

router = Router()
router.register("auth", SignInViewSet, basename="sign-in")
router.register("auth", AccountViewSet, basename="account")
router.register("auth/sessions", SessionViewSet, basename="sessions")
router.register("api-tokens", ApiTokenViewSet, basename="api-tokens")

urlpatterns = router.urls
