"""Define custom fields, and hold values against the definitions."""

import math
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import IntegrityError, transaction

from contacts.models import Contact, CustomField
from vocelio.access.principal import Principal
from vocelio.audit.services import record
from vocelio.crypto.envelope import seal, unseal
from vocelio.errors import Conflict, Invalid

MAX_FIELDS = 200
MAX_OPTIONS = 200
MAX_TEXT = 10_000
YES, NO = {"true", "yes", "y", "1", "on"}, {"false", "no", "n", "0", "off"}
_is_url = URLValidator(schemes=["http", "https"])


class CustomFieldExists(Conflict):
    code = "CUSTOM_FIELD_EXISTS"
    message = "There is already a custom field with this key."


class BadValue(ValueError):
    """A value that a field does not take; the text says why."""


def create_custom_field(**fields: Any) -> CustomField:
    """Define a field; raise Invalid where the definition makes no sense, CustomFieldExists when the key is taken."""
    custom_field = CustomField(**fields)
    _check_definition(custom_field)
    if CustomField.objects.count() >= MAX_FIELDS:
        raise Invalid.field("key", f"There are at most {MAX_FIELDS} custom fields.", constraint="max_length")
    try:
        with transaction.atomic():
            custom_field.save(force_insert=True)
    except IntegrityError as error:
        if "one_custom_field_per_key" not in str(error):
            raise
        raise CustomFieldExists(field="key", value=custom_field.key, constraint="unique") from None
    record("custom_field.created", "customfield", custom_field.pk, key=custom_field.key)
    return custom_field


def update_custom_field(custom_field: CustomField, **fields: Any) -> CustomField:
    """Change a definition; key, kind and sensitivity stay what they are, since values depend on them."""
    for name in ("key", "kind", "is_sensitive"):
        if name in fields and fields.pop(name) != getattr(custom_field, name):
            api_name = {"is_sensitive": "isSensitive"}.get(name, name)
            raise Invalid.field(
                api_name, "This cannot change: archive the field and define another.", constraint="fixed"
            )
    for name, value in fields.items():
        setattr(custom_field, name, value)
    _check_definition(custom_field)
    if fields:
        custom_field.save(update_fields=list(fields))
    record("custom_field.updated", "customfield", custom_field.pk, fields=sorted(fields))
    custom_field.refresh_from_db()
    return custom_field


def archive_custom_field(custom_field: CustomField) -> CustomField:
    """Take the field out of forms and checks; contacts keep their values."""
    return update_custom_field(custom_field, is_archived=True)


def _check_definition(custom_field: CustomField) -> None:
    has_options = custom_field.kind in (CustomField.Kind.CHOICE, CustomField.Kind.MULTI_CHOICE)
    if has_options and not custom_field.options:
        raise Invalid.field("options", "A choice needs options.", constraint="required")
    if not has_options and custom_field.options:
        raise Invalid.field("options", "Only choices have options.", constraint="unknown")
    if len(custom_field.options) > MAX_OPTIONS or len(set(custom_field.options)) < len(custom_field.options):
        raise Invalid.field("options", f"Up to {MAX_OPTIONS} options, each once.", constraint="unique")
    if custom_field.is_sensitive and custom_field.default is not None:
        raise Invalid.field("default", "A sensitive field has no default.", constraint="forbidden")
    if custom_field.default is not None:
        try:
            custom_field.default = clean_value(custom_field, custom_field.default)
        except BadValue as error:
            raise Invalid.field("default", str(error), constraint="invalid") from None


def clean_value(custom_field: CustomField, value: Any) -> Any:
    """Return the value as it is kept, None for a blank one; raise BadValue. Texts of files are understood as well."""
    if value is None or value in ("", []) or (isinstance(value, str) and not value.strip()):
        return None
    return _CLEANERS[custom_field.kind](custom_field, value.strip() if isinstance(value, str) else value)


def clean_text(custom_field: CustomField, text: str) -> Any:
    """Do the same with the text of a file's cell; several choices may also stand there as a JSON array."""
    if custom_field.kind == CustomField.Kind.MULTI_CHOICE and text.startswith("["):
        try:
            return clean_value(custom_field, orjson.loads(text))
        except orjson.JSONDecodeError:
            pass
    return clean_value(custom_field, text)


