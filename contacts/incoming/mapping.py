"""Which column of a file fills which field of a contact."""

from collections.abc import Sequence
from dataclasses import dataclass

from contacts.tabular import ColumnGuess

# Plain text, with the longest value the contact can hold; None has no limit of its own.
TEXT_FIELDS: dict[str, int | None] = {
    "first_name": 100,
    "last_name": 100,
    "company": 255,
    "title": 100,
    "address": None,
    "city": 100,
    "state": 50,
    "zip": 20,
    "source": 100,
    "notes": None,
}
# Fields with a shape of their own; rows.py knows each.
SHAPED_FIELDS = ("phone", "email", "full_name", "country", "tags")
_API_NAMES = {"first_name": "firstName", "last_name": "lastName", "full_name": "fullName"}
FIELDS = frozenset((*TEXT_FIELDS, *SHAPED_FIELDS))


@dataclass(frozen=True)
class Mapping:
    """The headers of a file in their order, each with the field it fills; None makes it a custom field."""

    columns: tuple[tuple[str, str | None], ...]

    @classmethod
    def guessed(cls, guesses: Sequence[ColumnGuess]) -> "Mapping":
        """Take the guesses over; what a contact has no field for becomes a custom field."""
        return cls(tuple((guess.header, guess.field if guess.field in FIELDS else None) for guess in guesses))

    @property
    def fields(self) -> dict[str, int]:
        """The column of each field that is filled."""
        return {field: index for index, (_, field) in enumerate(self.columns) if field is not None}

    @property
    def custom(self) -> dict[str, int]:
        """The column of each custom field."""
        return {header: index for index, (header, field) in enumerate(self.columns) if field is None}

    def name(self, index: int) -> str:
        """Name a column as the API does: its field, else its header; a number beyond the headers."""
        if index >= len(self.columns):
            return f"Column {index + 1}"
        header, field = self.columns[index]
        return _API_NAMES.get(field, field) if field else header
