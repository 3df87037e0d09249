"""What the doctor looks at: whether the installation's own identity provider answers."""

from collections.abc import Iterator

from django.conf import settings

from vocelio.errors import VocelioError
from vocelio.operations.findings import Finding, fail, ok
from vocelio.sso.services.providers import check_provider


def single_sign_on() -> Iterator[Finding]:
    """Read its description and keys."""
    if not settings.OIDC_ISSUER:
        return
    try:
        found = check_provider(settings.OIDC_ISSUER)
    except VocelioError as error:
        yield fail("single sign-on", error.message, "Check OIDC_ISSUER, and that this machine reaches it.")
    else:
        yield ok("single sign-on", f"{settings.OIDC_ISSUER} answers, with {found['keys']} keys")
