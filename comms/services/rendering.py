"""Make messages of templates: look values up, sanitise HTML, refuse what would break out of a header."""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape, unescape
from typing import Any
from urllib.parse import urlencode

import nh3
from django.conf import settings

from comms.models import Medium, TemplateVersion, WhenMissing
from comms.services import mustache
from comms.services.tokens import CLICKED, OPENED, UNSUBSCRIBE, make_token
from contacts.models import Contact

TAGS = nh3.ALLOWED_TAGS | {"center", "font", "section", "header", "footer", "main", "html", "body"}
_LOOKS = {
    "style",
    "align",
    "valign",
    "width",
    "height",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "dir",
}
ATTRIBUTES = {tag: (nh3.ALLOWED_ATTRIBUTES.get(tag, set()) | _LOOKS) - {"rel"} for tag in TAGS}
STYLES = {
    "background", "background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left",
    "border-radius", "border-right", "border-spacing", "border-top", "color", "display", "font", "font-family",
    "font-size", "font-style", "font-weight", "height", "letter-spacing", "line-height", "list-style-type", "margin",
    "margin-bottom", "margin-left", "margin-right", "margin-top", "max-width", "min-width", "padding", "padding-bottom",
    "padding-left", "padding-right", "padding-top", "text-align", "text-decoration", "text-transform", "vertical-align",
    "white-space", "width",
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "tel", "cid"}
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    attributes=ATTRIBUTES,
    filter_style_properties=STYLES,
    url_schemes=SCHEMES,
    clean_content_tags={"script", "style", "title"},
    link_rel=None,
)
_LINK = re.compile(r'(<a\b[^>]*?\bhref=")(https?://[^"]+)(")', re.IGNORECASE)
_PLACE = re.compile(r"\{\{(\d{1,2})\}\}")
# What every template may name, in words for the editor.
KNOWN = {
    "first_name": "First name",
    "last_name": "Last name",
    "name": "Whole name",
    "email": "E-mail address",
    "phone": "Phone",
    "company": "Company",
    "title": "Title",
    "city": "City",
    "state": "State",
    "country": "Country",
    "custom": "Custom fields: custom.<key>",
    "sender": "Who sends: sender.name, sender.email",
    "organization": "Your organization: organization.name",
    "unsubscribe_url": "Where the person unsubscribes",
}


class CannotRender(Exception):
    """The message cannot be written; says why in a code and in words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Sender:
    """In whose name a message is written."""

    name: str
    email: str
    organization: str
    postal_address: str = ""


@dataclass(frozen=True)
class Rendered:
    """A message as it goes out."""

    subject: str
    text: str
    html: str = ""
    parameters: tuple[str, ...] = ()


def values_for(
    contact: Contact | None, sender: Sender, variables: Mapping[str, Any], unsubscribe_url: str
) -> dict[str, Any]:
    """Return what a template may name; the message's own variables win."""
    values: dict[str, Any] = {}
    if contact is not None:
        names = ("first_name", "last_name", "name", "email", "company", "title", "city", "state", "country")
        values = {name: getattr(contact, name) for name in names}
        values["phone"] = contact.phone or ""
        values["custom"] = contact.custom_fields
    return {
        **values,
        "sender": {"name": sender.name, "email": sender.email},
        "organization": {"name": sender.organization},
        **variables,
        "unsubscribe_url": unsubscribe_url,
    }


def render_version(version: TemplateVersion, medium: str, when_missing: str, values: Mapping[str, Any]) -> Rendered:
    """Write a message from a version; raise CannotRender for a missing variable that blocks, or a broken header."""
    strict = when_missing == WhenMissing.BLOCK
    try:
        if version.parameters or _PLACE.search(version.body_text):
            return _with_places(version, values, strict)
        subject = mustache.render(version.subject, values, is_html=False, is_strict=strict)
        text = mustache.render(version.body_text, values, is_html=False, is_strict=strict)
        html = mustache.render(version.body_html, values, is_html=True, is_strict=strict) if version.body_html else ""
    except mustache.MissingVariable as missing:
        raise CannotRender("MISSING_VARIABLE", f"There is no value for {{{{{missing.name}}}}}.") from None
    except mustache.TemplateError as error:
        raise CannotRender("TEMPLATE_BROKEN", str(error)) from None
    if any(letter in subject for letter in "\r\n"):
        raise CannotRender("HEADER_REFUSED", "A value of the subject holds a line end.")
    html = clean_html(html) if html else ""
    return Rendered(subject[:500] if medium == Medium.EMAIL else "", text or html_to_text(html), html)


