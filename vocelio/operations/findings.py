"""What the doctor says of one thing it looked at."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """From good to bad."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is and, unless it is well, what to do."""

    name: str
    level: Level
    text: str
    advice: str = ""


def ok(name: str, text: str) -> Finding:
    return Finding(name, Level.OK, text)


def warn(name: str, text: str, advice: str) -> Finding:
    return Finding(name, Level.WARN, text, advice)


def fail(name: str, text: str, advice: str) -> Finding:
    return Finding(name, Level.FAIL, text, advice)
