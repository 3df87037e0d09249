"""A receiver, and an organization that has it told everything."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.factories import Person, run_jobs
from tests.webhooks.receiver import Receiver
from vocelio.webhooks.services.fan_out import fan_out


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    server = Receiver()
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, server.host]
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def endpoint(admin: Person, receiver: Receiver) -> dict[str, Any]:
    """Return an endpoint at the receiver that wants everything, with its secret."""
    made: dict[str, Any] = admin.post("/v1/webhook-endpoints", {"url": receiver.url, "events": ["*"]}).data
    return made


@pytest.fixture
def tell(admin: Person) -> Callable[[], None]:
    """Do what the workers do: turn events into deliveries and send them."""

    def told() -> None:
        fan_out(admin.organization.id)
        run_jobs(admin.organization)

    return told
