"""Which fake stands in for a provider: the module of the provider's slug."""

import importlib

from tests.crm_sync.fakes.server import Fake


def fake_of(slug: str) -> type[Fake]:
    """Return the fake for a provider; a provider without one is not tested, and that is a failure."""
    module = importlib.import_module(f"tests.crm_sync.fakes.{slug}")
    return next(
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Fake) and found.__dict__.get("vendor") == slug
    )
