"""The host of a company's website, by which it is known."""

import re
from urllib.parse import urlsplit

DOMAIN = re.compile(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")


def domain_of(address: str) -> str:
    """Return the bare host of a website or domain as people type it; empty when it is none.

    >>> domain_of("https://www.Example.com/about")
    'example.com'
    """
    text = address.strip().lower()
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
        host = host.encode("idna").decode() if host else ""
    except ValueError:
        return ""
    host = host.removeprefix("www.").rstrip(".")
    return host if DOMAIN.fullmatch(host) and len(host) <= 253 else ""
