"""Which of the skills a job asks for a candidate has, under whatever name, and which come near."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from ai_matching.embedders import Vectors, all_embedders
from recruitment.cv.skills import dictionary, find_skills, own, shipped
from recruitment.models.skills import fold

# Cosines of the offline model from which two names of skills are akin; judged on pairs of the dictionary by hand.
AKIN = 0.70
# What a skill counts that is only near the one asked for, and what each level short of the wanted one takes away.
NEAR = 0.5
SHORT = 0.15
# What a required skill counts against one that is merely wished.
REQUIRED = 3.0


@dataclass(frozen=True)
class Asked:
    """A skill a job asks for."""

    name: str
    level: int = 3
    is_required: bool = True


@dataclass(frozen=True)
class Had:
    """A skill a candidate has."""

    name: str
    level: int = 3
    years: float = 0


@dataclass(frozen=True)
class Compared:
    """The asked skills, each with what the candidate has instead: [{name, required, has, level, wanted, years, credit}]."""

    share: float
    matched: tuple[dict[str, Any], ...]
    near: tuple[dict[str, Any], ...]
    missing: tuple[dict[str, Any], ...]


@lru_cache(maxsize=20_000)
def canonical(name: str) -> str:
    """Return one name for all ways to write a skill: ESCO's, where it knows the skill."""
    folded = fold(name)
    return fold(shipped().get(folded, folded))


def named_in(text: str) -> list[str]:
    """Return the skills a text names, of the dictionary and in the organization's own words."""
    return list(find_skills(text, dictionary(own().items())))


def asked_in(text: str) -> list[Asked]:
    """Return the skills a text names, as wishes, since nobody said which are required."""
    return [Asked(name, is_required=False) for name in named_in(text)]


def compare(asked: Sequence[Asked], had: Sequence[Had]) -> Compared:
    """Return how much of what is asked a candidate has, from 0 to 1, and what it is made of."""
    by_name = {canonical(each.name): each for each in had}
    # What answers one wish exactly does not answer another one nearly.
    exact = {canonical(each.name) for each in asked}
    others = tuple(name for name in by_name if name not in exact)
    matched, near, missing = [], [], []
    got = whole = 0.0
    for each in asked:
        weight = REQUIRED if each.is_required else 1.0
        whole += weight
        row: dict[str, Any] = {"name": each.name, "required": each.is_required, "wantedLevel": each.level}
        found = by_name.get(canonical(each.name))
        if found is not None:
            got += weight * max(0.4, 1 - SHORT * max(0, each.level - found.level))
            matched.append(row | {"has": found.name, "level": found.level, "years": float(found.years)})
            continue
        akin = _nearest(canonical(each.name), others)
        if akin is not None:
            found = by_name[akin]
            got += weight * NEAR
            near.append(row | {"has": found.name, "level": found.level, "years": float(found.years)})
        else:
            missing.append(row)
    return Compared(got / whole if whole else 0.0, tuple(matched), tuple(near), tuple(missing))


def _nearest(name: str, others: Sequence[str]) -> str | None:
    """Return the skill most akin to this one, if any is; names that share letters only are no kin."""
    if not others:
        return None
    likeness = np.stack([_vector(other) for other in others]) @ _vector(name)
    place = int(np.argmax(likeness))
    return others[place] if likeness[place] >= AKIN else None


@lru_cache(maxsize=20_000)
def _vector(name: str) -> Vectors:
    # The offline model always: the same skills are akin whatever model answers, and nothing is sent anywhere.
    vector: Vectors = all_embedders()["wordllama"].embed([name]).vectors[0]
    return vector
