"""Tie a consent to the browser that began it."""

from django.conf import settings
from django.http import HttpResponse

CONSENT_COOKIE = "crm_consent"
CONSENT_PATH = "/v1/crm-integrations/oauth"


def keep_browser(response: HttpResponse, secret: str) -> None:
    """Leave the secret in the browser for as long as the consent may take; only the way back reads it."""
    response.set_cookie(
        CONSENT_COOKIE, secret, max_age=600, path=CONSENT_PATH, httponly=True, secure=settings.HTTPS, samesite="Lax"
    )
