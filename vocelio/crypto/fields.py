"""A text column that rests encrypted with the organization's key."""

from typing import Any

from django.db import models

from vocelio.crypto.envelope import seal, unseal


class Sealed(str):
    """A value as the database holds it; decrypted when the attribute is read."""


class EncryptedAttribute:
    """Decrypts on first access, so that lists which do not show the field never pay for it."""

    def __init__(self, field: "EncryptedTextField") -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        value = instance.__dict__[self.field.attname]
        if isinstance(value, Sealed):
            value = unseal(value, self.field.place(instance))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Plain text in Python, AES-256-GCM in the table. Cannot be searched, `dumpdata` leaves it out; empty stays empty."""

    descriptor_class = EncryptedAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "serialize": False})

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("serialize", None)
        return name, path, args, kwargs

    def place(self, instance: models.Model) -> str:
        """Name table, column and row: what the ciphertext is bound to."""
        return f"{instance._meta.db_table}|{self.column}|{instance.pk}"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return Sealed(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = model_instance.__dict__.get(self.attname)
        if not value or isinstance(value, Sealed):
            return value
        return Sealed(seal(value, self.place(model_instance)))
