"""Which column of a file fills which field."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contacts.incoming.options import CUSTOM, KEYS
from contacts.tabular import ColumnGuess
from contacts.tabular.column_names import COMPANIES, PEOPLE, Vocabulary

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
    "external_id": 100,
}
# Fields with a shape of their own; rows.py knows each.
SHAPED_FIELDS = ("id", "phone", "phone_extension", "email", "full_name", "country", "status", "tags")
# The same of clients.
CLIENT_TEXTS: dict[str, int | None] = {
    "name": 255,
    "legal_name": 255,
    "industry": 100,
    "tax_id": 50,
    "address": 1_000,
    "city": 100,
    "state": 50,
    "zip": 20,
    "source": 100,
    "notes": 20_000,
}
CLIENT_SHAPES = (
    "id",
    "domain",
    "website",
    "linkedin_url",
    "size",
    "annual_revenue",
    "currency",
    "phone",
    "email",
    "country",
    "status",
    "tags",
)
IGNORED = "ignore"
# Headers of our own files: custom fields are named with their kind, and what we alone keep is marked as ours.
CUSTOM_HEADER = "Custom: "
OUR_HEADER = "Vocelio "


def api_name(target: str) -> str:
    """Return a field or target as the API names it."""
    if target.startswith(CUSTOM):
        return target
    head, *rest = target.split("_")
    return head + "".join(part.capitalize() for part in rest)


@dataclass(frozen=True, eq=False)
class Fields:
    """What the columns of a file may fill, `keys` by which a row can be known, and how files name them all."""

    noun: str
    names: frozenset[str]
    keys: tuple[str, ...]
    vocabulary: Vocabulary

    @property
    def by_api_name(self) -> dict[str, str]:
        return {api_name(field): field for field in sorted(self.names)}


CONTACT_FIELDS = Fields("contact", frozenset((*TEXT_FIELDS, *SHAPED_FIELDS)), KEYS, PEOPLE)
# A client is its id, else its domain, else its name.
CLIENT_FIELDS = Fields("client", frozenset((*CLIENT_TEXTS, *CLIENT_SHAPES)), ("id", "domain", "name"), COMPANIES)


@dataclass(frozen=True)
class Mapping:
    """The headers of a file in their order, each with its target.

    A target is a field of Fields, `custom:<name>`, `ignore`, or None: a custom field named as the header.
    """

    columns: tuple[tuple[str, str | None], ...]

    @classmethod
    def guessed(cls, guesses: Sequence[ColumnGuess], fields: Fields = CONTACT_FIELDS) -> "Mapping":
        """Take the guesses over; what there is no field for becomes a custom field, what is ours is left out."""
        return cls(tuple((guess.header, _guessed(guess, fields)) for guess in guesses))

    def changed(self, targets: dict[str, str]) -> "Mapping":
        """Return the mapping with other targets for some headers; a field named here is taken from its guess."""
        wanted = set(targets.values())
        columns: list[tuple[str, str | None]] = []
        for header, target in self.columns:
            if header in targets:
                columns.append((header, targets[header]))
            else:
                columns.append((header, None if target in wanted else target))
        return Mapping(tuple(columns))

    @property
    def fields(self) -> dict[str, int]:
        """The column of each field that is filled."""
        return {field: index for index, (_, field) in enumerate(self.columns) if field and _is_field(field)}

    @property
    def custom(self) -> dict[str, int]:
        """The column of each custom field."""
        names = [custom_name(header, target) for header, target in self.columns]
        return {name: index for index, name in enumerate(names) if name is not None}

    @property
    def targets(self) -> dict[str, str]:
        """The target of each header, as the API names it."""
        return {header: api_name(f"{CUSTOM}{header}" if target is None else target) for header, target in self.columns}

    def repeated(self) -> list[str]:
        """Return what more than one column is to fill."""
        seen: set[str] = set()
        targets = [target for target in self.targets.values() if target != IGNORED]
        return [target for target in targets if target in seen or seen.add(target)]  # type: ignore[func-returns-value]

    def name(self, index: int) -> str:
        """Name a column as the API does: its field, else its header; a number beyond the headers."""
        if index >= len(self.columns):
            return f"Column {index + 1}"
        header, field = self.columns[index]
        return api_name(field) if field and _is_field(field) else header


def _is_field(target: str) -> bool:
    return target != IGNORED and not target.startswith(CUSTOM)


def custom_name(header: str, target: str | None) -> str | None:
    """Return the name of the custom field a column fills; None when it fills none."""
    if target is None:
        return header
    return target.removeprefix(CUSTOM) if target.startswith(CUSTOM) else None


def parse_target(text: str, fields: Fields = CONTACT_FIELDS) -> str | None:
    """Return the target the API's name stands for; None when it stands for none."""
    if text == IGNORED or (text.startswith(CUSTOM) and text.removeprefix(CUSTOM).strip()):
        return text
    return fields.by_api_name.get(text)


def parse_targets(
    names: Iterable[tuple[str, str]], fields: Fields = CONTACT_FIELDS
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the targets by header, and by header the names that stand for none."""
    found: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for header, name in names:
        target = parse_target(name, fields)
        if target is None:
            unknown[header] = name
        else:
            found[header] = target
    return found, unknown


def _guessed(guess: ColumnGuess, fields: Fields) -> str | None:
    if guess.header.startswith(CUSTOM_HEADER):
        return CUSTOM + guess.header.removeprefix(CUSTOM_HEADER)
    if guess.field in fields.names:
        return guess.field
    return IGNORED if guess.header.startswith(OUR_HEADER) else None
