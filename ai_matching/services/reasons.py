"""Say in plain words why a match scores as it does; the same numbers always give the same sentence."""

from collections.abc import Sequence
from typing import Any

from ai_matching.services.skills import Compared

NAMED = 4


def likeness(value: float) -> str:
    if value >= 0.75:
        return "title and text are very much alike"
    if value >= 0.5:
        return "title and text are alike"
    if value >= 0.25:
        return "title and text have something in common"
    return "title and text have little in common"


def sentence(factors: Sequence[dict[str, Any]], skills: Compared | None) -> str:
    """Return why: skills first, then the other factors from what speaks for the match to what speaks against it."""
    parts = [_skills(skills)] if skills is not None else []
    others = [each for each in factors if each["factor"] != "skills"]
    told = [each["reason"] for each in sorted(others, key=lambda each: (-each["value"], each["factor"]))]
    if told:
        parts.append("; ".join(told))
    return ". ".join(part[0].upper() + part[1:] for part in parts) + "." if parts else ""


def counted(skills: Compared) -> str:
    """Return how many of the required skills somebody has, or of all where none is required."""
    wished = _are_wishes(skills)
    asked = [each for each in (*skills.matched, *skills.near, *skills.missing) if wished or each["required"]]
    has = [each for each in skills.matched if wished or each["required"]]
    word = "skills named" if wished else "required skills" if len(asked) != 1 else "required skill"
    return f"{len(has)} of {len(asked)} {word}"


def _are_wishes(skills: Compared) -> bool:
    return not any(each["required"] for each in (*skills.matched, *skills.near, *skills.missing))


def _skills(skills: Compared) -> str:
    wished = _are_wishes(skills)
    has = [each for each in skills.matched if wished or each["required"]]
    parts = [f"has {counted(skills)}{_names(has)}"]
    extra = [] if wished else [each for each in skills.matched if not each["required"]]
    if extra:
        parts.append(f"also {_listed(extra)}")
    if skills.near:
        parts.append("near: " + ", ".join(f"{each['has']} for {each['name']}" for each in skills.near[:NAMED]))
    lacks = [each for each in skills.missing if wished or each["required"]]
    if lacks:
        parts.append(f"lacks {_listed(lacks)}")
    weak = [each for each in skills.matched if each["level"] < each["wantedLevel"]]
    if weak:
        parts.append(f"less practised than asked in {_listed(weak)}")
    return "; ".join(parts)


def _names(rows: Sequence[dict[str, Any]]) -> str:
    return f" ({_listed(rows)})" if rows else ""


def _listed(rows: Sequence[dict[str, Any]]) -> str:
    names = [each["name"] for each in rows[:NAMED]]
    more = len(rows) - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")
