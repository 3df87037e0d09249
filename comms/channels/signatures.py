"""Proof that a webhook comes from who knows the secret, and was made a moment ago."""

import hashlib
import hmac
from datetime import timedelta

from comms.channels.channel import WebhookRefused
from comms.channels.values import WebhookRequest

TOLERANCE = timedelta(minutes=5)


def check_signature(request: WebhookRequest, secret: str) -> None:
    """Check `X-Vocelio-Signature: t=<unix seconds>,v1=<hex>`, HMAC-SHA256 of `<t>.<raw body>`.

    Raise WebhookRefused for a wrong one, and for one that is more than five minutes off.
    """
    parts = dict(
        part.split("=", 1) for part in request.headers.get("x-vocelio-signature", "").split(",") if "=" in part
    )
    moment, given = parts.get("t", ""), parts.get("v1", "")
    if not secret or not moment.isascii() or not moment.isdigit() or not given.isascii():
        raise WebhookRefused("The webhook is not signed.")
    wanted = hmac.new(secret.encode(), moment.encode() + b"." + request.body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(wanted, given):
        raise WebhookRefused("The signature is wrong.")
    if abs(request.received_at.timestamp() - int(moment[:12])) > TOLERANCE.total_seconds():
        raise WebhookRefused("The webhook is too old.")
