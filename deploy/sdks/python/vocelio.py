"""Vocelio's API with what a generator cannot know: signing in, retries, pages, files, jobs, live events.

    from vocelio_client.vocelio import Vocelio
    from vocelio_client.api.contacts import contacts_list

    with Vocelio("https://vocelio.example.com", token="voc_...") as vocelio:
        for contact in vocelio.pages(contacts_list, search="garc"):
            print(contact.first_name, contact.phone)

Every operation of the API is a module under `vocelio_client.api`; `vocelio.call(module, ...)` calls it.
"""

from __future__ import annotations

import json
import random
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
from vocelio_client.api.dnc import dnc_scrub_results_get
from vocelio_client.api.uploads import uploads_contacts_create, uploads_contacts_get
from vocelio_client.client import AuthenticatedClient
from vocelio_client.models.import_upload_request import ImportUploadRequest
from vocelio_client.types import UNSET, File

ATTEMPTS = 5
BUSY = {429, 502, 503, 504}
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
# Their answers hold secrets and are nowhere kept, so a key does not make them safe to repeat.
NOT_KEPT = ("/v1/auth/", "/v1/api-tokens", "/v1/webhook-endpoints")
OVER = {"completed", "failed", "cancelled"}


class ApiError(Exception):
    """The server's refusal: `status`, `code` such as CONTACT_EXISTS, and `details` with every bad field."""

    def __init__(self, status: int, code: str, message: str, details: dict[str, Any], request_id: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.details, self.request_id = status, code, details, request_id


class JobFailed(Exception):
    """A job ended as failed or cancelled; `job` is what the API says of it."""

    def __init__(self, job: Any) -> None:
        super().__init__(f"The job has {job.status}.")
        self.job = job


class Vocelio:
    """One signed-in caller. Give an API token, or email and password; tokens are renewed as they run out."""

    def __init__(
        self,
        base_url: str,
        *,
        token: str = "",
        email: str = "",
        password: str = "",
        organization_id: str | uuid.UUID | None = None,
        timeout: float = 60,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._transport = _Transport(self.base_url, token, transport or httpx.HTTPTransport())
        headers = {"X-Organization-ID": str(organization_id)} if organization_id else {}
        self.client = AuthenticatedClient(
            base_url=self.base_url,
            token=token,
            headers=headers,
            timeout=httpx.Timeout(timeout),
            httpx_args={"transport": self._transport},
        )
        if email:
            self._transport.sign_in(email, password, organization_id)

    def __enter__(self) -> Vocelio:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Sign out, where a password signed in, and close the connections."""
        self._transport.sign_out()
        self.client.get_httpx_client().close()

    @property
    def token(self) -> str:
        """The token that is sent now."""
        return self._transport.token

    def call(self, operation: ModuleType, *args: Any, **arguments: Any) -> Any:
        """Call an operation and return its data; raise ApiError for a refusal."""
        answer = operation.sync(*args, client=self.client, **arguments)
        return getattr(answer, "data", answer)

    def pages(self, operation: ModuleType, *args: Any, limit: int = 200, **filters: Any) -> Iterator[Any]:
        """Yield every row of a list to its end, by cursor."""
        cursor: str | None = ""
        while cursor is not None:
            page = operation.sync(*args, client=self.client, cursor=cursor, limit=limit, **filters)
            yield from page.data
            cursor = page.pagination.to_dict()["nextCursor"]

    def upload_contacts(self, path: str | Path, **options: Any) -> Any:
        """Upload a file of contacts and return the job; options are those of ImportUploadRequest, `list_name` for one."""
        path = Path(path)
        with path.open("rb") as content:
            file = File(payload=content, file_name=path.name, mime_type="application/octet-stream")
            return self.call(uploads_contacts_create, body=ImportUploadRequest(file=file, **options))

    def wait_for(
        self,
        operation: ModuleType,
        job_id: uuid.UUID,
        *,
        told: Callable[[Any], None] | None = None,
        every: float = 0.5,
        timeout: float = 3600,
    ) -> Any:
        """Ask for a job until it is over, and return it; raise JobFailed unless it is completed."""
        deadline = time.monotonic() + timeout
        while True:
            job = self.call(operation, job_id)
            if told is not None:
                told(job)
            if job.status in OVER:
                if job.status != "completed":
                    raise JobFailed(job)
                return job
            if time.monotonic() > deadline:
                raise TimeoutError(f"Job {job_id} is still {job.status}")
            time.sleep(every)

    def wait_for_import(self, job_id: uuid.UUID, **options: Any) -> Any:
        """Wait until an import is over."""
        return self.wait_for(uploads_contacts_get, job_id, **options)

    def wait_for_scrub(self, scrub_id: uuid.UUID, **options: Any) -> Any:
        """Wait until a scrub is over."""
        return self.wait_for(dnc_scrub_results_get, scrub_id, **options)

    def follow(self, channel: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        """Yield the events of a channel as they come, `import_progress` of a `jobId` for example; needs `websockets`."""
        from websockets.sync.client import connect

        address = self.base_url.replace("http", "ws", 1) + "/ws"
        with connect(address) as socket:
            for message in (
                {"type": "authenticate", "token": self.token},
                {"type": "subscribe", "channel": channel, **parameters},
            ):
                socket.send(json.dumps(message))
                frame = json.loads(socket.recv())
                if frame["type"] == "error":
                    raise ApiError(400, frame["code"], frame["message"], {}, "")
            for text in socket:
                yield json.loads(text)


class _Transport(httpx.BaseTransport):
    """Adds the token and an Idempotency-Key, renews the one, repeats by the other, and raises refusals."""

    def __init__(self, base_url: str, token: str, network: httpx.BaseTransport) -> None:
        self.base_url, self.token, self.network = base_url, token, network
        self.refresh_token = ""

    def sign_in(self, email: str, password: str, organization_id: str | uuid.UUID | None) -> None:
        body = {"email": email, "password": password}
        if organization_id:
            body["organizationId"] = str(organization_id)
        self._keep(self._post("/v1/auth/login", body))

    def sign_out(self) -> None:
        if self.refresh_token:
            self._post("/v1/auth/logout", {"refreshToken": self.refresh_token})
            self.refresh_token = ""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        if request.method in UNSAFE:
            request.headers.setdefault("Idempotency-Key", str(uuid.uuid4()))
        response = self._try(request)
        if response.status_code == 401 and self.refresh_token:
            response.close()
            self._keep(self._post("/v1/auth/refresh", {"refreshToken": self.refresh_token}))
            response = self._try(request)
        if response.status_code >= 400:
            raise _refusal(response)
        return response

    def close(self) -> None:
        self.network.close()

    def _try(self, request: httpx.Request) -> httpx.Response:
        is_repeatable = request.method not in UNSAFE or not request.url.path.startswith(NOT_KEPT)
        for attempt in range(1, ATTEMPTS + 1):
            if self.token:
                request.headers["Authorization"] = f"Bearer {self.token}"
            wait = random.uniform(0.5, 1) * 2 ** (attempt - 1)  # noqa: S311 - jitter, no secret
            try:
                response = self.network.handle_request(request)
            except httpx.ConnectError:
                if attempt == ATTEMPTS:
                    raise
            except httpx.TransportError:
                # It may have been done: the key makes sure that it is done once.
                if attempt == ATTEMPTS or not is_repeatable:
                    raise
            else:
                if response.status_code not in BUSY or attempt == ATTEMPTS:
                    return response
                asked = response.headers.get("Retry-After", "")
                wait = float(asked) if asked.isdecimal() else wait
                response.close()
            time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _post(self, path: str, body: dict[str, str]) -> Any:
        response = self._try(httpx.Request("POST", self.base_url + path, json=body))
        if response.status_code >= 400:
            raise _refusal(response)
        response.read()
        return response.json()

    def _keep(self, answer: Any) -> None:
        self.token = answer["data"]["accessToken"]
        self.refresh_token = answer["data"]["refreshToken"]


def _refusal(response: httpx.Response) -> ApiError:
    response.read()
    try:
        error = response.json()["error"]
    except (ValueError, KeyError, TypeError):
        return ApiError(response.status_code, "UNKNOWN", response.text[:200], {}, "")
    return ApiError(response.status_code, error["code"], error["message"], error["details"], error["requestId"])


__all__ = ["UNSET", "ApiError", "JobFailed", "Vocelio"]
