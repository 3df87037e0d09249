"""What runs the SDKs: a server that may call the receiver, and somebody to sign in as."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from tests.factories import PASSWORD, Person
from tests.realtime.server import Server
from tests.sdks.guide import SOURCES
from tests.webhooks.receiver import Receiver
from vocelio.users.models import User

# What bin/sdks has built is tried where it stands: .ci/run says so.
collect_ignore = [] if "VOCELIO_SDKS" in os.environ else ["test_built.py"]


@pytest.fixture(scope="session")
def hook() -> Receiver:
    return Receiver()


@pytest.fixture(scope="session")
def serving(start_server: Callable[..., Server], hook: Receiver) -> Server:
    # The port says what its own address is.
    return start_server(OUTBOUND_TRUSTED=hook.host)


@pytest.fixture
def environment(serving: Server, admin: Person, tmp_path: Path) -> dict[str, str]:
    """Return what a program needs to sign in, in a folder that holds the file of contacts."""
    (tmp_path / "contacts.csv").write_bytes((SOURCES / "contacts.csv").read_bytes())
    # The server takes no other than the product's own hashes.
    User.objects.filter(pk=admin.user.pk).update(password=Argon2PasswordHasher().encode(PASSWORD, "salt" * 4))
    url = f"http://127.0.0.1:{serving.port}"
    return {**os.environ, "URL": url, "EMAIL": admin.user.email, "PASSWORD": PASSWORD}
