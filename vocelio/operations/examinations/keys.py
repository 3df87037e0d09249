"""Secrets of the environment and what they open."""

from collections.abc import Iterator

from django.conf import settings

from vocelio.crypto.rotation import KeyCount, count_keys
from vocelio.operations.findings import Finding, fail, ok, warn

FEWEST_CHARACTERS = 12


def secrets() -> Iterator[Finding]:
    """Say whether the secrets are strong and differ."""
    named = {
        "SECRET_KEY": settings.SECRET_KEY,
        "JWT_SECRET": settings.JWT_SECRET,
        "MASTER_KEYS": settings.MASTER_KEYS[0],
    }
    weak = [
        name for name, value in named.items() if len(set(value)) < FEWEST_CHARACTERS or value.startswith("insecure")
    ]
    advice = "Make each with: openssl rand -base64 32. How to change one without a break: docs/operations.md, Keys."
    if settings.DEBUG:
        yield warn("DEBUG", "On: errors show their insides", "Unset DEBUG outside of development.")
    if weak:
        found = f"{', '.join(weak)}: few different characters, or a default"
        yield warn("secrets", found, advice) if settings.DEBUG else fail("secrets", found, advice)
    elif len(set(named.values())) < len(named):
        yield fail("secrets", "Two of them are the same", advice)
    else:
        yield ok("secrets", "Long, varied and different")


def master_keys() -> Iterator[Finding]:
    """Say whether the master keys open every organization's key."""
    count: KeyCount = count_keys()
    if count.unreadable:
        yield fail(
            "master keys",
            f"{count.unreadable} of {count.total} organizations' keys open with none of MASTER_KEYS",
            "Put the lost master key back behind the newest one: MASTER_KEYS=new,old. Without it what these"
            " organizations encrypted is lost.",
        )
    elif count.older:
        yield warn(
            "master keys",
            f"{count.older} of {count.total} organizations' keys are still wrapped by an older master key",
            "python manage.py rotate_master_key; then take the old one out of MASTER_KEYS.",
        )
    elif len(settings.MASTER_KEYS) > 1:
        yield warn(
            "master keys",
            f"All {count.total} keys are wrapped by the newest of {len(settings.MASTER_KEYS)} master keys",
            "Take the old one out of MASTER_KEYS and restart; keep it with the backups that need it.",
        )
    else:
        yield ok("master keys", f"Open all {count.total} organizations' keys")
