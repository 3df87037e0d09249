"""Calls to other people's servers: https, named hosts, public addresses, no redirects, bounded in time and size."""

import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import httpx
from django.conf import settings
from prometheus_client import Histogram

from vocelio.errors import VocelioError

MEGABYTE = 1024 * 1024
# Some names are customers' own: past this many, the rest is one.
MOST_NAMES = 40

CALLS = Histogram(
    "vocelio_outbound_seconds",
    "Time until another server began to answer, by the name it is allowed under and the status.",
    ["host", "status"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
_names: set[str] = set()


class OutboundRefused(VocelioError):
    """An address this installation does not call; nothing was sent."""

    code = "ADDRESS_NOT_ALLOWED"
    status = 422
    message = "This address may not be called. Use the vendor's own https address."


class OutboundTooLarge(VocelioError):
    """An answer longer, or slower to arrive, than the caller allowed."""

    code = "ANSWER_TOO_LARGE"
    status = 502
    message = "The other server's answer is too large or takes too long."


def outbound_client(
    hosts: Iterable[str],
    *,
    timeout: float = 30,
    max_bytes: int = 64 * MEGABYTE,
    max_seconds: float = 300,
    **kwargs: Any,
) -> httpx.Client:
    """Return an httpx client that reaches `hosts` alone: exact names, or `.example.com` for every name below it.

    `timeout` is seconds without any byte, `max_seconds` and `max_bytes` bound a whole answer. A refused address raises
    OutboundRefused before anything is sent; the network's own failures are httpx.TransportError. Servers named in the
    setting OUTBOUND_TRUSTED as host:port are reached too, by http and at private addresses.

    >>> with outbound_client([".salesforce.com"]) as client:
    ...     client.get("https://login.salesforce.com/services/oauth2/userinfo")
    """
    transport = _Guard(tuple(hosts), max_bytes=max_bytes, max_seconds=max_seconds)
    headers = httpx.Headers(kwargs.pop("headers", None))
    headers["Accept-Encoding"] = "identity"
    return httpx.Client(
        transport=transport, timeout=timeout, trust_env=False, follow_redirects=False, headers=headers, **kwargs
    )


def check_address(url: str, hosts: Iterable[str]) -> None:
    """Raise OutboundRefused for what `outbound_client(hosts)` would not call by name; addresses are judged at the call."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise OutboundRefused from error
    _check_name(parsed, tuple(hosts))


def reachable_address(host: str, port: int) -> str:
    """Return the address to connect to for a protocol other than http; raise OutboundRefused for one that leads inside.

    The network's own failures are OSError.
    """
    if f"{host}:{port}" in settings.OUTBOUND_TRUSTED:
        return host
    try:
        return _public_address(host)
    except httpx.ConnectError as error:
        raise OSError(str(error)) from error


def _check_name(url: httpx.URL, hosts: tuple[str, ...]) -> None:
    host = url.host.rstrip(".").lower()
    if _is_trusted(url):
        return
    if url.scheme != "https" or url.port not in (None, 443) or url.userinfo:
        raise OutboundRefused
    if not any(host.endswith(name) if name.startswith(".") else host == name for name in hosts):
        raise OutboundRefused


def _is_trusted(url: httpx.URL) -> bool:
    return f"{url.host}:{url.port or {'http': 80, 'https': 443}.get(url.scheme)}" in settings.OUTBOUND_TRUSTED


def _label(url: httpx.URL, hosts: tuple[str, ...]) -> str:
    """Return the name that a call is counted under: that of the allow-list, so that customers' subdomains are one."""
    host = url.host.rstrip(".").lower()
    name = next((name for name in hosts if name.startswith(".") and host.endswith(name)), host)
    if name not in _names and len(_names) >= MOST_NAMES:
        return "other"
    _names.add(name)
    return name


def _public_address(host: str) -> str:
    """Return an address of `host`, if every one of them is public: a name that also leads inside is refused whole."""
    try:
        found = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"{host} has no address") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    for address in addresses:
        inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
        if not address.is_global or not inner.is_global or address.is_multicast:
            raise OutboundRefused
    return str(addresses[0])


@cache
def _certificates() -> ssl.SSLContext:
    """Read the certificates of the machine, once a process: it takes longer than most calls."""
    return httpx.create_ssl_context(trust_env=False)


class _Guard(httpx.BaseTransport):
    """Connects to the address it judged, so that a second answer of the name server changes nothing."""

    def __init__(self, hosts: tuple[str, ...], *, max_bytes: int, max_seconds: float) -> None:
        self.hosts = hosts
        self.max_bytes = max_bytes
        self.max_seconds = max_seconds
        self.network = httpx.HTTPTransport(retries=0, trust_env=False, verify=_certificates())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        _check_name(url, self.hosts)
        sent = request
        if not _is_trusted(url):
            sent = httpx.Request(
                request.method,
                url.copy_with(host=_public_address(url.host)),
                headers=request.headers,
                stream=request.stream,
                extensions={**request.extensions, "sni_hostname": url.host},
            )
        began, status = time.perf_counter(), "error"
        try:
            response = self.network.handle_request(sent)
            status = str(response.status_code)
        finally:
            CALLS.labels(_label(url, self.hosts), status).observe(time.perf_counter() - began)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            response.close()
            raise httpx.RemoteProtocolError("a compressed answer that was not asked for", request=request)
        stream = _Bounded(response.stream, self.max_bytes, time.monotonic() + self.max_seconds)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
        )

    def close(self) -> None:
        self.network.close()


class _Bounded(httpx.SyncByteStream):
    def __init__(self, stream: Any, max_bytes: int, deadline: float) -> None:
        self.stream = stream
        self.left = max_bytes
        self.deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.stream:
            self.left -= len(chunk)
            if self.left < 0 or time.monotonic() > self.deadline:
                raise OutboundTooLarge
            yield chunk

    def close(self) -> None:
        self.stream.close()
