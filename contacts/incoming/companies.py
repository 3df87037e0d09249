"""Judge and clean rows that are companies; what is particular to them beside the rows of people."""

import re
import uuid
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

from contacts.incoming.countries import country_code
from contacts.incoming.domains import domain_of
from contacts.incoming.fixes import phone_fix
from contacts.incoming.mapping import CLIENT_TEXTS, Mapping
from contacts.incoming.rows import MAX_TAG_CHARS, Incoming, Rejected, clean_email, split_tags
from contacts.phones import INVALID, Phone, normalize_many
from contacts.tabular import Row
from vocelio.formulas import restored

MAX_URL_CHARS = 500
STATUSES = frozenset(("prospect", "active", "inactive"))
# Employees up to which a band of contacts.models.ClientSize reaches.
BANDS = (
    (1, "1"),
    (10, "2-10"),
    (50, "11-50"),
    (200, "51-200"),
    (500, "201-500"),
    (1_000, "501-1000"),
    (5_000, "1001-5000"),
    (10_000, "5001-10000"),
)
LARGEST = "10001+"
_UNITS = {"k": 3, "thousand": 3, "m": 6, "mm": 6, "mio": 6, "million": 6, "bn": 9, "b": 9, "mrd": 9, "billion": 9}
_SYMBOLS = {"€": "EUR", "£": "GBP", "us$": "USD", "$": "USD", "¥": "JPY", "₹": "INR"}
_AMOUNT = re.compile(r"([\d.,\s']*\d)\s*([a-z]*)")
_COUNT = re.compile(r"\d[\d., ']*")
_NAMELESS = "Neither a name nor a website"


def clean_companies(
    rows: Sequence[Row], mapping: Mapping, *, region: str, validate_phones: bool
) -> tuple[list[Incoming], list[Rejected]]:
    """Return the companies and the rejections of some rows, each in the order of the file.

    A company needs a name, or a website or domain to be known by. With `validate_phones` an invalid number rejects its
    row. Any other cell that is not what its column holds stays as a custom field.
    """
    rejected = [
        Rejected(row.number, "", f"The row {row.problem}", row.cells, "Correct the row in the file it comes from.")
        for row in rows
        if row.problem
    ]
    readable = [row for row in rows if not row.problem]
    at_phone = mapping.fields.get("phone")
    numbers = ["" if at_phone is None else _cell(row.cells, at_phone) for row in readable]
    phones = normalize_many(numbers, region, allow_unverified=not validate_phones)
    companies: list[Incoming] = []
    for row, number, phone in zip(readable, numbers, phones, strict=True):
        cells = {field: _cell(row.cells, index) for field, index in mapping.fields.items()}
        cells = {field: cell for field, cell in cells.items() if cell}
        custom = {name: cell for name, index in mapping.custom.items() if (cell := _cell(row.cells, index))}
        if number and not isinstance(phone, Phone):
            if validate_phones:
                fix = phone_fix(number, phone.reason, region)
                rejected.append(Rejected(row.number, "phone", f"{INVALID}: {phone.reason}", row.cells, fix))
                continue
            custom[_header(mapping, "phone")] = number
        company = _company(row.number, cells, custom, mapping)
        company.phone = phone.e164 if isinstance(phone, Phone) else ""
        if problem := _problem(company):
            rejected.append(Rejected(row.number, problem[0], problem[1], row.cells, problem[2]))
        else:
            companies.append(company)
    rejected.sort(key=lambda each: each.row)
    return companies, rejected


def _company(row: int, cells: dict[str, str], custom: dict[str, str], mapping: Mapping) -> Incoming:
    values = {field: cells[field] for field in CLIENT_TEXTS if field in cells}
    shaped: dict[str, Callable[[str], str]] = {
        "domain": domain_of,
        "website": web_address,
        "linkedin_url": web_address,
        "size": size_band,
        "annual_revenue": lambda cell: revenue(cell, cells.get("currency", "")),
        "country": lambda cell: country_code(cell) or "",
        "status": lambda cell: cell.lower() if cell.lower() in STATUSES else "",
        "email": clean_email,
    }
    for field, shape in shaped.items():
        if field in cells:
            if value := shape(cells[field]):
                values[field] = value
            else:
                custom[_header(mapping, field)] = cells[field]
    if "domain" not in values and (domain := domain_of(values.get("website", ""))):
        values["domain"] = domain
    return Incoming(
        row,
        "",
        "",
        values.pop("email", ""),
        values,
        split_tags(cells.get("tags", "")),
        custom,
        _id(cells.get("id", "")),
    )


