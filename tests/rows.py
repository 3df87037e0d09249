"""A row of any tenant table, made from what its model says; so that tests over all tables grow by themselves."""

from datetime import timedelta
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.utils import timezone

from tests.factories import phone_number, unique
from vocelio.db.fields import TenantForeignKey
from vocelio.organizations.models import TenantRow

# What a model's own rules ask for beyond its column types.
SPECIAL: dict[str, dict[str, Any]] = {"Contact": {"phone": phone_number}}


def tenant_models() -> list[type[TenantRow]]:
    """Return every concrete tenant model."""
    return [model for model in apps.get_models() if issubclass(model, TenantRow) and model._meta.managed]


def make_row(model: Any, **values: Any) -> Any:
    """Create a row in the open scope, with parents where the model needs them."""
    for name, value in SPECIAL.get(model.__name__, {}).items():
        values.setdefault(name, value())
    for field in model._meta.local_concrete_fields:
        if field.name not in values and field.name not in ("id", "organization") and _is_required(field):
            values[field.name] = _value(field)
    return model.objects.create(**values)


def _is_required(field: Any) -> bool:
    return not (field.null or field.has_default() or field.has_db_default() or isinstance(field, SearchVectorField))


def _value(field: Any) -> Any:
    if isinstance(field, TenantForeignKey):
        return make_row(field.related_model)
    if isinstance(field, ArrayField):
        return []
    if isinstance(field, models.JSONField):
        return {}
    if isinstance(field, models.UUIDField):
        return field.model._meta.pk.get_default()
    if isinstance(field, (models.DateTimeField, models.DateField)):
        return timezone.now() + timedelta(days=1)
    if isinstance(field, models.BooleanField):
        return False
    if isinstance(field, (models.IntegerField, models.DecimalField)):
        return int(unique("x").rsplit("-", 1)[1])
    if isinstance(field, models.BinaryField):
        return unique("b").encode()[-32:]
    text = field.choices[0][0] if field.choices else unique("t")
    return text[-field.max_length :] if field.max_length else text
