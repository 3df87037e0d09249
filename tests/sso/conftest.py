from collections.abc import Iterator
from typing import Any

import pytest

from tests.factories import Person, unique
from tests.sso.provider import CLIENT_ID, CLIENT_SECRET, Provider
from vocelio.sso.services import protocol


@pytest.fixture
def provider(settings: Any, admin: Person) -> Iterator[Provider]:
    """Start a provider that the admin's organization has chosen, for one domain of its own."""
    running = Provider()
    settings.OUTBOUND_TRUSTED = [running.host]
    running.domain = f"{unique('corp')}.example"
    body = {
        "issuer": running.issuer,
        "clientId": CLIENT_ID,
        "clientSecret": CLIENT_SECRET,
        "allowedDomains": [running.domain],
        "newcomerRole": "agent",
    }
    assert admin.put("/v1/organization/identity-provider", body).status == 200
    yield running
    protocol.forget_provider(running.issuer)
    running.close()
