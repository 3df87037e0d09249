"""Judge and clean rows that are deals, as far as that needs no database."""

import datetime
import re
import uuid
from collections.abc import Sequence

from contacts.incoming import Incoming, Mapping, Rejected
from contacts.incoming.companies import revenue
from contacts.incoming.mapping import Fields
from contacts.incoming.rows import MAX_TAG_CHARS, split_tags
from contacts.tabular import Row
from contacts.tabular.column_names import NAMES, Vocabulary
from vocelio.formulas import restored

# Plain text, with the longest value a deal can hold.
TEXTS = {"name": 255, "description": 20_000, "source": 100, "lost_note": 500}
# Names of other records, looked up in the database.
REFERENCES = ("pipeline", "stage", "client", "contact", "owner", "lost_reason")
SHAPED = ("id", "amount", "currency", "expected_close_on", "tags")
# Stands in for a currency that the file does not name.
NO_CURRENCY = "XXX"
DEALS = Fields(
    "deal",
    frozenset((*TEXTS, *REFERENCES, *SHAPED)),
    ("id", "name"),
    Vocabulary(
        {
            "name": "deal name|deal|opportunity name|opportunity|name|title|subject|deal title",
            "amount": "amount|deal value|deal amount|value|deal size|opportunity amount|total|betrag|montant|importe",
            "currency": "currency|currency code|deal currency|currency iso code|wahrung|devise|moneda",
            "pipeline": "pipeline|pipeline name|sales pipeline",
            "stage": "stage|deal stage|stage name|phase|etape|etapa",
            "client": "client|company|account name|account|organization|organisation|company name|customer|kunde|firma",
            "contact": "contact|contact email|primary contact|person|contact person|e mail|email|phone",
            "owner": "owner|deal owner|owner email|opportunity owner|assigned to|salesperson|sales rep",
            "expected_close_on": "expected close|expected close date|close date|closing date|expected close on",
            "description": "description|notes|note|comments|next step|beschreibung",
            "source": NAMES["source"],
            "tags": NAMES["tags"],
            "lost_reason": "lost reason|closed lost reason|loss reason|reason lost",
            "lost_note": "lost note|lost details",
            "id": "vocelio id|id",
        },
        "property primary required optional the hs value deal",
    ),
)
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")


def clean_deals(rows: Sequence[Row], mapping: Mapping) -> tuple[list[Incoming], list[Rejected]]:
    """Return the deals and the rejections of some rows, each in the order of the file.

    A deal needs a name, or the id it has here. An amount or a date that cannot be read rejects its row.
    """
    deals: list[Incoming] = []
    rejected: list[Rejected] = []
    for row in rows:
        if row.problem:
            advice = "Correct the row in the file it comes from."
            rejected.append(Rejected(row.number, "", f"The row {row.problem}", row.cells, advice))
            continue
        cells = {field: _cell(row.cells, index) for field, index in mapping.fields.items()}
        cells = {field: cell for field, cell in cells.items() if cell}
        custom = {name: cell for name, index in mapping.custom.items() if (cell := _cell(row.cells, index))}
        values = {field: cells[field] for field in (*TEXTS, *REFERENCES) if field in cells}
        deal = Incoming(row.number, "", "", "", values, split_tags(cells.get("tags", "")), custom, _id(cells))
        if problem := _shape(deal, cells) or _problem(deal):
            rejected.append(Rejected(row.number, problem[0], problem[1], row.cells, problem[2]))
        else:
            deals.append(deal)
    return deals, rejected


def _shape(deal: Incoming, cells: dict[str, str]) -> tuple[str, str, str] | None:
    """Take amount, currency and date over; return field, reason and advice where one cannot be read."""
    code = cells.get("currency", "").upper()
    if code and not re.fullmatch("[A-Z]{3}", code):
        return "currency", "Not a currency", "Write its three letters, such as EUR."
    if cell := cells.get("amount"):
        found = revenue(cell, code) or revenue(cell, NO_CURRENCY)
        if not found:
            return "amount", "Not an amount", "Write a number, such as 12500.00."
        deal.values["amount"], _, named = found.partition(" ")
        code = code or named.replace(NO_CURRENCY, "")
    if code:
        deal.values["currency"] = code
    if cell := cells.get("expected_close_on"):
        day = _day(cell)
        if day is None:
            return "expected_close_on", "Not a date", "Write dates as 2026-03-31."
        deal.values["expected_close_on"] = day.isoformat()
    return None


def _problem(deal: Incoming) -> tuple[str, str, str] | None:
    if not deal.values.get("name") and not deal.id:
        return "name", "The deal has no name", "Fill in a name."
    for field, limit in TEXTS.items():
        if len(deal.values.get(field, "")) > limit:
            return field, f"{field.replace('_', ' ')} is longer than {limit} characters", "Shorten the value."
    if any(len(tag) > MAX_TAG_CHARS for tag in deal.tags):
        return "tags", f"A tag is longer than {MAX_TAG_CHARS} characters", "Shorten the value."
    return None


def _day(cell: str) -> datetime.date | None:
    dotted = _DOTTED.fullmatch(cell)
    text = f"{dotted[3]}-{int(dotted[2]):02}-{int(dotted[1]):02}" if dotted else cell[:10]
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2100 else None


def _cell(cells: Sequence[str], index: int) -> str:
    return restored(cells[index].strip()).strip() if index < len(cells) else ""


def _id(cells: dict[str, str]) -> str:
    try:
        return str(uuid.UUID(cells.get("id", "")))
    except ValueError:
        return ""
