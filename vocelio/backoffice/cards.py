"""What an app's `dashboard.py` returns: `cards(principal)` and, where it has one, `chart(principal)`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """One figure."""

    title: str
    value: int
    note: str = ""
    href: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Chart:
    """One bar a label."""

    title: str
    labels: list[str]
    values: list[int]
