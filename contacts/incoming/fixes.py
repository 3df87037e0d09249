"""Say what may help a row that was rejected: a corrected value where one can be guessed, else what to do."""

import re

from contacts.phones import Phone, normalize

_KEYPAD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "22233344455566677778889999")
_NUMBER = re.compile(r"\+?\d[\d ().-]{5,}\d")
_ADVICE = {
    "empty": "Fill in a phone number.",
    "no digits": "Fill in a phone number, or leave the cell blank and give an e-mail address.",
    "no area code": "Put the area code before the number.",
    "too short": "Digits are missing; check the number and its area code.",
    "too long": "There are too many digits; check for a second number or an extension, and write the latter as x123.",
    "contains letters": "Write the number in digits only.",
    "unknown country code": "Check the digits after the +.",
    "no such area code": "Check the area code.",
    "more than one number": "Keep one number in the cell.",
    "rounded by a spreadsheet, digits are lost": (
        "Take the number from its source again, with the column formatted as text."
    ),
    "not a possible number of digits": "Count the digits.",
}
_TYPOS = ((",", "."), (" at ", "@"), ("(at)", "@"), ("[at]", "@"), (" dot ", "."), ("@@", "@"), ("..", "."), (" ", ""))
_EMAIL = re.compile(r"[^@\s,;<>\"()]+@[^@\s.,;<>\"()]+(?:\.[^@\s.,;<>\"()]+)+")


def phone_fix(cell: str, reason: str, region: str) -> str:
    """Return what may make a valid number of the cell."""
    for candidate in (*_NUMBER.findall(cell), cell.upper().translate(_KEYPAD)):
        phone = normalize(candidate, region) if candidate != cell else None
        if isinstance(phone, Phone):
            return f"Did you mean {phone.e164}?"
    return _ADVICE.get(reason, "Check the digits, or import again without checking phone numbers.")


def email_fix(cell: str) -> str:
    """Return what may make a valid address of the cell."""
    text = cell.strip().lower()
    for wrong, right in _TYPOS:
        text = text.replace(wrong, right)
    text = text.rstrip(".;")
    if _EMAIL.fullmatch(text):
        return f"Did you mean {text}?"
    if found := _EMAIL.search(cell):
        return f"Did you mean {found[0].lower()}?"
    return "An e-mail address looks like name@example.com."
