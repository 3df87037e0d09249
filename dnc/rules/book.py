"""The rules that hold on a day."""

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "rules.json"


@dataclass(frozen=True)
class Rule:
    """One rule: where and from when to when it holds, what it says, and where that is written."""

    id: str
    kind: str
    jurisdiction: str
    start: date
    until: date | None
    value: dict[str, Any]
    source: str

    def holds_on(self, day: date) -> bool:
        return self.start <= day and (self.until is None or day <= self.until)

    def __hash__(self) -> int:
        return hash(self.id)


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule there is or was."""
    return tuple(
        Rule(
            row["id"],
            row["kind"],
            row["jurisdiction"],
            date.fromisoformat(row["from"]),
            date.fromisoformat(row["until"]) if row["until"] else None,
            row["value"],
            row["source"],
        )
        for row in json.loads(FILE.read_text(encoding="utf-8"))
    )


@cache
def version() -> str:
    """Return the version of the rules: the hash of their text, which certificates name."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()[:16]


class RuleBook:
    """The rules of one day."""

    def __init__(self, day: date) -> None:
        self.day = day
        self.version = version()
        self._rules: dict[tuple[str, str], list[Rule]] = defaultdict(list)
        for rule in all_rules():
            if rule.holds_on(day):
                self._rules[rule.kind, rule.jurisdiction].append(rule)

    def rules(self, kind: str, jurisdictions: tuple[str, ...]) -> list[Rule]:
        """Return the rules of a kind, those of the narrower jurisdiction first."""
        return [rule for jurisdiction in jurisdictions for rule in self._rules.get((kind, jurisdiction), ())]

    def rule(self, kind: str, jurisdictions: tuple[str, ...], /, **value: Any) -> Rule | None:
        """Return the narrowest rule of a kind whose value has these items; None when there is none."""
        for rule in self.rules(kind, jurisdictions):
            if all(rule.value.get(name) == wanted for name, wanted in value.items()):
                return rule
        return None


@lru_cache(maxsize=64)
def rule_book(day: date) -> RuleBook:
    """Return the rules of a day."""
    return RuleBook(day)