def _text(custom_field: CustomField, value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise BadValue("This must be text.")
    if len(value) > MAX_TEXT:
        raise BadValue(f"This holds at most {MAX_TEXT} characters.")
    return value


def _number(custom_field: CustomField, value: Any) -> int | float:
    if isinstance(value, str):
        try:
            value = int(value) if value.lstrip("+-").isdecimal() and len(value) <= 18 else float(value)
        except ValueError:
            raise BadValue("This must be a number.") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or abs(value) > 1e18:
        raise BadValue("This must be a number.")
    return value


def _date(custom_field: CustomField, value: Any) -> str:
    try:
        return date.fromisoformat(
            value[:10] if isinstance(value, str) and value[10:11] in ("T", " ", "") else ""
        ).isoformat()
    except ValueError:
        raise BadValue("This must be a date, as in 2026-12-31.") from None


def _boolean(custom_field: CustomField, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if text in YES or text in NO:
        return text in YES
    raise BadValue("This must be true or false.")


def _choice(custom_field: CustomField, value: Any) -> str:
    for option in custom_field.options:
        if isinstance(value, str) and value.casefold() == option.casefold():
            return option
    raise BadValue(f"This must be one of: {', '.join(custom_field.options[:20])}.")


def _choices(custom_field: CustomField, value: Any) -> list[str]:
    values = value.replace(";", ",").split(",") if isinstance(value, str) else value
    if not isinstance(values, list):
        raise BadValue("This must be a list.")
    return list(
        dict.fromkeys(_choice(custom_field, each.strip() if isinstance(each, str) else each) for each in values)
    )


def _url(custom_field: CustomField, value: Any) -> str:
    try:
        if not isinstance(value, str):
            raise ValidationError("")
        _is_url(value)
    except ValidationError:
        raise BadValue("This must be a link that begins with http:// or https://.") from None
    return value


_CLEANERS: dict[str, Callable[[CustomField, Any], Any]] = {
    CustomField.Kind.TEXT: _text,
    CustomField.Kind.NUMBER: _number,
    CustomField.Kind.DATE: _date,
    CustomField.Kind.BOOLEAN: _boolean,
    CustomField.Kind.CHOICE: _choice,
    CustomField.Kind.MULTI_CHOICE: _choices,
    CustomField.Kind.URL: _url,
}


@dataclass
class Cleaned:
    """Values held against the definitions: what to keep openly, what to seal (None: remove it), and what is wrong."""

    values: dict[str, Any] = field(default_factory=dict)
    sensitive: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def clean_values(definitions: Iterable[CustomField], values: Mapping[str, Any], *, is_new: bool) -> Cleaned:
    """Hold the values of one contact against the active definitions; asks no database, so it serves files as well.

    Blank values of defined fields are left out. A new contact gets the defaults; required fields must be there.
    """
    cleaned = Cleaned(values=dict(values))
    for custom_field in definitions:
        key = custom_field.key
        is_given = key in values
        try:
            value = clean_value(custom_field, cleaned.values.pop(key, None))
        except BadValue as error:
            cleaned.errors[key] = str(error)
            continue
        if value is None and not is_given and is_new:
            value = custom_field.default
        if custom_field.is_sensitive:
            if is_given:
                cleaned.sensitive[key] = value
        elif value is not None:
            cleaned.values[key] = value
        if value is None and custom_field.is_required and (is_new or is_given or not custom_field.is_sensitive):
            cleaned.errors[key] = "This field is required."
    return cleaned


def set_custom_fields(contact: Contact, values: Mapping[str, Any], principal: Principal, *, is_new: bool) -> None:
    """Put `customFields` of a request on the contact, unsaved; raise Invalid naming each bad one.

    The given values replace the others. Those of sensitive fields stay unless they are given, null removes one.
    """
    cleaned = clean_values(CustomField.objects.active(), values, is_new=is_new)
    if not principal.may("contacts:private"):
        # Who may not write a sensitive field cannot be asked for it either.
        for custom_field in CustomField.objects.active().filter(is_sensitive=True):
            cleaned.errors.pop(custom_field.key, None)
        cleaned.errors |= dict.fromkeys(cleaned.sensitive, "Your role does not allow this.")
    if cleaned.errors:
        raise Invalid(
            "Some custom fields are not valid.",
            errors=[
                {"field": f"customFields.{key}", "value": None, "constraint": "custom_field", "message": message}
                for key, message in cleaned.errors.items()
            ],
        )
    contact.custom_fields = cleaned.values
    contact.private_fields = seal_values(contact.pk, cleaned.sensitive, contact.private_fields)


def seal_values(contact_id: uuid.UUID, values: Mapping[str, Any], sealed: Mapping[str, str]) -> dict[str, str]:
    """Return the sealed values with the given ones sealed anew; None removes one."""
    result = dict(sealed)
    for key, value in values.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = seal(orjson.dumps(value).decode(), _place(key, contact_id))
    return result


def unseal_values(contact_id: uuid.UUID, sealed: Mapping[str, str]) -> dict[str, Any]:
    """Return the values of sensitive fields in the clear; for eyes with contacts:private only."""
    return {key: orjson.loads(unseal(text, _place(key, contact_id))) for key, text in sealed.items()}


def _place(key: str, contact_id: uuid.UUID) -> str:
    return f"contacts|private_fields.{key}|{contact_id}"
