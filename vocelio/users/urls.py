from django.urls import path

from vocelio.api.routers import Router
from vocelio.users.views import AccountViewSet, ApiTokenViewSet, SessionViewSet, SignInViewSet, TotpViewSet

router = Router()
router.register("auth", SignInViewSet, basename="sign-in")
router.register("auth", AccountViewSet, basename="account")
router.register("auth/sessions", SessionViewSet, basename="sessions")
router.register("api-tokens", ApiTokenViewSet, basename="api-tokens")

urlpatterns = [
    *router.urls,
    path("auth/totp", TotpViewSet.as_view({"get": "retrieve", "post": "enrol"}), name="totp"),
    path("auth/totp/confirm", TotpViewSet.as_view({"post": "confirm"}), name="totp-confirm"),
    path("auth/totp/recovery-codes", TotpViewSet.as_view({"post": "recovery_codes"}), name="totp-recovery-codes"),
    path("auth/totp/disable", TotpViewSet.as_view({"post": "disable"}), name="totp-disable"),
]
