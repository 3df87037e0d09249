"""Foreign keys between rows of one organization."""

from typing import Any

from django.db import models


class TenantForeignKey(models.ForeignKey):  # type: ignore[type-arg]
    """A foreign key to another tenant table that can only point inside the same organization.

    The constraint in the database is composite, (organization_id, <column>), because a plain one accepts
    another organization's invisible row. ProtectTenantTable creates it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["db_constraint"] = False
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("db_constraint", None)
        return name, path, args, kwargs
