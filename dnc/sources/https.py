"""One file at an https address, with a token or a name and password where it needs them."""

import hashlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import httpx

from dnc.sources import Errand, Fetched, Place, PluginError
from vocelio.errors import VocelioError
from vocelio.outbound import outbound_client

MOST_BYTES = 256 * 1024 * 1024


class HttpsDownload(Place):
    slug = "https"
    label = "HTTPS download"
    required = ("url",)
    optional = ("user", "filename")

    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        url = errand.settings["url"]
        host = urlsplit(url).hostname or ""
        options: dict[str, Any] = {}
        if user := errand.settings.get("user"):
            options["auth"] = httpx.BasicAuth(user, errand.secret)
        headers = {"Authorization": f"Bearer {errand.secret}"} if errand.secret and not user else {}
        if etag := errand.state.get("etag"):
            headers["If-None-Match"] = etag
        try:
            with outbound_client([host], max_bytes=MOST_BYTES, max_seconds=1800, **options) as client:
                response = client.get(url, headers=headers)
        except VocelioError as error:
            raise PluginError(error.message, permanent=True, code=error.code) from error
        except httpx.HTTPError as error:
            raise PluginError(f"The server cannot be reached: {error}.", permanent=False, code="unreachable") from error
        if response.status_code == httpx.codes.NOT_MODIFIED:
            return
        if response.status_code in (401, 403, 404):
            raise PluginError(f"The server answers {response.status_code}.", permanent=True, code="refused")
        if response.status_code != httpx.codes.OK:
            raise PluginError(f"The server answers {response.status_code}.", permanent=False, code="server")
        digest = hashlib.sha256(response.content).hexdigest()
        if not errand.is_known(f"{url}#{digest}"):
            filename = errand.settings.get("filename") or PurePosixPath(urlsplit(url).path).name or "download"
            yield Fetched(f"{url}#{digest}", filename, response.content)
        # Only once the file is kept: what was lost on the way is asked for again.
        errand.state["etag"] = response.headers.get("etag", "")
