"""Weights that would have put good matches before bad ones, as people and outcomes judged them. A person decides."""

import uuid
from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np

from ai_matching.services.decisions import judged_results
from ai_matching.services.settings import WEIGHTS, own_settings, update_settings, weights_of
from vocelio.audit.services import record
from vocelio.errors import Conflict

# Fewer judged results, or fewer jobs with good and bad ones, tell nothing.
RESULTS, JOBS = 40, 6
# Every third job is held back to see what the weights are worth.
HELD_BACK = 3
STEPS, RATE = 400, 0.05
# How much weights are drawn to those that stand: few judgements move them little.
CAUTION = 0.5
K = 10


class NotEnoughJudged(Conflict):
    code = "NOT_ENOUGH_JUDGED"
    message = "Too few results were judged to propose weights."


class NoBetterWeights(Conflict):
    code = "NO_BETTER_WEIGHTS"
    message = "No weights are known that order judged results better than those that count now."


class Judged(NamedTuple):
    """The judged results of one job: a row of factors each, and which were good."""

    factors: np.ndarray
    good: np.ndarray


def propose_weights() -> dict[str, Any]:
    """Return the weights that stand and those that past judgements speak for, each with what it would have done.

    Precision and order are those on jobs that were held back; what does no better there is not proposed. The same
    judgements always give the same proposal.
    """
    jobs = _by_job()
    number = sum(len(each.good) for each in jobs)
    current = weights_of(own_settings())
    held = jobs[::HELD_BACK]
    known = [each for place, each in enumerate(jobs) if place % HELD_BACK]
    is_ready = number >= RESULTS and len(jobs) >= JOBS
    answer: dict[str, Any] = {
        "isReady": is_ready,
        "judged": number,
        "jobs": len(jobs),
        "neededJudged": RESULTS,
        "neededJobs": JOBS,
        "current": _worth(current, held),
        "proposed": None,
    }
    if is_ready:
        found = _worth(_fitted(current, known), held)
        if (found["rightOrder"], found["precision"]) > (
            answer["current"]["rightOrder"],
            answer["current"]["precision"],
        ):
            answer["proposed"] = found
    return answer


def accept_weights() -> dict[str, Any]:
    """Let the proposed weights count from now on, as a person decided."""
    proposal = propose_weights()
    if proposal["proposed"] is None:
        raise NoBetterWeights if proposal["isReady"] else NotEnoughJudged
    weights: dict[str, float] = proposal["proposed"]["weights"]
    update_settings(weights=weights)
    record("weights_proposal.accepted", "aisettings", own_settings().pk, judged=proposal["judged"])
    return propose_weights()


def reject_weights() -> dict[str, Any]:
    """Note that a person does not want the proposed weights; those that stand stay."""
    proposal = propose_weights()
    record("weights_proposal.rejected", "aisettings", "", judged=proposal["judged"])
    return proposal


def _by_job() -> list[Judged]:
    """Return the judged results of jobs that have good and bad ones."""
    rows: dict[uuid.UUID, list[tuple[list[float], bool]]] = defaultdict(list)
    seen: set[Any] = set()
    for row, is_good in judged_results():
        # Shown again, a pair counts once, as it was judged last.
        if row.job_id is not None and (row.job_id, row.contact_id) not in seen:
            seen.add((row.job_id, row.contact_id))
            values = {each["factor"]: float(each["value"]) for each in row.factors}
            # What a job does not ask for is the same for all of its candidates.
            rows[row.job_id].append(([values.get(name, 0.0) for name in WEIGHTS], is_good))
    return [
        Judged(np.array([values for values, _ in some]), np.array([good for _, good in some]))
        for _, some in sorted(rows.items())
        if len({good for _, good in some}) == 2
    ]


def _fitted(current: dict[str, float], jobs: list[Judged]) -> dict[str, float]:
    """Return weights by logistic regression on pairs of a good and a bad result of one job, none below zero."""
    pairs = np.vstack(
        [(each.factors[each.good][:, None] - each.factors[~each.good][None]).reshape(-1, len(WEIGHTS)) for each in jobs]
    )
    start = np.array([current[name] for name in WEIGHTS])
    weights = start.copy()
    for _ in range(STEPS):
        # Times ten, since scores of one job lie close together.
        wrong = 1 / (1 + np.exp(np.clip(10 * pairs @ weights, -30, 30)))
        weights += RATE * ((wrong[:, None] * pairs).mean(axis=0) - CAUTION * (weights - start))
        weights = np.maximum(weights, 0)
        weights /= weights.sum() or 1
    return {name: round(float(weight), 4) for name, weight in zip(WEIGHTS, weights, strict=True)}


def _worth(weights: dict[str, float], jobs: list[Judged]) -> dict[str, Any]:
    """Return what some weights would have done: precision of the first ten, and pairs in the right order."""
    by_factor = np.array([weights[name] for name in WEIGHTS])
    precisions, right, pairs = [], 0.0, 0
    for each in jobs:
        scores = each.factors @ by_factor
        precisions.append(float(each.good[np.argsort(-scores, kind="stable")[:K]].mean()))
        differences = scores[each.good][:, None] - scores[~each.good][None]
        right += float((differences > 0).sum() + 0.5 * (differences == 0).sum())
        pairs += differences.size
    return {
        "weights": weights,
        "precision": round(float(np.mean(precisions)), 3) if precisions else None,
        "rightOrder": round(right / pairs, 3) if pairs else None,
    }
