"""Addresses that prove themselves: they name a row of an organization and hold our signature."""

import base64
import hmac
import uuid

from django.conf import settings
from django.utils.crypto import salted_hmac

from vocelio.organizations.scope import current_organization_id

UNSUBSCRIBE, WEBHOOK, OPENED, CLICKED = "unsubscribe", "webhook", "opened", "clicked"
_MAC = 16


def make_token(kind: str, row_id: uuid.UUID, extra: str = "") -> str:
    """Return a token for a row of the open scope; `extra` is told beside it and cannot be changed either."""
    named = current_organization_id().bytes + row_id.bytes
    return base64.urlsafe_b64encode(named + _mac(kind, named, extra, settings.SECRET_KEY)).decode().rstrip("=")


def read_token(kind: str, token: str, extra: str = "") -> tuple[uuid.UUID, uuid.UUID] | None:
    """Return organization and row of a token of this kind; None for anything else."""
    if len(token) > 100 or not token.isascii():
        return None
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return None
    named, given = raw[:32], raw[32:]
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if len(named) != 32 or not any(hmac.compare_digest(_mac(kind, named, extra, secret), given) for secret in secrets):
        return None
    return uuid.UUID(bytes=named[:16]), uuid.UUID(bytes=named[16:])


def _mac(kind: str, named: bytes, extra: str, secret: str) -> bytes:
    text = f"{named.hex()}:{extra}"
    return salted_hmac(f"comms.{kind}", text, secret, algorithm="sha256").digest()[:_MAC]
