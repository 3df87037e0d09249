"""Signatures of the Standard Webhooks specification 1.0 (standardwebhooks.com): v1, HMAC-SHA256."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
SECRET_BYTES = 32


def make_secret() -> str:
    """Return a new secret as receivers' libraries take it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def sign(webhook_id: str, timestamp: int, body: str, keys: Iterable[str]) -> str:
    """Return the `webhook-signature` header: one signature for each secret, separated by spaces."""
    content = f"{webhook_id}.{timestamp}.{body}".encode()
    signatures = []
    for key in keys:
        digest = hmac.new(base64.b64decode(key.removeprefix(PREFIX)), content, hashlib.sha256).digest()
        signatures.append(f"v1,{base64.b64encode(digest).decode()}")
    return " ".join(signatures)
