import csv
import random
import re
from pathlib import Path

import phonenumbers
import pytest

from contacts.phones import Phone, PhoneProblem, format_for_people, nanp, normalize, normalize_many

FILES = Path(__file__).parent / "files"
FORMATS = (
    *("{}{}{}", "({}) {}-{}", "{}-{}-{}", "{}.{}.{}", "{} {} {}", "+1{}{}{}", "+1 ({}) {}-{}", "1-{}-{}-{}"),
    *("1 {} {} {}", " ( {} ) {} . {} ", "+1.{}.{}.{}", "({}){}{}-", "+ 1 {} {} {}", "+(1){}{}{}", "1{}{}{}x12"),
    *("0{}{}{}", "011{}{}{}", "11{}{}{}", "{}{}{}0", "tel:{}-{}-{}", "{}\u00a0{}\u2011{}", "{}/{}/{}", "++1{}{}{}"),
)


def by_the_library(value):
    try:
        number = phonenumbers.parse(value, "US")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164), number.extension or ""


def test_every_kind_of_north_american_number_is_judged_as_phonenumbers_judges_it():
    chance = random.Random(1)  # noqa: S311
    prefixes = [f"{area}{exchange}" for area in range(200, 1000) for exchange in ("200", "555", "999")]
    prefixes += [str(chance.randrange(200_000, 1_000_000)) for _ in range(8_000)]
    # Where validity turns on the seventh digit, take all ten of them.
    sixes = [str(prefix) for prefix in range(200_000, 1_000_000) if 0 < len(valid_sevenths(prefix)) < 10]
    assert sixes
    numbers = [f"{prefix}{chance.randrange(10_000):04d}" for prefix in prefixes]
    numbers += [f"{prefix}{seventh}{chance.randrange(1000):03d}" for prefix in sixes[:300] for seventh in range(10)]
    for number in numbers:
        judged = phonenumbers.is_valid_number(phonenumbers.PhoneNumber(1, int(number)))
        assert nanp.is_valid(number) == judged, number


def valid_sevenths(prefix):
    return [digit for digit in range(10) if nanp.is_valid(f"{prefix}{digit}000")]


def test_dirty_north_american_numbers_come_out_as_from_phonenumbers():
    chance = random.Random(2)  # noqa: S311
    values = []
    for _ in range(15_000):
        number = str(chance.randrange(10**9, 10**10))
        values.append(chance.choice(FORMATS).format(number[:3], number[3:6], number[6:]))
    for value, found in zip(values, normalize_many(values), strict=True):
        assert (tuple(found) if isinstance(found, Phone) else None) == by_the_library(value), value


def test_example_numbers_of_the_whole_world_are_accepted_in_every_format():
    with (FILES / "example_numbers.csv").open(encoding="utf-8") as file:
        # Three examples (of Benin and Zimbabwe) are not valid by the metadata they come from.
        examples = [row for row in csv.DictReader(file) if row["agrees"] == "True"]
    assert len(examples) > 1000
    for example in examples:
        for written in (example["e164"], example["international"]):
            assert normalize(written) == Phone(example["e164"]), example


@pytest.mark.parametrize(
    ("written", "e164", "extension"),
    [
        ("+1 212 555 0123 x45", "+12125550123", "45"),
        ("212-555-0123 ext. 7", "+12125550123", "7"),
        ("2125550123.0", "+12125550123", ""),
        ("2.125550123E9", "+12125550123", ""),
        ("1.2125550123E+10", "+12125550123", ""),
        ("'2125550123", "+12125550123", ""),
        ("212\u00a0555\u20110123", "+12125550123", ""),
        ("\uff12\uff11\uff12 \uff15\uff15\uff15 0123", "+12125550123", ""),
        ("\u202a+1 212 555 0123\u202c", "+12125550123", ""),
        ("tel:+1-212-555-0123;ext=9", "+12125550123", "9"),
        ("00442079460958", "+442079460958", ""),
        ("+44 (0)20 7946 0958", "+442079460958", ""),
        ("212-555-0123 ::: 646-555-0199", "+12125550123", ""),
        ("1-800-FLOWERS", "+18003569377", ""),
    ],
)
def test_what_people_and_spreadsheets_write_is_understood(written, e164, extension):
    assert normalize(written) == Phone(e164, extension)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("555-CALL", "contains letters"),
        ("n/a", "contains letters"),
        ("---", "no digits"),
        ("+1234567890", "too short"),
        ("+1555123456", "too short"),
        ("+0987654321", "unknown country code"),
        ("5550123", "no area code"),
        ("21255501234", "too long"),
        ("1212555012.0", "no such area code"),
        ("2.12555E+09", "rounded by a spreadsheet, digits are lost"),
        ("212555\x000123", "contains a NUL byte"),
        ("(212) 555-0123, (646) 555-0123", "more than one number"),
        ("3575550123", "unverified area code"),
        ("2995550123", "no such area code"),
        ("2121550123", "no such number in its area code"),
        ("+1" + "2" * 60, "too long"),
        ("+44 9 9999 99999", "not a number in use in its country"),
    ],
)
def test_a_number_that_cannot_be_used_says_why(written, reason):
    assert normalize(written) == PhoneProblem(reason)


def test_a_cell_of_ten_megabytes_is_no_number():
    assert normalize("1" * 10_000_000) == PhoneProblem("too long")


def test_unverified_numbers_pass_where_they_are_allowed_and_impossible_ones_never():
    assert normalize("357-555-0123", allow_unverified=True) == Phone("+13575550123")
    assert normalize("212-155-0123", allow_unverified=True) == Phone("+12121550123")
    for impossible in ("555-CALL", "5550123", "+1555123456", "n/a", "1212555012.0"):
        assert isinstance(normalize(impossible, allow_unverified=True), PhoneProblem), impossible


def test_the_region_decides_what_a_national_number_is():
    assert normalize("020 7946 0958", "GB") == Phone("+442079460958")
    assert normalize("416 555 0123", "CA") == Phone("+14165550123")
    assert isinstance(normalize("020 7946 0958", "US"), PhoneProblem)


def test_numbers_are_shown_the_way_people_write_them():
    assert format_for_people("+12345678900") == "+1 (234) 567-8900"
    assert format_for_people("+442079460958") == "+44 20 7946 0958"
    assert format_for_people("no number") == "no number"


def test_a_pattern_the_table_does_not_understand_is_refused():
    with pytest.raises(nanp.UnknownPattern, match=re.escape("2.*")):
        nanp._parse("2.*")
