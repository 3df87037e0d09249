"""How likely a deal in a stage is won, by what became of deals that were there.

The changes of stage make an absorbing Markov chain (Kemeny and Snell, Finite Markov Chains, 1960, chapter 3): with T
the shares of moves between open stages and w those to won, the chances p solve p = T p + w.
"""

from collections.abc import Hashable, Mapping
from typing import TypeVar

StageT = TypeVar("StageT", bound=Hashable)


def chances(moves: Mapping[tuple[StageT, StageT], int], won: set[StageT], lost: set[StageT]) -> dict[StageT, float]:
    """Return the share of deals in each open stage that end up won, by counted moves {(from, to): number}.

    Stages that no counted deal has left are missing; those from which nobody came to an end are 0.
    """
    leaving: dict[StageT, int] = {}
    for (source, target), number in moves.items():
        if source != target and source not in won and source not in lost:
            leaving[source] = leaving.get(source, 0) + number
    stages = [stage for stage, number in leaving.items() if number]
    place = {stage: index for index, stage in enumerate(stages)}
    size = len(stages)
    # Rows of (1 - T | w).
    rows = [[float(row == column) for column in range(size)] + [0.0] for row in range(size)]
    for (source, target), number in moves.items():
        if source not in place or source == target:
            continue
        share = number / leaving[source]
        if target in won:
            rows[place[source]][size] += share
        elif target in place:
            rows[place[source]][place[target]] -= share
    return dict(zip(stages, _solve(rows), strict=True))


def _solve(rows: list[list[float]]) -> list[float]:
    """Solve by elimination with partial pivoting; a circle that nothing leaves has no chance."""
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda row: abs(rows[row][column]))
        if abs(rows[pivot][column]) < 1e-12:
            continue
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for row in range(size):
            if row != column and rows[row][column]:
                factor = rows[row][column] / rows[column][column]
                rows[row] = [a - factor * b for a, b in zip(rows[row], rows[column], strict=True)]
    return [
        min(1.0, max(0.0, rows[index][size] / rows[index][index])) if abs(rows[index][index]) > 1e-12 else 0.0
        for index in range(size)
    ]
