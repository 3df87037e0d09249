"""One file per maker of embeddings. Imports the kernel alone.

An embedder turns texts into unit vectors of at most 1,536 numbers; what is shorter is filled up with zeros when it is
stored, which changes no cosine.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from vocelio.plugins import Plugin, PluginError, find_plugins

Vectors = npt.NDArray[np.float32]
# What a column of the store holds.
WIDTH = 1536


@dataclass(frozen=True)
class Embedded:
    """The vectors of some texts in their order, one row each, and what they cost."""

    vectors: Vectors
    tokens: int = 0
    requests: int = 0


class Embedder(Plugin):
    """A model that turns texts into vectors. Cosines of two models cannot be compared, so every search names one."""

    label: ClassVar[str]
    model: ClassVar[str]
    # Raise it whenever the same text would get another vector.
    version: ClassVar[str]
    dimensions: ClassVar[int]
    # Texts in one call.
    batch: ClassVar[int]
    # US dollars for a million tokens.
    price: ClassVar[Decimal] = Decimal(0)
    # Whether texts leave this machine.
    is_remote: ClassVar[bool] = False
    # The cosines of texts that have nothing in common, and of those that say the same.
    unlike: ClassVar[float]
    alike: ClassVar[float]

    @property
    def is_ready(self) -> bool:
        """Say whether it can be used here: its key is set."""
        return True

    @abstractmethod
    def embed(self, texts: Sequence[str]) -> Embedded:
        """Return a unit vector for each of at most `batch` texts; raise PluginError."""

    def likeness(self, cosine: float) -> float:
        """Return a cosine of this model as a number from 0 to 1 that can be weighed against other factors."""
        return min(1.0, max(0.0, (cosine - self.unlike) / (self.alike - self.unlike)))


def all_embedders() -> dict[str, Any]:
    """Return every embedder by its slug."""
    return find_plugins("ai_matching.embedders", Embedder)


def padded(vectors: Vectors) -> Vectors:
    """Return the vectors as the store holds them."""
    return np.pad(vectors, ((0, 0), (0, WIDTH - vectors.shape[1])))


__all__ = ["WIDTH", "Embedded", "Embedder", "PluginError", "Vectors", "all_embedders", "padded"]
