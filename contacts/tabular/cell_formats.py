"""Show a workbook's numbers as a person sees them: dates as ISO 8601, ZIP codes with their zeros, nothing rounded."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

# ECMA-376 Part 1, 18.8.30: the built-in number formats that are dates and times. 27-36 and 50-58 are dates in the
# East Asian locales; nothing else uses them.
_BUILT_IN = {14: "y-m-d", 15: "d-m-y", 16: "d-m", 17: "m-y", 18: "h:m", 19: "h:m:s", 20: "h:m", 21: "h:m:s"}
_BUILT_IN |= {22: "y-m-d h:m", 45: "m:s", 46: "h:m:s", 47: "m:s"}
_BUILT_IN |= dict.fromkeys([*range(27, 37), *range(50, 59)], "y-m-d")

# Quoted text, escaped characters, padding, colours, locales and conditions say nothing about dates; [h] does.
_DECORATION = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|general|e[+-]|am/pm|a/p', re.IGNORECASE)
_INTEGER = re.compile(r"-?[0-9]{1,15}")

Formatter = Callable[[str], str]


def plain_number(text: str) -> str:
    """Return a number without exponent, a needless fraction, or the noise beyond Excel's 15 digits."""
    if _INTEGER.fullmatch(text):
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    if number == int(number) if abs(number) < 1e15 else False:
        return str(int(number))
    return f"{number:.15g}"


def formatter(format_id: int, format_code: str | None, *, since_1904: bool) -> Formatter:
    """Return what turns the stored number of a cell of this format into text."""
    code = format_code if format_code is not None else _BUILT_IN.get(format_id, "")
    section = _DECORATION.sub("", code.partition(";")[0]).lower()
    if re.fullmatch("0{2,}", section):
        return lambda text: plain_number(text).zfill(len(section))
    has_time = any(letter in section for letter in "hs")
    has_date = any(letter in section for letter in "dy") or ("m" in section and not has_time)
    if not has_date and not has_time:
        return plain_number
    return lambda text: _moment(text, has_date=has_date, since_1904=since_1904)


def _moment(text: str, *, has_date: bool, since_1904: bool) -> str:
    try:
        serial = float(text)
        # Excel counts a 29 February 1900 that never was; before it, its days are one ahead.
        epoch = datetime(1904, 1, 1) if since_1904 else datetime(1899, 12, 31 if serial < 60 else 30)  # noqa: DTZ001
        moment = epoch + timedelta(seconds=round(serial * 86_400))
    except (ValueError, OverflowError):
        return text
    if not has_date and serial < 1:
        return moment.time().isoformat()
    if moment.time() == datetime.min.time():
        return moment.date().isoformat()
    return moment.isoformat()
