"""OpenAI's embeddings, used when the installation has a key.

The client library takes a second to import, so that is done by who calls OpenAI, not by every process.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
import numpy as np
from django.conf import settings

from ai_matching.embedders import WIDTH, Embedded, Embedder, PluginError
from vocelio.outbound import MEGABYTE, OutboundRefused, OutboundTooLarge, outbound_client

if TYPE_CHECKING:
    from openai import OpenAI

# The model reads 8,191 tokens; a token is hardly ever shorter than this many characters on average.
LONGEST = 20_000
# How often a batch of which a part is missing is asked for again.
TRIES = 3


class OpenAiEmbedder(Embedder):
    """text-embedding-3-small; the same through any server that speaks this API at OPENAI_BASE_URL."""

    slug = "openai"
    label = "OpenAI"
    model = "text-embedding-3-small"
    version = "1"
    dimensions = 1536
    batch = 256
    price = Decimal("0.02")
    is_remote = True
    unlike = 0.15
    alike = 0.75

    @property
    def is_ready(self) -> bool:
        return bool(settings.OPENAI_API_KEY)

    def embed(self, texts: Sequence[str]) -> Embedded:
        found: dict[int, list[float]] = {}
        tokens = requests = 0
        for _ in range(TRIES):
            missing = [place for place in range(len(texts)) if place not in found]
            if not missing:
                break
            # An empty text is refused by the vendor.
            asked = [texts[place][:LONGEST] or " " for place in missing]
            with openai_client() as client, told():
                answer = client.embeddings.create(model=self.model, input=asked, encoding_format="float")
            requests += 1
            tokens += answer.usage.total_tokens
            for each in answer.data:
                if 0 <= each.index < len(missing) and len(each.embedding) == WIDTH:
                    found[missing[each.index]] = each.embedding
        if len(found) < len(texts):
            raise PluginError("OpenAI left out a part of the texts.", permanent=False, code="PARTIAL_ANSWER")
        vectors = np.array([found[place] for place in range(len(texts))], dtype=np.float32).reshape(-1, WIDTH)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Embedded(vectors / np.where(lengths == 0, 1, lengths), tokens=tokens, requests=requests)


def openai_client() -> "OpenAI":
    """Return a client behind the guard of outbound calls. It waits and tries again where the vendor says so."""
    import openai

    host = urlsplit(settings.OPENAI_BASE_URL).hostname or ""
    return openai.OpenAI(
        api_key=settings.OPENAI_API_KEY,
        base_url=settings.OPENAI_BASE_URL,
        max_retries=3,
        # Annotated for another make of the same client.
        http_client=outbound_client([host], timeout=20, max_seconds=60, max_bytes=32 * MEGABYTE),  # type: ignore[arg-type]
    )


class told:
    """Turn what the client library and the guard raise into PluginError."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        import openai

        if isinstance(error, openai.RateLimitError):
            # Too many requests a minute passes; an exhausted quota does not.
            is_over = error.code == "insufficient_quota"
            after = error.response.headers.get("retry-after", "")
            raise PluginError(
                "OpenAI takes no more requests for now.",
                permanent=is_over,
                code="QUOTA" if is_over else "RATE_LIMITED",
                retry_after=float(after) if after.replace(".", "", 1).isdigit() else None,
            ) from error
        if isinstance(error, openai.APIStatusError) and error.status_code < 500:
            raise PluginError(
                f"OpenAI refused the request ({error.status_code}).", permanent=True, code="REFUSED"
            ) from error
        if isinstance(error, (openai.OpenAIError, httpx.HTTPError, OutboundTooLarge)):
            raise PluginError("OpenAI does not answer.", permanent=False, code="UNREACHABLE") from error
        if isinstance(error, OutboundRefused):
            raise PluginError(error.message, permanent=True, code=error.code) from error
