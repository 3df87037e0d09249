"""The embedder that needs no network and no key: weights from the package wordllama, 16 MB."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from ai_matching.embedders import Embedded, Embedder

# More than this of a text says little of what it is about, and takes time.
LONGEST = 8_000


class WordLlamaEmbedder(Embedder):
    """Averages of word vectors: the same text has the same vector on every machine."""

    slug = "wordllama"
    label = "Offline (WordLlama)"
    model = "l2_supercat_256"
    version = "0.4.0"
    dimensions = 256
    batch = 512
    unlike = 0.05
    alike = 0.80

    def embed(self, texts: Sequence[str]) -> Embedded:
        vectors = loaded().embed([text[:LONGEST] for text in texts])
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Embedded((vectors / np.where(lengths == 0, 1, lengths)).astype(np.float32))


@cache
def loaded() -> Any:
    """Return the model, read once a process from the installed package; it never looks elsewhere."""
    import wordllama

    return wordllama.WordLlama.load(cache_dir=Path(wordllama.__file__).parent, disable_download=True)
