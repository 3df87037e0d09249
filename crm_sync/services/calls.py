"""The vendor's server as the engine calls it: limited, renewed, repeated by one table of rules."""

import random
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from crm_sync.models import CrmIntegration
from crm_sync.providers.failures import AuthExpired, QuotaReached, TokenExpired
from crm_sync.providers.provider import Provider
from crm_sync.providers.remote import Remote
from crm_sync.providers.values import Credential
from crm_sync.services.credentials import Keeper, mark_expired
from crm_sync.services.limits import Limiter
from vocelio.outbound import outbound_client
from vocelio.plugins import PluginError

# A call that fails for the moment is repeated so often, after a full-jitter wait that doubles up to a bound.
ATTEMPTS = 5
FIRST_WAIT = 0.5
MOST_WAIT = 20.0


class GuardedRemote(Remote):
    """One account: every call waits for the quota, bears a fresh token and is repeated while that is safe."""

    def __init__(
        self,
        provider: Provider,
        client: httpx.Client,
        keeper: Keeper,
        limiter: Limiter,
        options: Mapping[str, str],
    ) -> None:
        self.keeper = keeper
        self.limiter = limiter
        super().__init__(provider, client, keeper.credential, options)

    @property
    def credential(self) -> Credential:
        return self.keeper.fresh()

    @credential.setter
    def credential(self, credential: Credential) -> None:
        """The keeper's is the one that counts."""

    def call(
        self, method: str, path: str, *, spend: Mapping[str, int] | None = None, writes: bool = False, **kwargs: Any
    ) -> httpx.Response:
        is_renewed = False
        for attempt in range(ATTEMPTS):
            self.limiter.take(spend or {})
            try:
                response = super().call(method, path, spend=spend, writes=writes, **kwargs)
            except TokenExpired:
                # One renewal a call: a token refused at once after it is not expired but unwelcome.
                if is_renewed:
                    mark_expired(self.keeper.organization_id, self.keeper.integration_id, str(AuthExpired()))
                    raise AuthExpired from None
                self.keeper.renew()
                is_renewed = True
                continue
            except AuthExpired as error:
                mark_expired(self.keeper.organization_id, self.keeper.integration_id, str(error))
                raise
            except QuotaReached as error:
                error.resets_at = self.limiter.block(error)
                raise
            except PluginError as error:
                if error.permanent or error.code == "OUTCOME_UNKNOWN" or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(_wait(attempt, error.retry_after))
                continue
            self.limiter.tell(self.provider.quotas(response))
            return response
        raise PluginError("The CRM could not be called.", permanent=False, code="NO_ANSWER")


@contextmanager
def open_remote(integration: CrmIntegration) -> Iterator[GuardedRemote]:
    """Give the connection's account to call, outside any transaction."""
    provider = integration.provider
    keeper = Keeper(integration.organization_id, integration.id, provider)
    limiter = Limiter(
        integration.organization_id,
        integration.crm_type,
        integration.limiter_account,
        provider.limits(keeper.credential, integration.options),
    )
    with outbound_client(provider.hosts) as client:
        yield GuardedRemote(provider, client, keeper, limiter, integration.options)


def _wait(attempt: int, retry_after: float | None) -> float:
    if retry_after is not None:
        return min(retry_after, 120.0)
    return random.uniform(0, min(MOST_WAIT, FIRST_WAIT * 2**attempt))  # noqa: S311 - jitter, no secret
