"""docs/schema.md: every table of the product, as its model describes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import models

from vocelio.db.tenancy import WITHOUT_POLICY

PAGE = Path(settings.BASE_DIR) / "docs" / "schema.md"
HEAD = """# Schema reference

Written by `python manage.py write_schema` from the models; a test holds it. Tables of an organization have
`organization_id`, row-level security and the primary key `(organization_id, id)`; references to other tables of an
organization are composite. `?` marks columns that may be null.
"""


def schema_reference() -> str:
    """Return the page."""
    return "\n".join([HEAD, *_lines()])


def _lines() -> Iterator[str]:
    for config in apps.get_app_configs():
        tables = [model for model in config.get_models() if model._meta.managed and _is_ours(model)]
        if tables:
            yield f"## {config.label}\n"
        for model in tables:
            yield from _table(model)


def _is_ours(model: type[models.Model]) -> bool:
    return not model.__module__.startswith(("django.", "django_celery_beat."))


def _table(model: type[models.Model]) -> Iterator[str]:
    table = model._meta.db_table
    yield f"### {table}\n"
    text = " ".join((model.__doc__ or "").split())
    # Django's own docstring is the list of the fields.
    if not text.startswith(f"{model.__name__}("):
        yield f"{text}\n"
    if reason := WITHOUT_POLICY.get(table):
        yield f"Outside the policies: {reason}.\n"
    yield "| column | type | |"
    yield "|---|---|---|"
    yield from (_column(field) for field in model._meta.local_concrete_fields)
    rules = [*model._meta.constraints, *model._meta.indexes]
    if rules:
        yield f"\nConstraints and indexes: {', '.join(f'`{rule.name}`' for rule in rules)}."
    yield ""


def _column(field: Any) -> str:
    notes = []
    if field.is_relation:
        notes.append(f"-> `{field.related_model._meta.db_table}`")
    if field.choices:
        notes.append(", ".join(f"`{value}`" for value, _ in field.flatchoices if value != ""))
    if field.help_text:
        notes.append(str(field.help_text))
    if field.unique and not field.primary_key:
        notes.append("unique")
    kind = type(field).__name__.removesuffix("Field")
    length = f"({field.max_length})" if field.max_length and kind in ("Char", "Slug", "Email", "URL") else ""
    if kind in ("ForeignKey", "OneToOne", "TenantForeignKey", "OrganizationForeignKey"):
        kind = "UUID"
    text = "; ".join(notes).replace("|", "\\|").replace("\n", " ")
    return f"| `{field.column}` | {kind}{length}{'?' if field.null else ''} | {text} |"
