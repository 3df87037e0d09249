"""A language in which every translation is marked, so that a machine finds what people would read untranslated."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.utils.translation import trans_real
from lxml import etree, html  # type: ignore[import-untyped]

from vocelio.languages import translate

LANGUAGE = "es"
MARKED = re.compile(r"⟦[^⟦⟧]*⟧")
# What is no text: data that tests made, addresses, codes, ids, and numbers with their units.
DATA = re.compile(
    r"\S*\d{6,}[\w@.-]*|\S+@\S+|https?://\S+|\b[\da-f]{8}-[\da-f-]{27}\b|\b[A-Z]{2,}\b|\b[\w-]+[._:/][\w./:-]+|%\w"
)
WORD = re.compile(r"[^\W\d_]{3,}")
# Names, which are the same everywhere, and what nobody reads as a word.
NAMES = {
    "Vocelio", "WhatsApp", "LinkedIn", "Salesforce", "HubSpot", "Pipedrive", "Zoho", "OpenAI", "Twilio", "SMTP", "Python",
    "English", "español", "Español", "Excel", "Google", "Outlook", "Celery", "OpenID", "Connect", "esc", "las", "https", "noeviction", "Factory", "Standard",
    # What other tests register.
    "Memory", "Slow",
    # Codes as they are stored, in columns that name no choices.
    "admin", "match", "manual", "title", "Title",
    # Registries are called so.
    "National", "Not", "Call", "Registry", "State", "list", "List", "Corporate", "Telephone", "Preference", "Service",
    "Canada", "Federal", "Trade", "Commission",
    # What an organization begins with is its own from then on.
    "Sales", "New", "Qualified", "Proposal", "Negotiation", "Won", "Lost",
}  # fmt: skip
ZONES = available_timezones()
UNSEEN = {"script", "style", "template", "svg", "head", "textarea", "code", "pre", "time"}
READ_ALOUD = ("placeholder", "title", "aria-label", "alt")


@contextmanager
def marking() -> Iterator[None]:
    """Make each translation to Spanish come back as ⟦translation⟧."""
    genuine = trans_real.translation(LANGUAGE)
    trans_real._translations[LANGUAGE] = _marked_translation()  # type: ignore[attr-defined]
    translate._templates.cache_clear()
    try:
        yield
    finally:
        trans_real._translations[LANGUAGE] = genuine  # type: ignore[attr-defined]
        translate._templates.cache_clear()


@cache
def _marked_translation() -> Any:
    marked = trans_real.DjangoTranslation(LANGUAGE)
    for catalog in marked._catalog._catalogs:  # type: ignore[attr-defined]
        catalog.update({key: f"⟦{text}⟧" for key, text in catalog.items() if key and text})
    return marked


def unmarked(text: str) -> list[str]:
    """Return the words of a text that no translation brought."""
    without, found = text, 1
    while found:
        without, found = MARKED.subn(" ", without)
    return [word for word in WORD.findall(DATA.sub(" ", without)) if word not in NAMES]


def untranslated(page: str) -> list[str]:
    """Return the texts of a page that somebody would see or hear untranslated."""
    return sorted({text for text in _texts(html.fromstring(page)) if unmarked(text)})


def _texts(root: Any) -> Iterator[str]:
    for event, node in etree.iterwalk(root, events=("start", "comment")):
        if event == "comment" or _is_unseen(node):
            continue
        yield " ".join((node.text or "").split())
        for child in node:
            yield " ".join((child.tail or "").split())
        yield from (node.get(name) for name in READ_ALOUD if node.get(name))
        if node.tag == "input" and node.get("type") == "submit":
            yield node.get("value", "")


def _is_unseen(node: Any) -> bool:
    if node.tag == "option" and node.get("value") in ZONES:
        return True
    return any(
        each.tag in UNSEEN or "material-symbols" in (each.get("class") or "") or each.get("translate") == "no"
        for each in (node, *node.iterancestors())
    )
