"""A logic-less subset of Mustache: values are looked up and printed, nothing is ever evaluated.

    {{first_name}}            a value, escaped where the text is HTML
    {{first_name|there}}      the same with a default for what is missing or blank
    {{contact.city}}          a value within a value
    {{#company}}...{{/company}}, {{^company}}...{{/company}}   shown if there is one, or if there is none; once for each of a list
    {{! a note }}             shown to nobody
    {{{bio}}}, {{&bio}}       unescaped; templates of messages refuse it in HTML

Partials, other delimiters and lambdas are left out. Whatever is no tag of these, such as `{{7*7}}`, stays as it is.
Values are looked up in mappings alone: no attribute of any object is ever read.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape as escape_html
from typing import Any

MAX_DEPTH = 20
_NAME = r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*"
_TAG = re.compile(
    r"\{\{\{\s*(?P<triple>\.|" + _NAME + r")\s*\}\}\}"
    r"|\{\{(?P<comment>!)(?:.*?)\}\}"
    r"|\{\{(?P<kind>[#^/&]?)\s*(?P<name>\.|" + _NAME + r")\s*(?:\|(?P<default>[^{}|\r\n]*))?\}\}",
    re.DOTALL,
)
_MISSING: Any = object()


class TemplateError(ValueError):
    """The template cannot be understood."""


class MissingVariable(Exception):
    """A variable without a default has no value."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True)
class Variable:
    name: str
    default: str | None
    is_raw: bool


@dataclass(frozen=True)
class Section:
    name: str
    is_inverted: bool
    parts: tuple["Part", ...]


Part = str | Variable | Section


@lru_cache(maxsize=2048)
def parse(text: str) -> tuple[Part, ...]:
    """Return the template's parts; raise TemplateError for a section that is not closed."""
    root: list[Part] = []
    open_sections: list[tuple[str, bool, list[Part]]] = []
    here = root
    for token in _tokens(text):
        if isinstance(token, str):
            if token:
                here.append(token)
            continue
        kind, name = token["kind"] or "", token["name"] or ""
        if token["comment"]:
            continue
        if token["triple"]:
            here.append(Variable(token["triple"], None, is_raw=True))
        elif kind in ("", "&"):
            default = token["default"]
            here.append(Variable(name, None if default is None else default.strip(), is_raw=kind == "&"))
        elif kind == "/":
            if not open_sections or open_sections[-1][0] != name:
                raise TemplateError(f"{{{{/{name}}}}} closes a section that is not open.")
            closed, is_inverted, outer = open_sections.pop()
            section = Section(closed, is_inverted, tuple(here))
            outer.append(section)
            here = outer
        else:
            if len(open_sections) == MAX_DEPTH:
                raise TemplateError(f"Sections lie within each other more than {MAX_DEPTH} deep.")
            open_sections.append((name, kind == "^", here))
            here = []
    if open_sections:
        raise TemplateError(f"{{{{#{open_sections[-1][0]}}}}} is never closed.")
    return tuple(root)


def _tokens(text: str) -> Iterator[Any]:
    """Yield texts and tags; sections and comments alone on a line take the line with them."""
    at = 0
    for tag in _TAG.finditer(text):
        start, end = tag.span()
        if tag["comment"] or tag["kind"] in ("#", "^", "/"):
            line = max(text.rfind("\n", 0, start) + 1, 0)
            rest = re.compile(r"[ \t]*(\r?\n|\Z)").match(text, end)
            # The line began with this tag, or with one that was alone on it and ended before.
            if line >= at and rest and text[line:start].strip(" \t") == "":
                start, end = line, rest.end()
        yield text[at:start]
        yield tag
        at = end
    yield text[at:]


def variables(text: str) -> dict[str, bool]:
    """Return the names of variables and whether each has a default, or stands in a section, wherever it is used."""
    found: dict[str, bool] = {}

    def walk(parts: Sequence[Part], sections: frozenset[str]) -> None:
        for part in parts:
            if isinstance(part, Variable) and part.name != ".":
                found[part.name] = found.get(part.name, True) and (part.default is not None or bool(sections))
            elif isinstance(part, Section):
                found.setdefault(part.name, True)
                walk(part.parts, sections | {part.name})

    walk(parse(text), frozenset())
    return found


def has_raw(text: str) -> bool:
    """Say whether any value would be printed unescaped."""

    def walk(parts: Sequence[Part]) -> bool:
        return any(
            part.is_raw if isinstance(part, Variable) else isinstance(part, Section) and walk(part.parts)
            for part in parts
        )

    return walk(parse(text))


def render(text: str, values: Mapping[str, Any], *, is_html: bool, is_strict: bool = False) -> str:
    """Return the text with its values. Strict, a variable without value and default raises MissingVariable."""
    out: list[str] = []
    escape: Callable[[str], str] = escape_html if is_html else str
    _render(parse(text), [values], escape, is_strict, out)
    return "".join(out)


def _render(
    parts: Sequence[Part], context: list[Any], escape: Callable[[str], str], is_strict: bool, out: list[str]
) -> None:
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, Variable):
            value = _look_up(part.name, context)
            if _is_blank(value) and part.default is not None:
                value = part.default
            elif _is_blank(value) and is_strict:
                raise MissingVariable(part.name)
            # What is no value but holds values prints as nothing.
            printed = "" if value is _MISSING or value is None or isinstance(value, (Mapping, list)) else str(value)
            out.append(printed if part.is_raw else escape(printed))
        else:
            _render_section(part, context, escape, is_strict, out)


def _render_section(
    section: Section, context: list[Any], escape: Callable[[str], str], is_strict: bool, out: list[str]
) -> None:
    value = _look_up(section.name, context)
    is_empty = value is _MISSING or not (value or (value == 0 and value is not False))
    if section.is_inverted:
        if is_empty:
            _render(section.parts, context, escape, is_strict, out)
        return
    if is_empty:
        return
    for item in value if isinstance(value, list) else [value]:
        _render(section.parts, [*context, item], escape, is_strict, out)


def _look_up(name: str, context: list[Any]) -> Any:
    if name == ".":
        return context[-1]
    first, *rest = name.split(".")
    for scope in reversed(context):
        if isinstance(scope, Mapping) and first in scope:
            value = scope[first]
            break
    else:
        return _MISSING
    for part in rest:
        if not isinstance(value, Mapping) or part not in value:
            return _MISSING
        value = value[part]
    return value


def _is_blank(value: Any) -> bool:
    return value is _MISSING or value is None or (isinstance(value, str) and not value.strip())
