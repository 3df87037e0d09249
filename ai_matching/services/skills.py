"""Which of the skills a job asks for a candidate has, under whatever name, and which come near."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from recruitment.cv.skills import dictionary, find_skills, own, shipped
from recruitment.models.skills import fold

# Pairs of the dictionary's skills that are akin, by what their names mean; made by benchmarks/akin_skills.py.
AKIN = Path(__file__).parent.parent / "data" / "akin_skills.tsv"
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


class Had(NamedTuple):
    """A skill a candidate has."""

    name: str
    level: int = 3
    years: float = 0


@dataclass(frozen=True)
class Compared:
    """The asked skills: those there, those near to what the candidate has instead, and those missing."""

    share: float
    has: tuple[tuple[Asked, Had], ...]
    akin: tuple[tuple[Asked, Had], ...]
    lacks: tuple[Asked, ...]
    # Whether the candidate names any skill at all.
    is_told: bool = True

    @property
    def matched(self) -> list[dict[str, Any]]:
        return [shown(*pair) for pair in self.has]

    @property
    def near(self) -> list[dict[str, Any]]:
        return [shown(*pair) for pair in self.akin]

    @property
    def missing(self) -> list[dict[str, Any]]:
        return [shown(each) for each in self.lacks]


def shown(asked: Asked, had: Had | None = None) -> dict[str, Any]:
    """Return a skill that is asked for, and what the candidate has of it."""
    row: dict[str, Any] = {"name": asked.name, "required": asked.is_required, "wantedLevel": asked.level}
    return row if had is None else row | {"has": had.name, "level": had.level, "years": had.years}


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


class Wanted:
    """The skills that are asked for, to be compared with those of many candidates."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        exact = {canonical(each.name) for each in asked}
        # What answers one wish exactly does not answer another one nearly.
        self.asked = [
            (each, name, [other for other in akin().get(name, ()) if other not in exact])
            for each, name in ((each, canonical(each.name)) for each in asked)
        ]

    def compare(self, had: Sequence[Had]) -> Compared:
        """Return how much of what is asked a candidate has, from 0 to 1, and what it is made of."""
        by_name = {canonical(each.name): each for each in had}
        has, near, lacks = [], [], []
        got = whole = 0.0
        for each, name, others in self.asked:
            weight = REQUIRED if each.is_required else 1.0
            whole += weight
            found = by_name.get(name)
            if found is not None:
                got += weight * max(0.4, 1 - SHORT * max(0, each.level - found.level))
                has.append((each, found))
                continue
            instead = next((by_name[other] for other in others if other in by_name), None)
            if instead is not None:
                got += weight * NEAR
                near.append((each, instead))
            else:
                lacks.append(each)
        return Compared(got / whole if whole else 0.0, tuple(has), tuple(near), tuple(lacks), bool(had))


@cache
def akin() -> Mapping[str, Sequence[str]]:
    """Return the skills akin to each one, the most akin first: the same whatever model answers."""
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for line in AKIN.read_text(encoding="utf-8").splitlines():
        one, other, likeness = line.split("\t")
        found[fold(one)].append((-float(likeness), fold(other)))
        found[fold(other)].append((-float(likeness), fold(one)))
    return {name: [other for _, other in sorted(others)] for name, others in found.items()}
