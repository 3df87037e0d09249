"""What travels in a fake: records, tokens, faults, requests, answers, and limits as a vendor counts them."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Record:
    id: str
    values: dict[str, Any]
    created_at: datetime
    changed_at: datetime
    deleted_at: datetime | None = None
    is_purged: bool = False
    merged_into: str = ""
    absorbed: list[str] = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        return self.deleted_at is None


@dataclass
class Token:
    scope: str
    expires_at: datetime
    grant: str


@dataclass
class Fault:
    operation: str | None
    skip: int
    times: int
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    # "answer" with the status, or "drop" the connection: before or after the request was carried out.
    before: bool = True


@dataclass
class Request:
    operation: str
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any
    raw: bytes
    variables: dict[str, str]
    token: Token | None = None


@dataclass
class Answer:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """Ends the handling of a request with this answer."""

    def __init__(self, status: int, body: Any = None, headers: Mapping[str, str] | None = None) -> None:
        self.answer = Answer(status, body, dict(headers or {}))


class Limit:
    """At most `amount` units in any `seconds`, as the vendor counts them."""

    def __init__(self, amount: int, seconds: float) -> None:
        self.amount = amount
        self.seconds = seconds
        self.spent: deque[tuple[float, int]] = deque()
        self.total = 0

    def take(self, units: int, now: float) -> bool:
        """Spend `units` if they are left."""
        while self.spent and self.spent[0][0] <= now - self.seconds:
            self.total -= self.spent.popleft()[1]
        if self.total + units > self.amount:
            return False
        self.spent.append((now, units))
        self.total += units
        return True

    @property
    def left(self) -> int:
        return self.amount - self.total
