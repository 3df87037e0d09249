"""The little of SOQL and COQL that the fakes understand: enough to hold adapters to what they wrote."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Predicate = Callable[[Callable[[str], Any]], bool]
TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|\(|\)|,|>=|<=|!=|=|>|<|[\w.:+\-]+)")
COMPARE = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class BadQuery(Exception):
    """The query is not of the form."""


@dataclass
class Query:
    fields: list[str]
    table: str
    where: Predicate
    orders: list[tuple[str, bool]]
    limit: int | None
    offset: int
    counts: bool


def parse(text: str, read: Callable[[str, str], Any], *, pairs_only: bool = False) -> Query:
    """Read a query; `read(name, literal)` turns a literal into what values of that field are compared with.

    `pairs_only` refuses three conditions in a row without brackets around two of them, as COQL does.
    """
    form = re.fullmatch(
        r"select\s+(?P<fields>.+?)\s+from\s+(?P<table>\w+)(?:\s+where\s+(?P<where>.+?))?"
        r"(?:\s+order\s+by\s+(?P<order>.+?))?(?:\s+limit\s+(?P<limit>\d+)(?:\s+offset\s+(?P<offset>\d+))?)?",
        text.strip(),
        re.IGNORECASE | re.DOTALL,
    )
    if form is None:
        raise BadQuery(text)
    fields = [field.strip() for field in form["fields"].split(",")]
    orders = []
    for order in (form["order"] or "").split(","):
        name, _, direction = order.strip().partition(" ")
        if name:
            orders.append((name, direction.strip().lower() == "desc"))
    where: Predicate = lambda get: True  # noqa: E731
    if form["where"]:
        where = _Where(form["where"], read, pairs_only).whole()
    counts = fields[0].lower().startswith("count(")
    limit, offset = form["limit"], form["offset"]
    return Query(fields, form["table"], where, orders, int(limit) if limit else None, int(offset or 0), counts)


def _or(left: Predicate, right: Predicate) -> Predicate:
    return lambda get: left(get) or right(get)


def _and(left: Predicate, right: Predicate) -> Predicate:
    return lambda get: left(get) and right(get)


class _Where:
    def __init__(self, text: str, read: Callable[[str, str], Any], pairs_only: bool) -> None:
        self.tokens = TOKEN.findall(text)
        self.read = read
        self.pairs_only = pairs_only

    def whole(self) -> Predicate:
        found = self.either()
        if self.tokens:
            raise BadQuery(f"what is {self.tokens[0]}")
        return found

    def take(self, *wanted: str) -> str:
        if not self.tokens or (wanted and self.tokens[0].lower() not in wanted):
            raise BadQuery(f"{wanted} was expected")
        return str(self.tokens.pop(0))

    def next_is(self, word: str) -> bool:
        return bool(self.tokens) and self.tokens[0].lower() == word

    def either(self) -> Predicate:
        found = self.both()
        count = 0
        while self.next_is("or"):
            count += 1
            if self.pairs_only and count > 1:
                raise BadQuery("more than two conditions need brackets")
            self.take("or")
            found = _or(found, self.both())
        return found

    def both(self) -> Predicate:
        found = self.single()
        count = 0
        while self.next_is("and"):
            count += 1
            if self.pairs_only and count > 1:
                raise BadQuery("more than two conditions need brackets")
            self.take("and")
            found = _and(found, self.single())
        return found

    def single(self) -> Predicate:
        if self.next_is("("):
            self.take("(")
            found = self.either()
            self.take(")")
            return found
        name = self.take()
        sign = self.take().lower()
        if sign == "is":
            self.take("not")
            self.take("null")
            return lambda get: get(name) not in (None, "")
        if sign == "in":
            self.take("(")
            values = set()
            while not self.next_is(")"):
                token = self.take()
                if token != ",":
                    values.add(self.value(name, token))
            self.take(")")
            return lambda get: get(name) in values
        if sign not in COMPARE:
            raise BadQuery(f"what is {sign}")
        compare, wanted = COMPARE[sign], self.value(name, self.take())
        return lambda get: get(name) is not None and bool(compare(get(name), wanted))

    def value(self, name: str, token: str) -> Any:
        if token.startswith("'"):
            token = re.sub(r"\\(.)", r"\1", token[1:-1])
        return self.read(name, token)
