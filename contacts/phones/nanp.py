"""Which "+1" numbers are valid, as one bitmap built from the installed phonenumbers metadata.

Validity of a ten-digit number of the North American Numbering Plan depends on its first seven digits only, so ten
million bits answer for all ten thousand million numbers. The bitmap is computed on first use rather than shipped: that
takes a fifth of a second, and an upgrade of phonenumbers cannot leave a stale table behind.
"""

import re
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata
from phonenumbers.phonemetadata import PhoneNumberDesc

NUMBER_DIGITS = 10
PREFIX_DIGITS = 7
_DIGITS = "0123456789"
_TYPES = (
    *("premium_rate", "toll_free", "shared_cost", "voip", "personal_number"),
    *("pager", "uan", "voicemail", "fixed_line", "mobile"),
)

# A pattern is a choice between sequences; a sequence is made of digit sets ("2-9" spelled out) and nested choices.
_Choice = frozenset["_Sequence"]
_Sequence = tuple["str | _Choice", ...]

_TOKEN = re.compile(r"(?P<digits>\d|\\d|\[[\d-]+\])|(?P<open>\(\?:)|(?P<close>\))|(?P<bar>\|)|\{(?P<repeat>\d)\}")
_RANGE = re.compile(r"(\d)-(\d)")


class UnknownPattern(Exception):
    """Raised when phonenumbers' metadata no longer has the shape this table relies on."""


@cache
def valid_prefixes() -> bytes:
    """Return 10,000,000 bits: bit p is set when national numbers beginning with the seven digits p are valid."""
    valid = 0
    unclaimed = (1 << 10**PREFIX_DIGITS) - 1
    # The walk of phonenumberutil._region_code_for_number_from_list: the first region that claims a number judges it.
    for region in COUNTRY_CODE_TO_REGION_CODE[1]:
        metadata = PhoneMetadata.metadata_for_region(region)
        if metadata is None:
            continue
        types = frozenset[_Sequence]().union(*(_patterns(getattr(metadata, name)) for name in _TYPES))
        good = _prefixes(_patterns(metadata.general_desc), PREFIX_DIGITS) & _prefixes(types, PREFIX_DIGITS)
        claimed = unclaimed & (_starting_with(metadata.leading_digits) if metadata.leading_digits else good)
        valid |= claimed & good
        unclaimed &= ~claimed
    _prefixes.cache_clear()
    return valid.to_bytes(10**PREFIX_DIGITS // 8, "little")


def is_valid(national: str) -> bool:
    """Tell whether a national number of ten ASCII digits is valid."""
    prefix = int(national[:PREFIX_DIGITS])
    return bool(valid_prefixes()[prefix >> 3] >> (prefix & 7) & 1)


def has_valid_numbers(area_code: str) -> bool:
    """Tell whether any number of a three-digit area code is valid."""
    first = int(area_code) * 10 ** (PREFIX_DIGITS - 3) // 8
    return any(valid_prefixes()[first : first + 10 ** (PREFIX_DIGITS - 3) // 8])


def _patterns(description: PhoneNumberDesc | None) -> _Choice:
    if description is None or not description.national_number_pattern:
        return frozenset()
    if description.possible_length and NUMBER_DIGITS not in description.possible_length:
        return frozenset()
    return _parse(description.national_number_pattern)


def _starting_with(pattern: str) -> int:
    # Padded to full length, since the leading digits of a region may differ in length (DO: 8001|8[024]9).
    padded = (rf"(?:{pattern})" + r"\d" * (NUMBER_DIGITS - length) for length in range(1, PREFIX_DIGITS + 1))
    return _prefixes(frozenset[_Sequence]().union(*map(_parse, padded)), PREFIX_DIGITS)


@cache
def _prefixes(remainders: _Choice, digits: int) -> int:
    """Return the bit set of the next `digits` digits after which the pattern accepts whatever follows."""
    if digits == 0:
        return int(_accepts(remainders, NUMBER_DIGITS - PREFIX_DIGITS))
    width = 10 ** (digits - 1)
    found = 0
    for digit in _DIGITS:
        if rest := _after(remainders, digit):
            found |= _prefixes(rest, digits - 1) << int(digit) * width
    return found


def _accepts(remainders: _Choice, digits: int) -> bool:
    if digits == 0:
        return () in remainders
    answers = {_accepts(_after(remainders, d), digits - 1) for d in _DIGITS}
    if len(answers) > 1:
        raise UnknownPattern(f"validity depends on more than {PREFIX_DIGITS} digits")
    return answers.pop()


def _after(remainders: _Choice, digit: str) -> _Choice:
    """Return what may follow once the digit is read (the pattern's derivative)."""
    left: set[_Sequence] = set()
    for sequence in remainders:
        if not sequence:
            continue
        first, rest = sequence[0], sequence[1:]
        if isinstance(first, frozenset):
            left |= _after(frozenset((*option, *rest) for option in first), digit)
        elif digit in first:
            left.add(rest)
    return frozenset(left)


def _digit_set(pattern: str) -> str:
    if pattern == r"\d":
        return _DIGITS
    return _RANGE.sub(lambda ends: _DIGITS[int(ends[1]) : int(ends[2]) + 1], pattern.strip("[]"))


def _parse(pattern: str) -> _Choice:
    levels: list[list[list[str | _Choice]]] = [[[]]]
    position = 0
    while position < len(pattern):
        token = _TOKEN.match(pattern, position)
        if token is None:
            raise UnknownPattern(pattern)
        position = token.end()
        sequence = levels[-1][-1]
        if token["digits"]:
            sequence.append(_digit_set(token["digits"]))
        elif token["repeat"]:
            sequence.extend(sequence[-1:] * (int(token["repeat"]) - 1))
        elif token["open"]:
            levels.append([[]])
        elif token["bar"]:
            levels[-1].append([])
        else:
            choice = frozenset(tuple(option) for option in levels.pop())
            levels[-1][-1].append(choice)
    return frozenset(tuple(option) for option in levels[0])
