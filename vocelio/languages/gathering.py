"""Find the texts for people: in the code, in templates, and on what Django makes of models and pages."""

import ast
import re
from collections.abc import Iterable, Iterator
from gettext import translation
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.sites import AdminSite

from vocelio.languages.labels import APPS, FOREIGN, labels

# Arguments and attributes that hold a text, wherever they stand.
NAMED = {"search_help_text", "message", "title", "label", "subject", "menu_title", "section", "help", "notice"}
# Calls and which of their arguments is the text.
POSITIONS = {
    "field": 1, "message_user": 1, "add_error": 1, "success": 1, "error": 1, "warning": 1, "info": 1,
    "message": 0, "ValidationError": 0, "ErrorDetail": 0, "translated": 0, "lazily": 0, "gettext_lazy": 0,
    "sidebar_item": 1, "gettext": 0, "ok": 0, "warn": 0, "fail": 0, "Choice": 1, "Setting": 1, "send_mail": 0, "_page": 2, "_": 0, "Card": 0, "Chart": 0, "Kept": 1,
}  # fmt: skip
# Functions whose plain strings are answers to people.
ANSWERS = {"perform_destroy", "_save", "_act", "save", "lookups", "refusals", "hint", "caption", "__str__"}
# Modules of which everything that reads like a text is one: the pages of the back office, and what they are made of.
PAGES = {"admin", "panels", "metrics", "charts", "figures", "forms", "examinations", "dashboard", "reports"}
# With fewer beside its places a text would be found in any other.
FEWEST_LETTERS = 5
NOT_FOR_PEOPLE = {"ValueError", "TypeError", "RuntimeError", "KeyError", "CommandError", "ImproperlyConfigured",
                  "AssertionError", "LookupError", "SystemExit", "NotImplementedError"}  # fmt: skip
THEIRS = re.compile(
    r"""\{%\s*trans(?:late)?\s+"([^"]*)"|\{%\s*trans(?:late)?\s+'([^']*)'|\b_\("([^"]*)"\)|\b_\('([^']*)'\)"""
)
# What Django and django-celery-beat have no Spanish for.
GAPS = {
    'Cron Months (1-12) Of The Year to Run. Use "*" for "all". (Example: "1,12")': "",
    # Of the usual dashboard of each role (dashboards/services/dashboards.py).
    "{1}s at a glance": "",
    # As serializers say it (api/serializers.py).
    '"{1}" is not one of: {2}.': "",
    "Your password can’t be a commonly used password.": "",  # noqa: RUF001 - as Django spells it
    "Your password must contain at least %(min_length)d character.": (
        "Your password must contain at least %(min_length)d characters."
    ),
}
# What is shown in the word that is stored.
WORDS = (
    "fresh", "stale", "missing", "manual", "autodialer", "all", "active", "archived", "title", "imported", "updated",
    "duplicates", "invalid", "total", "none", "full", "back office", "socket", "api", "job", "contacts", "clients", "deals",
)  # fmt: skip
# What unfold colours a text by.
COLORS = {"success", "info", "warning", "danger"}
TRANSLATE = re.compile(r"""\{%\s*translate\s+(?:"([^"]*)"|'([^']*)')|\b_\("([^"]*)"\)""")
BLOCK = re.compile(r"\{%\s*blocktranslate(.*?)%\}(.*?)\{%\s*endblocktranslate\s*%\}", re.DOTALL)
PLURAL = re.compile(r"\{%\s*plural\s*%\}")
SCRIPT = re.compile(r"""\bn?gettext\("([^"]*)"(?:, "([^"]*)")?""")
LIKE_A_TEXT = re.compile(r"[A-Z][a-z]+|[^<>=_/]*[A-Za-z)},] [A-Za-z({0-9][^<>=_/]*|.*[a-z]\)?[.:!?]( .*|$)", re.DOTALL)
LIKE_SQL = re.compile(r"(SELECT|INSERT|UPDATE|DELETE|WITH|SHOW|SET) [a-z0-9(%*]")
VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def gathered() -> dict[str, str]:
    """Return every text, and for those of two numbers the plural."""
    found: dict[str, str] = {}
    for text in _all():
        text = text.strip()
        if _is_a_text(text):
            found.setdefault(text, "")
    found |= GAPS | dict.fromkeys(WORDS, "")
    for path in sorted(Path(settings.BASE_DIR, "templates").rglob("*.*")):
        found |= dict(_of_template(path.read_text()))
    return found


def gathered_of_scripts() -> dict[str, str]:
    """Return the texts that scripts of pages look up, and for those of two numbers the plural."""
    found: dict[str, str] = {}
    for app in APPS:
        for path in sorted(Path(settings.BASE_DIR, app).rglob("static/**/*.js")):
            found |= dict(SCRIPT.findall(path.read_text()))
    return found


# The texts of each catalog of Django's: of the code and templates, and of scripts.
CATALOGS = {"django": gathered, "djangojs": gathered_of_scripts}


def _is_a_text(text: str) -> bool:
    words = re.sub(r"\{\d\}", "", text)
    if words != text and len(re.sub(r"[^A-Za-z]", "", words)) < FEWEST_LETTERS:
        return False
    is_code = re.fullmatch(r"[A-Z]+_[A-Z_]+|[a-z0-9_./:-]+[_./:][a-z0-9_./:-]*|[a-z]+[A-Z]\w*", text)
    return bool(re.search(r"[A-Za-z]{2}", words)) and not is_code and "<" not in text


