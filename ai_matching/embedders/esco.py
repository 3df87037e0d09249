"""The embedder that needs no network and no key: word vectors trained on ESCO, shipped beside this file."""

import io
import zipfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import BertWordPieceTokenizer

from ai_matching.embedders import Embedded, Embedder, Vectors

# Made by benchmarks/matching_model.py; origin and licence: docs/dependencies.md.
FILE = Path(__file__).with_name("data") / "esco.zip"
# More than this of a text says little of what it is about, and takes time.
LONGEST = 8_000
# How sharply a text is counted to the occupations it is like, and what that counts of the cosine (measured on
# occupations held back: benchmarks/README.md).
SHARPNESS = 25.0
OCCUPATIONS = 0.35


class EscoEmbedder(Embedder):
    """What the words of a text mean, and which groups of occupations (ISCO) that is like."""

    slug = "esco"
    label = "Offline (ESCO)"
    model = "esco-692"
    version = "1"
    dimensions = 692
    batch = 512
    unlike = 0.05
    alike = 0.80

    def embed(self, texts: Sequence[str]) -> Embedded:
        return Embedded(shipped().embed([text[:LONGEST] for text in texts]))


class StaticModel:
    """A vector for each piece of a word, added up over a text; beside it how like each group of occupations that is."""

    def __init__(self, pieces: Vectors, groups: Any, vocabulary: Sequence[str]) -> None:
        self.pieces, self.groups = pieces, groups.astype(np.float64)
        names = {piece: place for place, piece in enumerate(vocabulary)}
        self.tokenizer = BertWordPieceTokenizer(vocab=names, lowercase=True)

    def tokens(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the places of each text's pieces of words."""
        return [each.ids for each in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def meanings(self, texts: Sequence[str]) -> Vectors:
        """Return a unit vector for each text, zero for one that says nothing."""
        tokens = self.tokens(texts)
        result = np.zeros((len(tokens), self.pieces.shape[1]), dtype=np.float32)
        for row, each in zip(result, tokens, strict=True):
            if each:
                self.pieces[each].sum(axis=0, out=row)
        return unit(result)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return a unit vector for each text: its meaning, and the roots of its shares in groups of occupations.

        The product of two vectors of such roots is 1 where the shares are the same, 0 where they have none in common.
        """
        meanings = self.meanings(texts)
        # In double precision and rounded, so that the texts beside it change nothing of a text's vector.
        likeness = SHARPNESS * (meanings.astype(np.float64) @ self.groups.T)
        shares = np.exp((likeness - likeness.max(axis=1, keepdims=True)) / 2)
        shares[~meanings.any(axis=1)] = 0
        parts = [meanings * np.sqrt(1 - OCCUPATIONS), unit(shares) * np.sqrt(OCCUPATIONS)]
        return np.hstack(parts).round(5).astype(np.float32)


def unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    result: Vectors = vectors / np.where(lengths == 0, 1, lengths)
    return result


@cache
def shipped() -> StaticModel:
    """Return the model, read once a process."""
    return read(FILE)


def read(path: Path) -> StaticModel:
    """Return a model that `write` stored."""
    with zipfile.ZipFile(path) as archive:
        pieces, scales, groups = (
            np.load(io.BytesIO(archive.read(f"{name}.npy"))) for name in ("pieces", "scales", "groups")
        )
        vocabulary = archive.read("vocabulary.txt").decode().split("\n")
    return StaticModel(pieces * scales.astype(np.float32)[:, None], groups.astype(np.float32), vocabulary)


def write(model: StaticModel, path: Path) -> None:
    """Store a model, its numbers in bytes, in the same bytes each time."""
    scales = np.maximum(np.abs(model.pieces).max(axis=1), 1e-6) / 127
    names = sorted(model.tokenizer.get_vocab().items(), key=lambda item: item[1])
    files = {
        "pieces.npy": np.rint(model.pieces / scales[:, None]).astype(np.int8),
        "scales.npy": scales.astype(np.float32),
        "groups.npy": model.groups.astype(np.float16),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in files.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            archive.writestr(zipfile.ZipInfo(name), buffer.getvalue(), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("vocabulary.txt"), "\n".join(name for name, _ in names), zipfile.ZIP_DEFLATED)
