"""What lies outside: file storage, mail server, the public address."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import get_connection

from vocelio.health.checks import HEALTHY, check_storage
from vocelio.operations.findings import Finding, fail, ok, warn

MAIL_SECONDS = 5
LOCAL = {"localhost", "127.0.0.1", "::1"}


def storage() -> Iterator[Finding]:
    """Write, read and delete a small file."""
    if check_storage() == HEALTHY:
        yield ok("file storage", "Written, read and deleted a file")
    else:
        yield fail("file storage", "A file read back differs from what was written", "Look at the store's own log.")


def mail() -> Iterator[Finding]:
    """Sign in at the mail server that password and notification mails go through."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        if settings.DEBUG or is_local():
            yield ok("mail", f"Kept in {settings.EMAIL_FILE_PATH}, nothing leaves")
        else:
            yield warn(
                "mail", "No EMAIL_HOST: invitations and password mails reach nobody", "Set EMAIL_HOST and its kin."
            )
        return
    server = get_connection(timeout=MAIL_SECONDS)
    server.open()
    server.close()
    yield ok("mail", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} lets us in")


def address() -> Iterator[Finding]:
    """Say whether the public address is https."""
    if settings.HTTPS:
        yield ok("public address", settings.PUBLIC_URL)
    elif is_local():
        yield ok("public address", f"{settings.PUBLIC_URL}, this machine alone")
    else:
        yield fail(
            "public address",
            f"{settings.PUBLIC_URL} is not https: passwords and tokens travel in the clear",
            "Put a proxy with TLS in front, set PUBLIC_URL=https://… and BEHIND_PROXY=1.",
        )
    if settings.HTTPS and settings.SECURE_PROXY_SSL_HEADER is None:
        yield warn("proxy", "PUBLIC_URL is https but BEHIND_PROXY is off", "Set BEHIND_PROXY=1 behind a TLS proxy.")


def is_local() -> bool:
    return urlsplit(settings.PUBLIC_URL).hostname in LOCAL