def _all() -> Iterator[str]:
    for app in APPS:
        for path in sorted(Path(settings.BASE_DIR, app).rglob("*.py")):
            # The demo's data is no text of the product; migrations repeat models.
            if not {"migrations", "commands", "embedded"} & set(path.parts) and "demo" not in path.name:
                # Labels of filters are the API's documentation, which is English.
                is_described = bool({"filters", "serializers"} & {path.stem, *path.parts})
                tree = ast.parse(path.read_text())
                yield from _of_module(tree, set() if is_described else NAMED)
                if PAGES & {path.stem, *path.parts} and "health" not in path.parts:
                    yield from _of_page_module(tree)
    yield from labels()
    yield from _unfold()
    site: AdminSite = admin.site
    for page in site._registry.values():
        if not f"{type(page).__module__} {page.model.__module__}".startswith(FOREIGN):
            yield from _of_page(page)


def _unfold() -> Iterator[str]:
    """Return what the back office's theme says that Django does not say too: it brings no Spanish."""
    folder = Path(str(find_spec("unfold").origin)).parent  # type: ignore[union-attr]
    django = Path(str(find_spec("django").origin)).parent  # type: ignore[union-attr]
    folders = [path.parents[2] for path in sorted(django.glob("**/locale/es/LC_MESSAGES/django.mo"))]
    known = [translation("django", path, ["es"]) for path in folders]
    for path in sorted([*folder.glob("templates/**/*.html"), *folder.glob("**/*.py")]):
        for found in THEIRS.findall(path.read_text()):
            if all(each.gettext("".join(found)) == "".join(found) for each in known):
                yield "".join(found)


def _of_page(page: Any) -> Iterator[str]:
    yield from (str(getattr(page, name, "")) for name in ("section", "menu_title"))
    yield str(page.model._meta.verbose_name_plural).capitalize()
    yield from (str(title) for title, *_ in getattr(page, "sidebar_extra", lambda: [])())
    yield from (str(name) for name, _ in page.fieldsets or () if name)


def _of_page_module(tree: ast.Module) -> Iterator[str]:
    """Return what begins like a sentence, or has several words, unless it describes the code or asks the database."""
    described = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and isinstance(node.body[0], ast.Expr)
    }
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and {ast.unparse(value).strip("'") for value in node.values} <= COLORS:
            yield from _texts(key for key in node.keys if key is not None)
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in described | inside:
            for text in _texts([node]):
                if LIKE_A_TEXT.fullmatch(text.strip()) and not LIKE_SQL.match(text.strip()):
                    yield text


def _of_module(tree: ast.AST, named: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            if _name(node.exc.func) not in NOT_FOR_PEOPLE:
                yield from _texts(node.exc.args[:1])
        elif isinstance(node, ast.Call):
            position = POSITIONS.get(_name(node.func))
            if position is not None:
                yield from _texts(node.args[position : position + 1])
                # A card of the dashboard has a note too.
                yield from _texts(node.args[2:3] if _name(node.func) == "Card" else [])
            elif _name(node.func)[:1].isupper() and _name(node.func) != "SQL":
                # Another error, made here and raised elsewhere, or a plug-in's description.
                yield from _texts(argument for argument in node.args[:1] if _is_a_sentence(argument))
            for keyword in node.keywords:
                if keyword.arg in named or (keyword.arg == "description" and _name(node.func) in ("display", "action")):
                    yield from _texts([keyword.value])
        elif isinstance(node, ast.Assign):
            names = {target.id for target in node.targets if isinstance(target, ast.Name)}
            if names & named:
                yield from _texts([node.value])
            if names & {"CODES"} and isinstance(node.value, ast.Dict):
                yield from _texts(node.value.values)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in named:
                    yield from _texts([value])
        elif isinstance(node, ast.FunctionDef) and node.name == "sidebar_extra":
            yield from _texts(inner.elts[0] for inner in ast.walk(node) if isinstance(inner, ast.Tuple))
        elif isinstance(node, ast.FunctionDef) and node.name in ANSWERS:
            returns = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Return) and inner.value]
            yield from _texts(returns)
        elif isinstance(node, ast.ClassDef) and any("Choices" in ast.unparse(base) for base in node.bases):
            for line in node.body:
                if isinstance(line, ast.Assign) and isinstance(line.value, ast.Tuple):
                    yield from _texts(line.value.elts[1:2])


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _is_a_sentence(node: ast.expr) -> bool:
    return any(" " in text and text[:1].isupper() and text[-1:] in ".:;)" for text in _texts([node]))


def _texts(nodes: Iterable[ast.expr]) -> Iterator[str]:
    """Return the strings of an expression, f-strings with numbered places."""
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield _with_places(node)
        elif isinstance(node, ast.IfExp):
            yield from _texts([node.body, node.orelse])
        elif isinstance(node, (ast.Tuple, ast.List)):
            yield from _texts(node.elts)
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            yield from _texts([node.left, node.right])


def _with_places(node: ast.JoinedStr) -> str:
    text, number = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        else:
            number += 1
            text += f"{{{number}}}"
    return text


def _of_template(source: str) -> Iterator[tuple[str, str]]:
    for found in TRANSLATE.findall(source):
        yield "".join(found).replace("%", "%%"), ""
    for options, body in BLOCK.findall(source):
        one, *many = [VARIABLE.sub(r"%(\1)s", part.replace("%", "%%")) for part in PLURAL.split(body)]
        texts = [" ".join(part.split()) if "trimmed" in options else part for part in (one, *many)]
        yield texts[0], texts[1] if many else ""
