"""What bin/up found or made (server URLs, keys), kept in one file that only its user can read."""

import base64
import json
import os
import secrets
from pathlib import Path


def read_state(data: Path) -> dict[str, str]:
    """Return the saved variables, empty when nothing was started here yet."""
    try:
        saved: dict[str, str] = json.loads((data / "state.json").read_text())
    except FileNotFoundError:
        return {}
    return saved


def write_state(data: Path, values: dict[str, str]) -> None:
    """Replace the saved variables atomically, readable by the user alone."""
    temporary = data / "state.json.new"
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(values, indent=1))
    os.replace(temporary, data / "state.json")


def with_keys(values: dict[str, str]) -> dict[str, str]:
    """The same variables, with every key an installation needs; keys that are there stay."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "JWT_SECRET": secrets.token_urlsafe(48),
        "MASTER_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        # Of the embedded superuser and of the two roles made by provisioning.
        "POSTGRES_PASSWORD": secrets.token_urlsafe(24),
        "OWNER_PASSWORD": secrets.token_urlsafe(24),
        "APP_PASSWORD": secrets.token_urlsafe(24),
        **values,
    }
