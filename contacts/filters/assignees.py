import uuid
from typing import Any

import django_filters

from vocelio.access.principal import Principal
from vocelio.errors import Invalid


class AssigneeFilter(django_filters.CharFilter):
    """A member's id, `me`, or `none`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(method=self.with_assignee, max_length=36, label="A member's id, `me`, or `none`.", **kwargs)

    def with_assignee(self, queryset: Any, name: str, value: str) -> Any:
        caller: Principal = self.parent.request.user  # type: ignore[attr-defined]  # set by its filter set
        if value == "none":
            return queryset.filter(assigned_to__isnull=True)
        if value == "me":
            return queryset.filter(assigned_to=caller.user_id)
        try:
            return queryset.filter(assigned_to=uuid.UUID(value))
        except ValueError:
            raise Invalid.field(
                "assignedTo", "assignedTo is a member's id, `me` or `none`.", value=value, constraint="invalid"
            ) from None
