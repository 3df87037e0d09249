"""What models, forms and pages of the back office call things, wrapped so that it reads in the viewer's language."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, cast

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import FieldDoesNotExist
from django.forms.utils import pretty_name
from django.utils.choices import BaseChoiceIterator
from django.utils.functional import Promise
from django.utils.html import escape
from django.utils.safestring import SafeData, SafeString

from vocelio.languages.translate import lazily, translated

APPS = ["vocelio", "contacts", "dnc", "crm_sync", "recruitment", "sales", "ai_matching", "comms"]
FOREIGN = ("django.", "unfold.", "rest_framework.", "django_celery_beat.")


def wrap_labels() -> None:
    """Wrap them all, once, when every app is ready."""
    for owner, name in places():
        text = getattr(owner, name)
        # What a field says lazily is Django's or unfold's, and reads by itself.
        if not (isinstance(owner, forms.Field) and isinstance(text, Promise)):
            setattr(owner, name, lazily(text))
    for field in _choice_fields():
        field.choices = [(value, _wrapped(label)) for value, label in field.choices]
    for attributes in _attributes():
        attributes["placeholder"] = lazily(attributes["placeholder"])
    for page_filter in _filters():
        page_filter.lookups = _lookups(page_filter.lookups)
    for page in _pages():
        for name in _columns(page):
            function = getattr(type(page), name, None)
            if callable(function):
                setattr(type(page), name, _read_aloud(function))


class Shown(str):
    """A text that is English to code, such as that which looks up its colour, and translated to who reads it."""

    __slots__ = ()

    def __html__(self) -> SafeString:
        return escape(str(self))

    def __str__(self) -> str:
        return translated(str.__str__(self))


def _read_aloud(function: Callable[..., Any]) -> Callable[..., Any]:
    """Have the texts that a column of a page answers read in the viewer's language."""

    @wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        if isinstance(found, (list, tuple)):
            return type(found)(_shown(each) for each in found)
        return _shown(found)

    return answer


def _lookups(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def answer(*args: Any) -> Any:
        return [(value, translated(label)) for value, label in function(*args)]

    return answer


def _shown(answer: Any) -> Any:
    return Shown(answer) if isinstance(answer, str) and not isinstance(answer, SafeData) else answer


def translate_form(form: forms.BaseForm) -> None:
    """Have what a form says of its fields read in the viewer's language, however late it was made up."""
    for field in form.fields.values():
        field.label, field.help_text = translated(field.label or "") or field.label, translated(field.help_text)
        if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
            field.choices = [(value, _read(label)) for value, label in cast(Any, field).choices]


def _read(label: Any) -> Any:
    if isinstance(label, (list, tuple)):
        return [(value, _read(inner)) for value, inner in label]
    return translated(label)


def labels() -> Iterator[str]:
    """Return every text that is wrapped, for the catalog."""
    yield from (str(getattr(owner, name)) for owner, name in places())
    for field in _choice_fields():
        for _, label in field.choices:
            yield from [str(inner) for _, inner in label] if isinstance(label, (list, tuple)) else [str(label)]
    yield from (str(attributes["placeholder"]) for attributes in _attributes())
    for page in _pages():
        if not page.model.__module__.startswith(FOREIGN):
            for name in _columns(page):
                yield _heading(page, name)


def places() -> Iterator[tuple[Any, str]]:
    """Find each attribute that holds such a text."""
    for owner, name in _places():
        text = getattr(owner, name, None)
        if text and isinstance(text, (str, Promise)):
            yield owner, name


def _places() -> Iterator[tuple[Any, str]]:
    yield from ((page_filter, "title") for page_filter in _filters())
    yield from ((app, "verbose_name") for app in apps.get_app_configs() if app.name.split(".")[0] in APPS)
    for model in _models():
        yield from ((model._meta, "verbose_name"), (model._meta, "verbose_name_plural"))
        for field in model._meta.local_fields:
            yield from ((field, "verbose_name"), (field, "help_text"))
    for form in _forms(forms.BaseForm):
        for name, form_field in getattr(form, "declared_fields", {}).items():
            if form_field.label is None:
                # What Django would make of the name.
                form_field.label = pretty_name(name)
            yield from ((form_field, "label"), (form_field, "help_text"), (form_field, "empty_label"))
    for page in _pages():
        yield from ((type(page), "menu_title"), (type(page), "search_help_text"))
        for name in [*_columns(page), *(page.actions or ())]:
            function = getattr(type(page), name, None) if isinstance(name, str) else name
            if function is None and isinstance(getattr(page.model, str(name), None), property):
                function = getattr(page.model, str(name)).fget
            if callable(function):
                if not hasattr(function, "short_description"):
                    # What Django would make of the name.
                    function.short_description = pretty_name(str(name))
                yield function, "short_description"


def _attributes() -> Iterator[dict[str, Any]]:
    """Find the attributes of fields that say what may be typed there."""
    for form in _forms(forms.BaseForm):
        for form_field in getattr(form, "declared_fields", {}).values():
            if form_field.widget.attrs.get("placeholder"):
                yield form_field.widget.attrs


def _forms(base: Any) -> Iterator[Any]:
    for form in base.__subclasses__():
        if not form.__module__.startswith(FOREIGN):
            yield form
        yield from _forms(form)


def _models() -> Iterator[Any]:
    """Return what has a page in the back office; nobody reads the names of other columns."""
    yield from (page.model for page in _pages() if not page.model.__module__.startswith(FOREIGN))


def _pages() -> Iterator[Any]:
    yield from (page for page in admin.site._registry.values() if not type(page).__module__.startswith(FOREIGN))


def _filters() -> set[Any]:
    """Find what pages are narrowed by beyond their columns."""
    found = {each for page in _pages() for each in page.list_filter if isinstance(each, type)}
    return {
        each for each in found if issubclass(each, admin.SimpleListFilter) and each.__module__.split(".")[0] in APPS
    }


def _columns(page: Any) -> list[str]:
    shown: list[Any] = [*page.list_display, *page.readonly_fields]
    # Some are on a page only now and then.
    described = [name for name in dir(type(page)) if hasattr(getattr(type(page), name, None), "short_description")]
    return [name for name in dict.fromkeys([*shown, *described]) if isinstance(name, str) and name != "__str__"]


def _heading(page: Any, name: str) -> str:
    """Return the heading of a column; without a description Django makes one of the name."""
    try:
        return str(label_for_field(name, page.model, page))
    except (AttributeError, FieldDoesNotExist):
        return ""


def _choice_fields() -> Iterator[Any]:
    """Find the fields with choices of their own; those that plug-ins make are names."""
    found = [field for model in _models() for field in model._meta.local_fields if field.choices]
    for form in _forms(forms.BaseForm):
        declared = getattr(form, "declared_fields", {}).values()
        found += [
            field
            for field in declared
            if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField)
        ]
    yield from (field for field in found if not isinstance(field.choices, BaseChoiceIterator))


def _wrapped(label: Any) -> Any:
    if isinstance(label, (list, tuple)):
        return [(value, _wrapped(inner)) for value, inner in label]
    return lazily(label) if isinstance(label, str) and label else label
