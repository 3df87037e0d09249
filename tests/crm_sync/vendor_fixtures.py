"""The vendors on loopback, and accounts connected to them."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.crm_sync.fakes.find import fake_of
from tests.crm_sync.fakes.server import Fake
from tests.crm_sync.vendor_accounts import PROVIDERS, VendorAccount
from vocelio.outbound import outbound_client


@pytest.fixture
def start_fake(settings: Any) -> Iterator[Callable[..., Fake]]:
    """Start fakes by vendor; whatever they were asked must have been allowed by the OpenAPI files."""
    running: list[Fake] = []

    def start(slug: str, **kwargs: bool) -> Fake:
        fake = fake_of(slug)(**kwargs).start()
        running.append(fake)
        settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, f"127.0.0.1:{fake.server_port}"]
        return fake

    yield start
    for fake in running:
        fake.stop()
    assert [violation for fake in running for violation in fake.violations] == []


@pytest.fixture(scope="session")
def clients() -> Iterator[dict[str, httpx.Client]]:
    """One client per provider: making one reads all certificates of the machine."""
    made = {slug: outbound_client(provider.hosts, timeout=10) for slug, provider in PROVIDERS.items()}
    yield made
    for client in made.values():
        client.close()


@pytest.fixture
def vendor(start_fake: Callable[..., Fake], clients: dict[str, httpx.Client]) -> Callable[..., VendorAccount]:
    """Connect an account at a vendor's."""
    return lambda slug, **kwargs: VendorAccount(PROVIDERS[slug], start_fake(slug, **kwargs), clients[slug])
