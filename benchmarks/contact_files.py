"""Dirty contact files, seeded, with what an import of each must count: worked out in plain Python as rows are drawn.

Per 100 rows: 5 with an invalid phone, 4 repeating a phone of the file, 4 repeating one of the existing contacts; the
rest new, 1 of them British, in the ways people write numbers.
"""

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

HEADERS = [
    "first_name",
    "last_name",
    "phone",
    "email",
    "company",
    "title",
    "address",
    "city",
    "state",
    "zip",
    "tags",
    "Lead score",
]
FIRST = [
    "Ann",
    "Bob",
    "Carla",
    "Dmitri",
    "Elodie",
    "Farid",
    "Grace",
    "Hiro",
    "Ines",
    "Kofi",
    "Lena",
    "Mary Jo",
    "Nuno",
    "Olga",
    "Priya",
    "Sam",
]
# Syllables make 8,000 family names, one in fifty of them with an accent.
SYLLABLES = [
    "ber",
    "can",
    "dor",
    "fel",
    "gar",
    "hol",
    "jan",
    "kow",
    "lin",
    "mar",
    "nor",
    "per",
    "ros",
    "san",
    "tan",
    "ul",
    "ven",
    "wil",
    "yor",
    "zim",
]
COMPANIES = ["Acme, Inc.", 'The "Best" Co', "Globex", "Initech", "Umbrella Ltd.", "Stark & Sons", ""]
CITIES = [("New York", "NY", "10001"), ("Boston", "MA", "02108"), ("Chicago", "IL", "60601"), ("Austin", "TX", "73301")]
TITLES = ["CEO", "Engineer", "Sales Manager", "Buyer", ""]
TAGS = ["vip", "lead;newsletter", "lead", ""]
BAD_PHONES = ["555-CALL", "123", "+1 000 000 0000", "n/a", "2125550", "(999) 999-99999"]
FORMS = ["{a}{b}{c}", "({a}) {b}-{c}", "{a}-{b}-{c}", "{a}.{b}.{c}", "+1{a}{b}{c}", "+1 ({a}) {b}-{c}", "1-{a}-{b}-{c}"]
FORMS += ["1{a}{b}{c}", "{a} {b} {c}", "+1 {a} {b} {c}", " {a}-{b}-{c} ", "({a}){b}-{c}"]
# Area codes all of whose exchanges are in use, but for those ending in 11.
AREA_CODES = (212, 213, 312, 415, 617, 702, 713, 202, 305, 404, 503, 214)
EXCHANGES = [exchange for exchange in range(200, 1000) if exchange % 100 != 11]
NUMBERS = len(AREA_CODES) * len(EXCHANGES) * 10_000


@dataclass
class Expected:
    """The counts of the import, with skipDuplicates."""

    total: int = 0
    imported: int = 0
    duplicates: int = 0
    invalid: int = 0


def number(index: int) -> tuple[str, str, str]:
    """Return the index-th North American number: area code, exchange, line."""
    # Scattered by a prime: neighbours in a real file are no neighbours in the index of phones.
    index, line = divmod(index * 15_485_863 % NUMBERS, 10_000)
    area, exchange = divmod(index, len(EXCHANGES))
    return str(AREA_CODES[area]), str(EXCHANGES[exchange]), f"{line:04d}"


def existing_phones(count: int) -> list[str]:
    """Return the E.164 numbers of contacts that are there before the import."""
    return ["+1" + "".join(number(index)) for index in range(count)]


def rows(count: int, *, existing: int, seed: int, expected: Expected) -> Iterator[list[str]]:
    """Yield the rows of a file and count in `expected` what becomes of each."""
    draw = random.Random(seed)
    fresh, british = existing, 0
    for index in range(count):
        dice = draw.random()
        expected.total += 1
        if dice < 0.05:
            phone = draw.choice(BAD_PHONES)
            expected.invalid += 1
        elif dice < 0.09 and fresh > existing:
            phone = written(draw, draw.randrange(existing, fresh))
            expected.duplicates += 1
        elif dice < 0.13 and existing:
            phone = written(draw, draw.randrange(existing))
            expected.duplicates += 1
        else:
            expected.imported += 1
            if dice < 0.14:
                phone = f"+44 20 7{british // 10_000:03d} {british % 10_000:04d}"
                british += 1
            else:
                phone = written(draw, fresh)
                fresh += 1
        first, last = draw.choice(FIRST), family_name(draw)
        city, state, code = draw.choice(CITIES)
        yield [
            first,
            last,
            phone,
            f"{first[:1].lower()}.{index}@example{draw.randrange(50)}.com" if draw.random() < 0.9 else "",
            draw.choice(COMPANIES),
            draw.choice(TITLES),
            f"{draw.randrange(1, 9999)} Main Street\nFloor 2"
            if draw.random() < 0.02
            else f"{draw.randrange(1, 9999)} Elm St",
            city,
            state,
            code,
            draw.choice(TAGS),
            str(draw.randrange(100)),
        ]


def family_name(draw: random.Random) -> str:
    name = "".join(draw.choices(SYLLABLES, k=3)).capitalize()
    return name if draw.random() < 0.98 else f"{name}é"


def written(draw: random.Random, index: int) -> str:
    """Return a number the way some person writes it."""
    area, exchange, line = number(index)
    return draw.choice(FORMS).format(a=area, b=exchange, c=line)


def write_csv(path: Path, count: int, *, existing: int = 0, seed: int = 1) -> Expected:
    """Write a CSV file; return what its import must count."""
    expected = Expected()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        writer.writerows(rows(count, existing=existing, seed=seed, expected=expected))
    return expected


def write_xlsx(path: Path, count: int, *, existing: int = 0, seed: int = 1) -> Expected:
    """Write a workbook; return what its import must count."""
    expected = Expected()
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("Contacts")
    sheet.append(HEADERS)
    for row in rows(count, existing=existing, seed=seed, expected=expected):
        sheet.append(row)
    workbook.save(path)
    return expected