def _with_places(version: TemplateVersion, values: Mapping[str, Any], strict: bool) -> Rendered:
    """Fill the numbered places of a provider's template."""
    filled = tuple(mustache.render(each, values, is_html=False, is_strict=strict) for each in version.parameters)
    wanted = {int(number) for number in _PLACE.findall(version.body_text)}
    if wanted != set(range(1, len(filled) + 1)):
        raise CannotRender("MISSING_VARIABLE", f"The template has {len(wanted)} places, {len(filled)} are filled.")
    if any(not each.strip() or "\n" in each for each in filled):
        raise CannotRender("MISSING_VARIABLE", "A place of the template would be empty or hold a line end.")
    text = _PLACE.sub(lambda place: filled[int(place[1]) - 1], version.body_text)
    return Rendered("", text, "", filled)


def with_footer(rendered: Rendered, medium: str, sender: Sender, unsubscribe_url: str) -> Rendered:
    """Add to bulk mail who sent it and how to leave, unless its own text says how."""
    if medium != Medium.EMAIL or unsubscribe_url in rendered.text or escape(unsubscribe_url) in rendered.html:
        return rendered
    who = " - ".join(filter(None, [sender.organization, sender.postal_address]))
    text = f"{rendered.text.rstrip()}\n\n-- \n{who}\nUnsubscribe: {unsubscribe_url}\n"
    html = rendered.html and (
        f'{rendered.html}<p style="color:#777;font-size:12px">{escape(who)}<br>'
        f'<a href="{escape(unsubscribe_url)}">Unsubscribe</a></p>'
    )
    return Rendered(rendered.subject, text, html, rendered.parameters)


def with_tracking(html: str, message_id: uuid.UUID, *, clicks: bool, opens: bool) -> str:
    """Lead links over our counter, and add the picture that tells of an opened mail, as the template wants."""
    if not html:
        return html
    if clicks:
        html = _LINK.sub(lambda link: link[1] + escape(click_url(message_id, unescape(link[2]))) + link[3], html)
    if opens:
        token = make_token(OPENED, message_id)
        html += f'<img src="{settings.PUBLIC_URL}/m/o/{token}.gif" width="1" height="1" alt="">'
    return html


def click_url(message_id: uuid.UUID, target: str) -> str:
    """Return an address that counts and leads on to the target, which our signature holds."""
    if target.startswith(f"{settings.PUBLIC_URL}/m/"):
        return target
    return f"{settings.PUBLIC_URL}/m/c/{make_token(CLICKED, message_id, target)}?{urlencode({'to': target})}"


def unsubscribe_url(message_id: uuid.UUID) -> str:
    return f"{settings.PUBLIC_URL}/m/u/{make_token(UNSUBSCRIBE, message_id)}"


def clean_html(html: str) -> str:
    """Return HTML without scripts, forms, frames, event handlers and addresses that run."""
    return _CLEANER.clean(html)


def html_to_text(html: str) -> str:
    """Return what a person reads of HTML, links told behind their words."""
    text = re.sub(r'(?is)<a\b[^>]*?href="([^"]*)"[^>]*>(.*?)</a>', r"\2 (\1)", html)
    text = re.sub(r"(?i)<(br|/p|/div|/tr|/h[1-6]|/li)[^>]*>", "\n", text)
    text = unescape(re.sub(r"<[^>]+>", "", text))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.splitlines())).strip()
