from collections.abc import Iterator

import pytest

from tests.ai_matching.openai_fake import OpenAiFake, serve


@pytest.fixture
def openai(settings) -> Iterator[OpenAiFake]:
    """Return OpenAI as this installation knows it, with a key."""
    fake = OpenAiFake()
    with serve(fake) as port:
        settings.OPENAI_API_KEY = "sk-test"
        settings.OPENAI_BASE_URL = f"http://127.0.0.1:{port}/v1"
        settings.OUTBOUND_TRUSTED = [f"127.0.0.1:{port}"]
        yield fake
