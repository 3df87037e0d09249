"""Telephone numbers: from what people type to E.164 and back. Pure Python, imports nothing of Vocelio.

Open `numbers.py` first; `nanp.py` is the exact short cut for North America.
"""

from contacts.phones.numbers import INVALID, Phone, PhoneProblem, format_for_people, normalize, normalize_many

__all__ = ["INVALID", "Phone", "PhoneProblem", "format_for_people", "normalize", "normalize_many"]
