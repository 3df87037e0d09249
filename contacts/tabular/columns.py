"""Guess which column of a file holds which field of a contact or a company."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contacts.phones import Phone, normalize_many
from contacts.tabular.column_names import PEOPLE, Vocabulary

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LEAST_CONFIDENCE = 0.3
_FIT_FOR_NO_NAME = 0.8


@dataclass(frozen=True)
class ColumnGuess:
    """One column: the field it fills, or None for a custom field named as the header."""

    index: int
    header: str
    field: str | None
    confidence: float


def guess_columns(
    headers: Sequence[str],
    sample_rows: Sequence[Sequence[str]],
    region: str = "US",
    vocabulary: Vocabulary = PEOPLE,
) -> list[ColumnGuess]:
    """Return one guess per column, no field twice: the header decides, the content breaks ties.

    `full_name` may be guessed beside `first_name` and `last_name`; it then matters only where both are blank.
    """
    columns = [[row[index].strip() for row in sample_rows if index < len(row)] for index in range(len(headers))]
    scores: list[tuple[float, int, str]] = []
    for index, (header, cells) in enumerate(zip(headers, columns, strict=True)):
        filled = [cell for cell in cells if cell]
        known = vocabulary.known_name(header)
        if known:
            score = 1 - 0.005 * known.rank - 0.05 * min(known.number - 1, 8)
            scores.append((score * _plausibility(known.field, cells, filled, region), index, known.field))
        elif filled:
            # Nameless, or named in a way we do not know: e-mail addresses and phone numbers speak for themselves.
            for field in _FIT:
                fit = _FIT[field](filled, region)
                if fit >= _FIT_FOR_NO_NAME:
                    scores.append((0.6 * fit, index, field))
    guessed: dict[int, tuple[str, float]] = {}
    taken: set[str] = set()
    for score, index, field in sorted(scores, key=lambda each: (-each[0], each[1])):
        if field not in taken and index not in guessed and score >= _LEAST_CONFIDENCE:
            taken.add(field)
            guessed[index] = field, round(score, 2)
    # "Vorname; Name" and "Prenom; Name": beside a first name alone, the name is the last name.
    if "first_name" in taken and "last_name" not in taken:
        guessed = {
            index: ("last_name" if field == "full_name" else field, score) for index, (field, score) in guessed.items()
        }
    return [ColumnGuess(index, header, *guessed.get(index, (None, 0.0))) for index, header in enumerate(headers)]


def _plausibility(field: str, cells: list[str], filled: list[str], region: str) -> float:
    if not filled:
        return 0.8 if not cells else 0.6
    if field not in _FIT:
        return 1.0
    return 0.5 + 0.5 * _FIT[field](filled, region)


def _email_fit(cells: list[str], region: str) -> float:
    return sum(1 for cell in cells if _EMAIL.fullmatch(cell)) / len(cells)


def _phone_fit(cells: list[str], region: str) -> float:
    return sum(1 for phone in normalize_many(cells, region) if isinstance(phone, Phone)) / len(cells)


_FIT: dict[str, Callable[[list[str], str], float]] = {"email": _email_fit, "phone": _phone_fit}
