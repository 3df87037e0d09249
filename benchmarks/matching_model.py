"""Train the offline model on ESCO's occupations: what pieces of words from MiniLM mean, and what words tell of groups.

    pip install -r requirements-bench.txt
    .venv/bin/python -m benchmarks.matching_model --data ../shared/data/matching --out ai_matching/embedders/data/esco.zip
    .venv/bin/python -m benchmarks.matching_model --half --out half.zip

With `--half`, every second occupation (by a hash of its address) is held back, for benchmarks/matching.py to ask about.
Takes about five minutes of one core (`OPENBLAS_NUM_THREADS=1` on a busy machine) and 3.5 GB; the same each time.
"""

import argparse
import csv
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ai_matching.embedders.esco import PLACES, StaticModel, WordModel, places_of, unit, weights_of, write
from benchmarks import minilm

WIDTH = 256
EPOCHS, BATCH, RATE, DROPPED = 8, 256, 0.006, 0.5
TEMPERATURE = 0.07
# Against its group a text counts whole, against its own occupation a fifth.
OCCUPATION = 0.2
LONGEST = 120
RARE = 1e-3
# Numbers a place of words has, and how much the words' weights are held small.
AXES, RIDGE = 128, 4.0


class Occupation(NamedTuple):
    """An occupation of ESCO."""

    address: str
    group: str
    title: str
    description: str
    others: list[str]

    @property
    def is_held_back(self) -> bool:
        return int(hashlib.sha256(self.address.encode()).hexdigest(), 16) % 2 == 1


def occupations(data: Path) -> list[Occupation]:
    with (data / "esco/occupations_en.csv").open(encoding="utf-8") as file:
        return [
            Occupation(
                row["conceptUri"],
                row["iscoGroup"],
                row["preferredLabel"],
                row["description"],
                [name for name in row["altLabels"].split("\n") if name],
            )
            for row in csv.DictReader(file)
        ]


def first_pieces() -> np.ndarray:
    """Return MiniLM's pieces in fewer dimensions, frequent ones (the first of its vocabulary) counting less."""
    own = minilm.pieces()
    own -= own.mean(axis=0)
    _, axes = np.linalg.eigh(own[1_000:].T @ own[1_000:])
    frequency = 1 / (np.arange(len(own)) + 2.7)
    frequency /= frequency.sum()
    return unit(own @ axes[:, ::-1][:, :WIDTH]) * (RARE / (RARE + frequency))[:, None].astype(np.float32)


def train(model: StaticModel, known: list[Occupation], groups: dict[str, tuple[str, str]]) -> StaticModel:
    """Bring each text near to the others of its occupation and of its group; return the model."""
    codes = sorted(groups)
    texts, of_group, of_occupation = [], [], []
    for place, each in enumerate(known):
        own = [each.title, each.description, f"{each.title} {each.description}", *each.others]
        texts += own
        of_group += [codes.index(each.group)] * len(own)
        of_occupation += [place] * len(own)
    # Names and descriptions of the groups themselves are no occupations.
    for place, code in enumerate(codes):
        texts += groups[code]
        of_group += [place, place]
        of_occupation += [-1, -1]
    tokens = [np.array(each, dtype=np.int64) for each in model.tokens(texts)]
    labels = [np.array(of_group), np.array(of_occupation)]
    draw = np.random.default_rng(1)
    pieces = Moving(model.pieces, RATE * float(np.linalg.norm(model.pieces, axis=1).mean()))
    meanings = model.meanings(texts)
    centres = []
    for label, number in zip(labels, (len(codes), len(known)), strict=True):
        centre = np.zeros((number, WIDTH), dtype=np.float32)
        np.add.at(centre, label[label >= 0], meanings[label >= 0])
        centres.append(Moving(unit(centre), 2 * RATE))
    for epoch in range(EPOCHS):
        loss = 0.0
        order = draw.permutation(len(tokens))
        for start in range(0, len(order), BATCH):
            some = order[start : start + BATCH]
            loss += step(
                [thinned(tokens[place], draw) for place in some], [label[some] for label in labels], pieces, centres
            )
        print(f"epoch {epoch + 1}: {loss / len(order):.3f}", flush=True)
    model.pieces = pieces.values
    return model


