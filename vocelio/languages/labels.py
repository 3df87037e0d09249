"""What models, forms and pages of the back office call things, wrapped so that it reads in the viewer's language."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.core.exceptions import FieldDoesNotExist
from django.forms.utils import pretty_name
from django.utils.choices import BaseChoiceIterator
from django.utils.functional import Promise

from vocelio.languages.translate import lazily

APPS = ["vocelio", "contacts", "dnc", "crm_sync", "recruitment", "sales", "ai_matching", "comms"]
FOREIGN = ("django.", "unfold.", "rest_framework.", "django_celery_beat.")


def wrap_labels() -> None:
    """Wrap them all, once, when every app is ready."""
    for owner, name in places():
        setattr(owner, name, lazily(getattr(owner, name)))
    for field in _choice_fields():
        field.choices = [(value, _wrapped(label)) for value, label in field.choices]


def labels() -> Iterator[str]:
    """Return every text that is wrapped, for the catalog."""
    yield from (str(getattr(owner, name)) for owner, name in places())
    for field in _choice_fields():
        for _, label in field.choices:
            yield from [str(inner) for _, inner in label] if isinstance(label, (list, tuple)) else [str(label)]
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
    yield from ((app, "verbose_name") for app in apps.get_app_configs() if app.name.split(".")[0] in APPS)
    for model in _models():
        yield from ((model._meta, "verbose_name"), (model._meta, "verbose_name_plural"))
        for field in model._meta.local_fields:
            yield from ((field, "verbose_name"), (field, "help_text"))
    for form in _forms(forms.BaseForm):
        for form_field in getattr(form, "declared_fields", {}).values():
            yield from ((form_field, "label"), (form_field, "help_text"), (form_field, "empty_label"))
    for page in _pages():
        yield from ((type(page), "menu_title"), (type(page), "search_help_text"))
        for name in [*_columns(page), *(page.actions or ())]:
            function = getattr(type(page), name, None) if isinstance(name, str) else name
            if callable(function):
                if not hasattr(function, "short_description"):
                    # What Django would make of the name.
                    function.short_description = pretty_name(name)
                yield function, "short_description"


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


def _columns(page: Any) -> list[str]:
    shown: list[Any] = [*page.list_display, *page.readonly_fields]
    return [name for name in shown if isinstance(name, str) and name != "__str__"]


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
