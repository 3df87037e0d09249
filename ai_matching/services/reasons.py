"""Say in plain words why a match scores as it does; the same numbers always give the same sentence."""

from collections.abc import Sequence
from typing import Any

from ai_matching.services.skills import Compared

NAMED = 4
# From this value on a factor speaks for a match. Texts are hardly ever wholly alike.
FULL = 0.9
GOOD = {"similarity": 0.5}
NAMES = {"similarity": "title and text", "skills": "skills"}
# Fewer points are not worth a word.
LEAST = 0.5


def likeness(value: float) -> str:
    if value >= 0.75:
        return "title and text are very much alike"
    if value >= 0.5:
        return "title and text are alike"
    if value >= 0.25:
        return "title and text have something in common"
    return "title and text have little in common"


def sentence(factors: Sequence[dict[str, Any]], skills: Compared | None) -> str:
    """Return why: the skills, then what speaks for the match, then what takes how many points from a hundred.

    What counts most comes first, so that two sentences tell why one stands before the other.
    """
    told = [_skills(skills)] if skills is not None else []
    good = [each for each in factors if each["factor"] != "skills" and each["value"] >= GOOD.get(each["factor"], FULL)]
    told.append("; ".join(each["reason"] for each in sorted(good, key=lambda each: (-each["points"], each["factor"]))))
    lost = []
    for each in factors:
        points = 100 * each["weight"] - each["points"]
        if points >= LEAST:
            # What was told above is only named.
            is_told = each["factor"] == "skills" or each in good
            lost.append((-points, NAMES.get(each["factor"], each["reason"]) if is_told else each["reason"]))
    if lost:
        told.append("points lost: " + "; ".join(f"{what} ({points:.1f})" for points, what in sorted(lost)))
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in told if part)


def counted(skills: Compared) -> str:
    """Return how many of the required skills somebody has, or of those named where none is required."""
    wished = _are_wishes(skills)
    asked = [each for each in (*skills.matched, *skills.near, *skills.missing) if wished or each["required"]]
    has = [each for each in skills.matched if wished or each["required"]]
    number, own = len(asked), len(has)
    word = "skill" if number == 1 else "skills"
    told = f"{word} named" if wished else f"required {word}"
    if own < number:
        return f"{own} of {number} {told}" if own or number == 1 else f"none of the {number} {told}"
    whole = {1: "the", 2: "both"}.get(number, f"all {number}")
    return f"{whole} {told}"


def _are_wishes(skills: Compared) -> bool:
    return not any(each["required"] for each in (*skills.matched, *skills.near, *skills.missing))


def _skills(skills: Compared) -> str:
    if not skills.is_told:
        return f"lists no skills; asked for are {_listed(skills.missing)}"
    wished = _are_wishes(skills)
    has = [each for each in skills.matched if wished or each["required"]]
    told = f"has {counted(skills)}{_names(has)}"
    weak = [each for each in skills.matched if each["level"] < each["wantedLevel"]]
    if weak:
        told += ", but less practised than asked in " + _listed(weak, "{name} ({level} of {wantedLevel})")
    parts = [told]
    extra = [] if wished else [each for each in skills.matched if not each["required"]]
    if extra:
        parts.append(f"also {_listed(extra)}")
    if skills.near:
        parts.append(f"something near instead: {_listed(skills.near, '{has} for {name}')}")
    lacks = [each for each in skills.missing if wished or each["required"]]
    if lacks:
        parts.append(f"lacks {_listed(lacks)}")
    return "; ".join(parts)


def _names(rows: Sequence[dict[str, Any]]) -> str:
    return f" ({_listed(rows)})" if rows else ""


def _listed(rows: Sequence[dict[str, Any]], pattern: str = "{name}") -> str:
    names = [pattern.format(**each) for each in rows[:NAMED]]
    more = len(rows) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
