"""The vendor's server as a provider calls it. The engine's own subclass limits, refreshes and repeats."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx

from crm_sync.providers.failures import OutcomeUnknown
from crm_sync.providers.values import Credential
from vocelio.plugins import PluginError

if TYPE_CHECKING:
    from crm_sync.providers.provider import Provider


class Remote:
    """One account at one vendor's. `client` reaches the provider's hosts alone; `options` answer its `settings`.

    This class sends and judges; it neither waits for a quota nor repeats nor refreshes.
    """

    def __init__(
        self,
        provider: "Provider",
        client: httpx.Client,
        credential: Credential,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self.provider = provider
        self.client = client
        self.credential = credential
        self.options = dict(options or {})
        # What a provider learnt from the account and need not ask again as long as this lives (types of fields).
        self.memory: dict[str, Any] = {}

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        spend: Mapping[str, int] | None = None,
        writes: bool = False,
        accept: tuple[int, ...] = (),
    ) -> httpx.Response:
        """Send one request and return its answer when it is 2xx (207 included), or a status in `accept`.

        `path` is below the credential's `api_url`, or a whole address. `spend` gives units by window; windows not
        named cost their `per_call`. Everything else is raised as `provider.failure(response)` says. A call that
        `writes` and is not answered raises OutcomeUnknown, any other a temporary PluginError: a write is never
        repeated below the engine. The credential is read for every request.
        """
        try:
            response = self.client.request(
                method,
                path if "://" in path else self.credential.api_url + path,
                params=params,
                json=json,
                headers={**self.provider.headers(self.credential), **(headers or {})},
            )
        except httpx.ConnectError:
            raise PluginError("The CRM cannot be reached.", permanent=False, code="UNREACHABLE") from None
        except httpx.TransportError:
            if writes:
                raise OutcomeUnknown from None
            raise PluginError("The CRM did not answer.", permanent=False, code="NO_ANSWER") from None
        if response.is_success or response.status_code in accept:
            return response
        if writes and response.status_code in (500, 502, 504):
            # A gateway's word says nothing about what the server behind it did.
            raise OutcomeUnknown
        raise self.provider.failure(response)
