"""How well the offline model finds what belongs together, beside BM25 and TF-IDF over the same texts in the same run.

    .venv/bin/python -m benchmarks.matching_model --half --out /tmp/half.zip
    .venv/bin/python -m benchmarks.matching --half /tmp/half.zip --data ../shared/data/matching

Three questions, macro averages over the queries: the texts of ESCO occupations, of which those of one ISCO group belong
together; the same asked of occupations under other names and without their texts; six job advertisements and the 120
synthetic CVs of their trades. Half of the occupations trained the model; the other half, of which it knows nothing, are
both what is asked and what is found, for every way of comparing.
"""

import argparse
import csv
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ai_matching.embedders.esco import StaticModel, read
from benchmarks.matching_model import occupations

K = 10
TITLE_WEIGHTS = (1.0, 0.7, 0.5, 0.4, 0.3, 0.0)
WORD = re.compile(r"[a-z0-9][a-z0-9+#.]*[a-z0-9+#]|[a-z0-9]")

Pair = tuple[str, str]
Scores = list[np.ndarray]


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def bm25(texts: list[str]) -> Callable[[str], np.ndarray]:
    documents = [Counter(words(text)) for text in texts]
    lengths = np.array([sum(each.values()) for each in documents])
    average = lengths.mean()
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, document in enumerate(documents):
        for word, times in document.items():
            found[word].append((place, times))

    def scores(query: str) -> np.ndarray:
        result = np.zeros(len(texts))
        for word in words(query):
            rows = found.get(word, [])
            rarity = math.log(1 + (len(texts) - len(rows) + 0.5) / (len(rows) + 0.5))
            for place, times in rows:
                result[place] += rarity * times * 2.2 / (times + 1.2 * (0.25 + 0.75 * lengths[place] / average))
        return result

    return scores


def tfidf(texts: list[str]) -> Callable[[str], np.ndarray]:
    frequency = Counter(word for text in texts for word in set(words(text)))
    rarity = {word: math.log((1 + len(texts)) / (1 + times)) + 1 for word, times in frequency.items()}

    def weights(text: str) -> dict[str, float]:
        counted = {word: times * rarity[word] for word, times in Counter(words(text)).items() if word in rarity}
        length = math.sqrt(sum(value * value for value in counted.values())) or 1
        return {word: value / length for word, value in counted.items()}

    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for place, text in enumerate(texts):
        for word, value in weights(text).items():
            found[word].append((place, value))

    def scores(query: str) -> np.ndarray:
        result = np.zeros(len(texts))
        for word, value in weights(query).items():
            for place, other in found.get(word, []):
                result[place] += value * other
        return result

    return scores


def vectors(model: StaticModel, pairs: list[Pair], part: int) -> np.ndarray:
    return model.embed([pair[part] for pair in pairs])


def measured(scores: Scores, relevant: list[np.ndarray]) -> tuple[float, float]:
    """Return the macro P@10 and nDCG@10; equal scores keep the order of the list."""
    precision, gain = [], []
    discount = 1 / np.log2(np.arange(2, K + 2))
    for row, wanted in zip(scores, relevant, strict=True):
        hits = wanted[np.argsort(-row, kind="stable")[:K]].astype(float)
        precision.append(hits.mean())
        gain.append((hits * discount).sum() / discount[: min(K, int(wanted.sum()))].sum())
    return float(np.mean(precision)), float(np.mean(gain))


def compare(
    name: str,
    model: StaticModel,
    queries: list[Pair],
    documents: list[Pair],
    wanted: list[np.ndarray],
    own: list[int | None],
) -> None:
    """Print every way's figures for one question; `own` says which document is the query itself and does not count."""

    def without_own(scores: Scores) -> Scores:
        for row, place in zip(scores, own, strict=True):
            if place is not None:
                row[place] = -9
        return scores

    print(f"\n{name}: {len(queries)} queries, {len(documents)} documents")
    texts = [" ".join(pair) for pair in documents]
    for label, make in (("BM25", bm25), ("TF-IDF", tfidf)):
        scores = make(texts)
        print(
            "  {:<28} P@10 {:.3f}  nDCG@10 {:.3f}".format(
                label, *measured(without_own([scores(" ".join(q)) for q in queries]), wanted)
            )
        )
    title, body = (vectors(model, queries, part) @ vectors(model, documents, part).T for part in (0, 1))
    for weight in TITLE_WEIGHTS:
        figures = measured(without_own(list(weight * title + (1 - weight) * body)), wanted)
        print("  {:<28} P@10 {:.3f}  nDCG@10 {:.3f}".format(f"offline, title {weight:.1f}", *figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/matching"))
    parser.add_argument("--half", type=Path, required=True, help="A model that half of the occupations trained.")
    asked = parser.parse_args()
    data, model = asked.data, read(asked.half)

    held_back = [each for each in occupations(data) if each.is_held_back]
    groups = np.array([each.group for each in held_back])
    sizes = Counter(groups.tolist())
    chosen = [place for place, group in enumerate(groups) if sizes[group] > K]
    pairs = [(each.title, each.description) for each in held_back]
    wanted = []
    for place in chosen:
        row = groups == groups[place]
        row[place] = False
        wanted.append(row)
    queries: list[Pair] = [pairs[place] for place in chosen]
    own: list[int | None] = [*chosen]
    compare("ESCO occupations", model, queries, pairs, wanted, own)

    renamed = [
        (each.others[0] if each.others else each.title, ", ".join(each.others[1:]) or each.title) for each in held_back
    ]
    compare("The same under other names", model, queries, renamed, wanted, own)

    with (data / "synthetic_resumes/job_descriptions.csv").open(encoding="utf-8") as file:
        jobs = list(csv.DictReader(file))
    with (data / "synthetic_resumes/resumes.csv").open(encoding="utf-8") as file:
        cvs = list(csv.DictReader(file))
    posts = [re.search(r"EXPERIENCE\n([^\n—]+)—", each["resume_text"]) for each in cvs]
    people = [(post[1].strip() if post else "", each["resume_text"]) for post, each in zip(posts, cvs, strict=True)]
    trades = np.array([each["category"] for each in cvs])
    compare(
        "Synthetic CVs",
        model,
        [(each["role"], each["job_description"]) for each in jobs],
        people,
        [trades == each["category"] for each in jobs],
        [None] * len(jobs),
    )


if __name__ == "__main__":
    main()
