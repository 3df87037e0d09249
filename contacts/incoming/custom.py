"""Hold the custom fields of a file against their definitions, which the database's side hands over."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from contacts.incoming.rows import Incoming, Rejected


@dataclass(frozen=True)
class Definition:
    """What one custom field may hold: `clean` returns the value of a text, or raises ValueError with the reason."""

    key: str
    clean: Callable[[str], Any]
    is_required: bool = False
    default: Any = None


class Definitions:
    """The definitions of an organization; fields without one stay free text."""

    def __init__(self, definitions: Iterable[Definition] = (), sensitive: Iterable[str] = ()) -> None:
        self._by_key = {each.key: each for each in definitions}
        # Fields a file cannot fill: their values rest encrypted.
        self.sensitive = frozenset(sensitive)
        self._defaults = {each.key: each.default for each in self._by_key.values() if each.default is not None}
        self._required = [
            each.key for each in self._by_key.values() if each.is_required and each.key not in self._defaults
        ]

    def check(self, contact: Incoming) -> tuple[str, str] | None:
        """Bring the contact's values into the form they are kept in; return key and reason of one that is wrong."""
        for key, text in contact.custom_fields.items():
            if definition := self._by_key.get(key):
                try:
                    contact.custom_fields[key] = shown(definition.clean(text))
                except ValueError as error:
                    return key, str(error)
        return None

    def missing(self, contact: Incoming) -> str | None:
        """Return a required field that a new contact lacks."""
        return next((key for key in self._required if not contact.custom_fields.get(key)), None)

    def values(self, texts: dict[str, str], *, is_new: bool) -> dict[str, Any]:
        """Return values as they are kept: checked texts as what they are, defaults for new contacts."""
        if not self._by_key:
            return texts
        found = {key: self._by_key[key].clean(text) if key in self._by_key else text for key, text in texts.items()}
        return self._defaults | found if is_new else found

    def is_defined(self, key: str) -> bool:
        return key in self._by_key


def check_all(definitions: Definitions, contacts: list[Incoming], cells: dict[int, list[str]]) -> list[Rejected]:
    """Take contacts whose custom fields are wrong out of the list, and return them as rejections."""
    rejected: list[Rejected] = []
    right: list[Incoming] = []
    for contact in contacts:
        if problem := definitions.check(contact):
            key, reason = problem
            rejected.append(Rejected(contact.row, f"custom:{key}", f"{key}: {reason}", cells[contact.row], reason))
        else:
            right.append(contact)
    contacts[:] = right
    return rejected


def shown(value: Any) -> str:
    """Return a value as PostgreSQL writes it as text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
