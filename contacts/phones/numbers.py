"""Normalize phone numbers to E.164 with phonenumbers' judgement, at file speed for North America."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from contacts.phones import nanp

INVALID = "Invalid phone number format"

_NANP_COUNTRY_CODE = 1
_NANP_REGIONS = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE[_NANP_COUNTRY_CODE])
_PUNCTUATION = str.maketrans("", "", " ().-")
# Numbers beginning 0 or 1 stay out: there the dialling prefixes 011 and 1 have their say, which only parse() knows.
_NANP_NUMBER = re.compile(r"(?:\+?1)?([2-9][0-9]{9})")

# What spreadsheets make of a number: 2125550123.0 and 2.125550123E9, the latter often with digits rounded away.
_FLOAT = re.compile(r"\+?[0-9]{7,15}\.0+")
_SCIENTIFIC = re.compile(r"\+?([0-9][.,][0-9]+|[0-9])[eE]\+?([0-9]{1,2})")
_MAX_LENGTH = 250  # phonenumbers reads no further (phonenumberutil._MAX_INPUT_STRING_LENGTH)
# Google Contacts joins several values of one cell this way.
_GOOGLE_SEPARATOR = ":::"
_SEVERAL = re.compile(r"(?:\d\D*){7}(?:[;,/|\n&]|\b(?:or|and|und|ou|y|o)\b)(?:\D*\d){7}", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]")
# NANPA's numbering plan: N11 are service codes, N9X, 37X and 96X are reserved, equal last digits are not geographic.
_GENERAL_PURPOSE_AREA_CODE = re.compile(r"(?!37|96)[2-9]([0-8])(?!\1)[0-9]")

# Right in length and plan, only unknown to phonenumbers' metadata: numbers that may be newer than it.
_UNKNOWN_NUMBER = "not a number in use in its country"
_UNKNOWN_EXCHANGE = "no such number in its area code"
_UNKNOWN_AREA_CODE = "unverified area code"
_UNVERIFIED = frozenset((_UNKNOWN_NUMBER, _UNKNOWN_EXCHANGE, _UNKNOWN_AREA_CODE))


class Phone(NamedTuple):
    """A number that can be dialled: E.164, and the extension where one was written."""

    e164: str
    extension: str = ""


class PhoneProblem(NamedTuple):
    """A number that cannot be used, and why, in plain words."""

    reason: str


def normalize(raw: str, region: str = "US", *, allow_unverified: bool = False) -> Phone | PhoneProblem:
    """Return the number in E.164, or the reason why it is none.

    With `allow_unverified`, a number of the right length is enough: area code and exchange may be unknown ones.
    """
    return normalize_many((raw,), region, allow_unverified=allow_unverified)[0]


def normalize_many(
    values: Sequence[str], region: str = "US", *, allow_unverified: bool = False
) -> list[Phone | PhoneProblem]:
    """Normalize each value as `normalize` does, at some 400,000 North American numbers a second."""
    if region not in _NANP_REGIONS:
        return [_normalize_by_library(value, region, allow_unverified) for value in values]
    valid = nanp.valid_prefixes()
    match = _NANP_NUMBER.fullmatch
    found: list[Phone | PhoneProblem] = []
    for value in values:
        number = match(value.translate(_PUNCTUATION))
        if number is not None:
            national = number[1]
            prefix = int(national[:7])
            # "1212555012.0" is a spreadsheet's number without its last digit, not 212-555-0120.
            if valid[prefix >> 3] >> (prefix & 7) & 1 and value[-2:] != ".0":
                found.append(Phone("+1" + national))
                continue
        found.append(_normalize_by_library(value, region, allow_unverified))
    return found


def format_for_people(e164: str) -> str:
    """Return `+1 (234) 567-8900` for a North American number, the international format for any other."""
    if len(e164) == 12 and e164.startswith("+1"):
        return f"+1 ({e164[2:5]}) {e164[5:8]}-{e164[8:]}"
    return _format_international(e164)


@lru_cache(maxsize=4096)
def _format_international(e164: str) -> str:
    try:
        number = phonenumbers.parse(e164)
    except NumberParseException:
        return e164
    return phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)


def _normalize_by_library(raw: str, region: str, allow_unverified: bool) -> Phone | PhoneProblem:
    text = raw.partition(_GOOGLE_SEPARATOR)[0].strip().lstrip("'")
    if not text:
        return PhoneProblem("empty")
    if "\0" in text:
        return PhoneProblem("contains a NUL byte")
    if len(text) > _MAX_LENGTH:
        return PhoneProblem("too long")
    if _FLOAT.fullmatch(text):
        text = text.partition(".")[0]
    elif scientific := _SCIENTIFIC.fullmatch(text):
        digits = scientific[1].replace(",", ".")
        if len(digits) - digits.count(".") != int(scientific[2]) + 1:
            return PhoneProblem("rounded by a spreadsheet, digits are lost")
        text = str(int(Decimal(digits).scaleb(int(scientific[2]))))
    result = _parse(text, region, allow_unverified)
    if isinstance(result, Phone):
        return result
    if text.startswith("00"):
        abroad = _parse("+" + text[2:], region, allow_unverified)
        return abroad if isinstance(abroad, Phone) else result
    return PhoneProblem("more than one number") if _SEVERAL.search(text) else result


def _parse(text: str, region: str, allow_unverified: bool) -> Phone | PhoneProblem:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as error:
        return PhoneProblem(_parse_reason(error.error_type, text))
    if not phonenumbers.is_valid_number(number):
        reason = _invalid_reason(number, text)
        if not (allow_unverified and reason in _UNVERIFIED):
            return PhoneProblem(reason)
    e164 = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return Phone(e164, number.extension or "")


def _parse_reason(error_type: int, text: str) -> str:
    if error_type == NumberParseException.INVALID_COUNTRY_CODE:
        return "unknown country code"
    if error_type == NumberParseException.TOO_LONG:
        return "too long"
    if _LETTERS.search(text):
        return "contains letters"
    if not any(character.isdigit() for character in text):
        return "no digits"
    return "too short"


def _invalid_reason(number: PhoneNumber, text: str) -> str:
    if _LETTERS.search(_without_extension(text, number)):
        return "contains letters"
    national = phonenumbers.national_significant_number(number)
    match phonenumbers.is_possible_number_with_reason(number):
        case ValidationResult.TOO_SHORT:
            return "too short"
        case ValidationResult.TOO_LONG:
            return "too long"
        case ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
            return "no area code"
        case ValidationResult.INVALID_COUNTRY_CODE:
            return "unknown country code"
        case ValidationResult.INVALID_LENGTH:
            return "not a possible number of digits"
    if number.country_code != _NANP_COUNTRY_CODE or len(national) != nanp.NUMBER_DIGITS:
        return _UNKNOWN_NUMBER
    area_code = national[:3]
    if nanp.has_valid_numbers(area_code):
        return _UNKNOWN_EXCHANGE
    return _UNKNOWN_AREA_CODE if _GENERAL_PURPOSE_AREA_CODE.fullmatch(area_code) else "no such area code"


def _without_extension(text: str, number: PhoneNumber) -> str:
    """Return the text without a `tel:` scheme and without the extension phonenumbers has found at its end."""
    text = text.removeprefix("tel:")
    if number.extension:
        text = text[: text.rfind(number.extension)]
        return re.sub(r"[^\d]+$", "", text)
    return text