def learn_words(known: list[Occupation], groups: dict[str, tuple[str, str]]) -> WordModel:
    """Find by ridge regression which groups words and pairs of words tell of, in few dimensions."""
    codes = sorted(groups)
    texts, of_group = [], []
    comes_in = np.zeros(PLACES)
    for each in known:
        own = [each.title, each.description, f"{each.title} {each.description}", ", ".join(each.others) or each.title]
        texts += own
        of_group += [codes.index(each.group)] * len(own)
        comes_in[np.unique(np.concatenate([places_of(text)[0] for text in own]).astype(np.int64))] += 1
    for place, code in enumerate(codes):
        texts += groups[code]
        of_group += [place, place]
    rarity = (np.log((1 + len(known)) / (1 + comes_in)) + 1).astype(np.float32)
    counted = [places_of(text) for text in texts]
    rows = csr_array(
        (
            np.concatenate([weights_of(counts, rarity[places]) for places, counts in counted]).astype(np.float32),
            np.concatenate([places for places, _ in counted]).astype(np.int64),
            np.cumsum([0, *(len(places) for places, _ in counted)]),
        ),
        shape=(len(texts), PLACES),
    )
    wanted = np.zeros((len(texts), len(codes)), dtype=np.float32)
    wanted[np.arange(len(texts)), of_group] = 1
    alike = (rows @ rows.T).toarray()
    alike[np.diag_indices(len(texts))] += RIDGE
    words = rows.T @ np.linalg.solve(alike, wanted)
    _, axes = np.linalg.eigh(words.T @ words)
    axes = axes[:, ::-1][:, :AXES]
    return WordModel(rarity, words @ axes, axes.T)


class Moving:
    """Numbers that follow their gradients (Adam)."""

    def __init__(self, values: np.ndarray, rate: float) -> None:
        self.values, self.rate = values.astype(np.float32).copy(), rate
        self.mean, self.spread = np.zeros_like(self.values), np.zeros_like(self.values)

    def follow(self, rows: np.ndarray | slice, gradient: np.ndarray) -> None:
        self.mean[rows] = 0.9 * self.mean[rows] + 0.1 * gradient
        self.spread[rows] = 0.99 * self.spread[rows] + 0.01 * gradient**2
        self.values[rows] -= self.rate * self.mean[rows] / (np.sqrt(self.spread[rows]) + 1e-7)


def thinned(tokens: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Leave out some pieces of a text, so that none of them is relied on alone."""
    if len(tokens) > 2:
        kept = tokens[draw.random(len(tokens)) > DROPPED]
        tokens = kept if len(kept) else tokens
    return tokens[:LONGEST]


def step(tokens: list[np.ndarray], labels: list[np.ndarray], pieces: Moving, centres: list[Moving]) -> float:
    """Take one step down the cross-entropy of telling groups and occupations apart; return it."""
    lengths = np.array([len(each) for each in tokens])
    flat, owner = np.concatenate(tokens), np.repeat(np.arange(len(tokens)), lengths)
    summed = np.zeros((len(tokens), WIDTH), dtype=np.float32)
    np.add.at(summed, owner, pieces.values[flat])
    length = np.linalg.norm(summed, axis=1, keepdims=True) + 1e-9
    texts = summed / length
    gradient, loss = np.zeros_like(texts), 0.0
    for label, centre, counts in zip(labels, centres, (1.0, OCCUPATION), strict=True):
        rows = np.flatnonzero(label >= 0)
        shares = np.exp((texts[rows] @ centre.values.T - 1) / TEMPERATURE)
        shares /= shares.sum(axis=1, keepdims=True)
        own = np.arange(len(rows)), label[rows]
        loss -= counts * float(np.log(shares[own] + 1e-9).sum())
        shares[own] -= 1
        shares *= counts / TEMPERATURE / len(tokens)
        gradient[rows] += shares @ centre.values
        centre.follow(slice(None), shares.T @ texts[rows])
        centre.values = unit(centre.values)
    gradient = (gradient - (gradient * texts).sum(axis=1, keepdims=True) * texts) / length
    found, places = np.unique(flat, return_inverse=True)
    of_pieces = np.zeros((len(found), WIDTH), dtype=np.float32)
    np.add.at(of_pieces, places, gradient[owner])
    pieces.follow(found, of_pieces)
    return loss


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/matching"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--half", action="store_true")
    asked = parser.parse_args()
    known = [each for each in occupations(asked.data) if not (asked.half and each.is_held_back)]
    with (asked.data / "esco/ISCOGroups_en.csv").open(encoding="utf-8") as file:
        groups = {
            row["code"]: (row["preferredLabel"], row["description"])
            for row in csv.DictReader(file)
            if len(row["code"]) == 4
        }
    pieces = first_pieces()
    model = StaticModel(pieces, minilm.vocabulary(), learn_words(known, groups))
    write(train(model, known, groups), asked.out)


if __name__ == "__main__":
    main()
