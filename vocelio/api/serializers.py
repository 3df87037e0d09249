"""Serializers speak camelCase; the code speaks snake_case. Free JSON is passed through untouched."""

from collections.abc import Callable, Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.utils.serializer_helpers import BindingDict


def camel(name: str) -> str:
    """Return `firstName` for `first_name`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def rename_fields(fields: Mapping[str, serializers.Field]) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
    """Return the fields under their API names, each reading the attribute it was declared for."""
    renamed = {}
    for name, field in fields.items():
        if camel(name) != name:
            if isinstance(field, serializers.SerializerMethodField):
                field.method_name = field.method_name or f"get_{name}"
            else:
                field.source = field.source or name
        _name_choices(field)
        renamed[camel(name)] = field
    return renamed


# What may be given is said in the refusal while it is short enough to read.
MOST_NAMED = 20


def _name_choices(field: Any) -> None:
    field = getattr(field, "child", field)
    if isinstance(field, serializers.ChoiceField) and 0 < len(field.choices) <= MOST_NAMED:
        named = ", ".join(str(value) for value in field.choices if value != "")
        field.error_messages["invalid_choice"] = f'"{{input}}" is not one of: {escape_places(named)}.'


def escape_places(text: str) -> str:
    """Return the text with its braces as str.format() leaves them."""
    return text.replace("{", "{{").replace("}", "}}")


# Comments, not docstrings: the schema would show these as the description of every serializer without one.


# Renames fields, and refuses unknown ones so that a misspelt field is not lost in silence.
class CamelCaseMixin:
    fields: BindingDict

    def get_fields(self) -> dict[str, serializers.Field]:  # type: ignore[type-arg]
        return rename_fields(super().get_fields())  # type: ignore[misc]

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = [name for name in data if name not in self.fields]
            if unknown:
                message = serializers.ErrorDetail("There is no such field.", code="unknown")
                raise serializers.ValidationError({name: [message] for name in unknown})
        return super().to_internal_value(data)  # type: ignore[misc]


# Base of plain serializers. Validation hooks carry the API name: `validate_firstName`.
class Serializer(CamelCaseMixin, serializers.Serializer[Any]):
    pass


# Base of model serializers; uniqueness is the database's to judge, and services word it.
class ModelSerializer(CamelCaseMixin, serializers.ModelSerializer[Any]):
    def get_unique_together_validators(self) -> list[Any]:
        return []


class NamedSerializer(Serializer):
    """Another record, as {id, name}; null for none."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.SerializerMethodField()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"read_only": True, "allow_null": True, **kwargs})

    def get_name(self, record: Any) -> str:
        return str(record["name"] if isinstance(record, Mapping) else record)


class PlainJSONField(serializers.JSONField):
    """Free JSON, an object unless said otherwise, without what PostgreSQL's jsonb cannot hold."""

    default_error_messages = {
        "not_object": "This must be an object.",
        "nul": "This must not contain NUL characters.",
    }

    def to_internal_value(self, data: Any) -> Any:
        value = super().to_internal_value(data)
        if not isinstance(value, dict):
            self.fail("not_object")
        if _holds_nul(value):
            self.fail("nul")
        return value


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, dict):
        return any("\0" in key or _holds_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(_holds_nul(item) for item in value)
    return False


def blank_or(choices: list[tuple[str, Any]]) -> Callable[..., serializers.ChoiceField]:
    """Return a field of these choices that may also be empty, and says so in the description."""
    schema = {"type": "string", "anyOf": [{"enum": [value for value, _ in choices]}, {"maxLength": 0}]}

    @extend_schema_field(schema)
    class BlankOrChoiceField(serializers.ChoiceField):
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(choices=choices, allow_blank=True, **kwargs)

    return BlankOrChoiceField


class MessageSerializer(Serializer):
    """A confirmation without a resource: {"message": ...}."""

    enveloped = False
    message = serializers.CharField()


class PersonField(serializers.Serializer[Any]):
    """A user as {id, name}; null when the user is gone."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(source="__str__", read_only=True)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(read_only=True, allow_null=True, **kwargs)
