"""Who may read metrics."""

import secrets

from django.conf import settings


def has_token(authorization: str) -> bool:
    """Say whether an Authorization header carries METRICS_TOKEN."""
    return secrets.compare_digest(authorization.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