def _problem(company: Incoming) -> tuple[str, str, str] | None:
    """Return field, reason and advice when the row cannot be kept."""
    if not company.values.get("name") and not company.values.get("domain") and not company.id:
        return "", _NAMELESS, "Fill in the company's name or its website."
    for field, limit in CLIENT_TEXTS.items():
        if limit and len(company.values.get(field, "")) > limit:
            return field, f"{field.replace('_', ' ')} is longer than {limit} characters", "Shorten the value."
    if any(len(tag) > MAX_TAG_CHARS for tag in company.tags):
        return "tags", f"A tag is longer than {MAX_TAG_CHARS} characters", "Shorten the value."
    return None


def web_address(cell: str) -> str:
    """Return a web address with its scheme; empty when the cell holds none."""
    text = cell if "://" in cell else f"https://{cell}"
    is_address = text.lower().startswith(("http://", "https://")) and not re.search(r"\s", text) and domain_of(text)
    return text if is_address and len(text) <= MAX_URL_CHARS else ""


def size_band(cell: str) -> str:
    """Return the band of a number or range of employees; empty when the cell holds none.

    >>> size_band("1,200 employees"), size_band("11 - 50"), size_band("10,001+")
    ('1001-5000', '11-50', '10001+')
    """
    counts = [
        int(digits) for found in _COUNT.findall(cell) if (digits := re.sub(r"\D", "", found)) and len(digits) < 10
    ]
    if not counts or not counts[-1]:
        return ""
    # Of a range, its upper end says which band is meant.
    return next((band for most, band in BANDS if counts[-1] <= most), LARGEST)


def revenue(cell: str, currency: str) -> str:
    """Return an amount and its currency as "1200000.00 USD"; empty when the cell, or what is beside it, holds neither.

    >>> revenue("$1.2M", ""), revenue("1.200.000,50", "eur"), revenue("5 million", "")
    ('1200000.00 USD', '1200000.50 EUR', '')
    """
    text = cell.casefold()
    code = currency.strip().upper()
    if not (len(code) == 3 and code.isascii() and code.isalpha()):
        named = re.search(r"\b([A-Z]{3})\b", cell)
        code = named[1] if named else next((code for sign, code in _SYMBOLS.items() if sign in text), "")
    found = _AMOUNT.search(text)
    if not found or not code or "-" in text:
        return ""
    unit = found[2] if found[2] != code.casefold() else ""
    if unit and unit not in _UNITS:
        return ""
    try:
        amount = Decimal(plain_number(found[1])) * 10 ** _UNITS.get(unit, 0)
    except InvalidOperation:
        return ""
    return f"{amount:.2f} {code}" if amount < 10**16 else ""


def plain_number(text: str) -> str:
    """Return a number without separators of thousands, its fraction after a point.

    >>> plain_number("1,200,000"), plain_number("1.200,5"), plain_number("2.5"), plain_number("1 200")
    ('1200000', '1200.5', '2.5', '1200')
    """
    text = re.sub(r"[\s']", "", text)
    last = max(text.rfind("."), text.rfind(","))
    if last < 0:
        return text
    mark, fraction = text[last], text[last + 1 :]
    other = "," if mark == "." else "."
    if text.count(mark) > 1 or (len(fraction) == 3 and other not in text and mark == ","):
        return re.sub(r"[.,]", "", text)
    return f"{re.sub(r'[.,]', '', text[:last])}.{fraction}"


def _cell(cells: Sequence[str], index: int) -> str:
    return restored(cells[index].strip()).strip() if index < len(cells) else ""


def _header(mapping: Mapping, field: str) -> str:
    return mapping.columns[mapping.fields[field]][0]


def _id(cell: str) -> str:
    try:
        return str(uuid.UUID(cell))
    except ValueError:
        return ""
