"""The embedder that needs no network and no key: words and what they tell of, learnt from ESCO, shipped beside this file."""

import io
import re
import zipfile
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from tokenizers import BertWordPieceTokenizer

from ai_matching.embedders import Embedded, Embedder, Vectors

# Made by benchmarks/matching_model.py; origin and licence: docs/dependencies.md.
FILE = Path(__file__).with_name("data") / "esco.zip"
# More than this of a text says little of what it is about, and takes time.
LONGEST = 8_000
# What the meaning of a text counts of the cosine, and what the groups of occupations that its words tell of, with how
# sharply those are told apart. Measured within the half of the occupations that benchmarks/README.md does not ask about.
MEANING, TOLD = 0.75, 0.25
SHARPNESS = 130.0

WORD = re.compile(r"\w+")
ENDINGS = ("ing", "ers", "er", "ors", "or", "ies", "es", "s", "ed")
# Words, and pairs of them, share so many places.
PLACES = 1 << 16


class EscoEmbedder(Embedder):
    """What the words of a text mean, and which groups of occupations (ISCO) they tell of."""

    slug = "esco"
    label = "Offline (ESCO)"
    model = "esco-words-692"
    version = "1"
    dimensions = 692
    batch = 512
    unlike = 0.05
    alike = 0.75

    def embed(self, texts: Sequence[str]) -> Embedded:
        return Embedded(shipped().embed([text[:LONGEST] for text in texts]))


class WordModel(NamedTuple):
    """Which groups of occupations words and pairs of words tell of: a few numbers a place, and what those say of groups."""

    rarity: Vectors
    words: Vectors
    axes: Any

    def groups(self, texts: Sequence[str]) -> Any:
        """Return how much each text tells of each group, in double precision."""
        told = np.zeros((len(texts), self.words.shape[1]))
        for row, text in zip(told, texts, strict=True):
            places, counts = places_of(text)
            if len(places):
                weights = weights_of(counts, self.rarity[places])
                row[:] = (weights[:, None] * self.words[places]).sum(axis=0)
        return told @ self.axes


class StaticModel:
    """A vector for each piece of a word, added up over a text; beside it which groups of occupations its words tell of."""

    def __init__(self, pieces: Vectors, vocabulary: Sequence[str], words: WordModel) -> None:
        self.pieces, self.words = pieces, words
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
        likeness = SHARPNESS * self.words.groups(texts)
        shares = np.exp((likeness - likeness.max(axis=1, keepdims=True)) / 2)
        shares[~meanings.any(axis=1)] = 0
        # Rounded, so that the texts beside it change nothing of a text's vector.
        parts = [meanings * np.sqrt(MEANING), unit(shares) * np.sqrt(TOLD)]
        return np.hstack(parts).round(5).astype(np.float32)


def places_of(text: str) -> tuple[Any, Any]:
    """Return the places of a text's words and pairs of neighbouring words, and how often each comes."""
    codes = np.array([code(word) for word in WORD.findall(text.lower())], dtype=np.uint64)
    pairs = ((31 * codes[:-1] + 17 * codes[1:] + 7) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(20)
    return np.unique(np.concatenate([codes, pairs]) % PLACES, return_counts=True)


def weights_of(counts: Any, rarity: Any) -> Any:
    """Return what each place counts in a text: more where it comes often and is rare; one in all."""
    weights = (1 + np.log(counts)) * rarity
    return weights / np.linalg.norm(weights)


@lru_cache(maxsize=100_000)
def code(word: str) -> int:
    """Return a number for a word, the same for most of its forms."""
    ending = next((each for each in ENDINGS if word.endswith(each) and len(word) - len(each) >= 4), "")
    return crc32(word.removesuffix(ending).encode())


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

        def stored(name: str) -> Any:
            return np.load(io.BytesIO(archive.read(f"{name}.npy"))).astype(np.float32)

        pieces, words = (stored(name) * stored(f"{name}_scales")[:, None] for name in ("pieces", "words"))
        vocabulary = archive.read("vocabulary.txt").decode().split("\n")
        found = WordModel(stored("rarity"), words, stored("axes").astype(np.float64))
        return StaticModel(pieces, vocabulary, found)


def write(model: StaticModel, path: Path) -> None:
    """Store a model, its numbers in bytes, in the same bytes each time."""
    names = sorted(model.tokenizer.get_vocab().items(), key=lambda item: item[1])
    files = {
        "rarity": model.words.rarity.astype(np.float16),
        "axes": model.words.axes.astype(np.float16),
    }
    for name, rows in (("pieces", model.pieces), ("words", model.words.words)):
        scales = np.maximum(np.abs(rows).max(axis=1), 1e-6) / 127
        files |= {name: np.rint(rows / scales[:, None]).astype(np.int8), f"{name}_scales": scales.astype(np.float32)}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in files.items():
            buffer = io.BytesIO()
            np.save(buffer, array)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue(), zipfile.ZIP_DEFLATED)
        archive.writestr(zipfile.ZipInfo("vocabulary.txt"), "\n".join(name for name, _ in names), zipfile.ZIP_DEFLATED)
