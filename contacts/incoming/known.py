"""Bring a row and what is already known of the contact together, field by field."""

import re
from typing import Any

from contacts.incoming.options import CUSTOM, Options, Policy
from contacts.incoming.rows import Incoming

# Field or `custom:<name>`, with the text before and after.
Changes = dict[str, tuple[str, str]]

_INVISIBLE = re.compile(r"[^\S\n\t]|[\x00-\x08\x0b-\x1f\x7f]+")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,17})?")


def merge(known: Incoming, row: Incoming, options: Options) -> Changes:
    """Change `known` as the row says and the options allow; return what that changed.

    Blank cells change nothing, tags are added to those there are, and a text that differs only in blanks around it or
    in characters nobody sees is the same text.
    """
    changes: Changes = {}
    for name in ("phone", "email", "phone_extension"):
        new, old = getattr(row, name), getattr(known, name)
        if new and _may_change(options, name, old) and not _same(old or "", new):
            changes[name] = old or "", new
            setattr(known, name, new)
    for name, new in row.values.items():
        old = known.values.get(name, "")
        if old != new and _may_change(options, name, old) and not _same(old, new):
            changes[name] = old, new
            known.values[name] = new
    if row.tags and _may_change(options, "tags", known.tags):
        there = {_seen(tag) for tag in known.tags}
        if added := [tag for tag in row.tags if _seen(tag) not in there]:
            tags = [*known.tags, *added]
            changes["tags"] = "; ".join(known.tags), "; ".join(tags)
            known.tags = tags
    for name, new in row.custom_fields.items():
        old = known.custom_fields.get(name, "")
        if old != new and _may_change(options, CUSTOM + name, old) and not _same(old, new):
            changes[CUSTOM + name] = old, new
            known.custom_fields[name] = new
    return changes


def typed(text: str, old: Any) -> Any:
    """Return a custom field's new text as the kind of value the old one is, where it can be read as that."""
    if isinstance(old, bool):
        return {"true": True, "false": False}.get(text.casefold(), text)
    if isinstance(old, int | float):
        if _INTEGER.fullmatch(text):
            return int(text)
        if _NUMBER.fullmatch(text):
            return float(text)
    return text


def _may_change(options: Options, name: str, old: Any) -> bool:
    policy = options.fields.get(name, options.policy) if options.fields else options.policy
    return policy == Policy.OVERWRITE or (policy == Policy.FILL and not old)


def _same(old: str, new: str) -> bool:
    return old == new or _seen(old) == _seen(new)


def _seen(text: str) -> str:
    return _INVISIBLE.sub(" ", text.replace("\r\n", "\n")).strip()
