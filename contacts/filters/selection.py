"""The contacts a list shows, in its order: for jobs that take a list along rather than a page of it."""

from collections.abc import Mapping
from typing import Any

from contacts.filters.contacts import contacts_matching
from contacts.models.live import LiveContactQuerySet
from vocelio.access.principal import Principal
from vocelio.errors import Invalid

SORT_FIELDS = {"createdAt": "created_at", "updatedAt": "updated_at", "lastName": "sort_name", "name": "sort_name"}
DEFAULT_SORT = "-createdAt"


class Selection:
    """Query parameters of GET /contacts, to be turned into contacts once or more often."""

    def __init__(self, parameters: Mapping[str, Any], sort: str = "") -> None:
        self.parameters, self.sort = parameters, sort

    def contacts(self, principal: Principal) -> LiveContactQuerySet:
        """Return what the list shows this person now; raise Invalid naming every parameter that makes no sense."""
        chosen: LiveContactQuerySet = contacts_matching(self.parameters, principal).order_by(*self._order())
        return chosen

    def _order(self) -> list[str]:
        columns = []
        for name in (self.sort or DEFAULT_SORT).split(","):
            column = SORT_FIELDS.get(name.removeprefix("-"))
            if column is None:
                message = f"Sort by one of: {', '.join(SORT_FIELDS)}."
                raise Invalid.field("sort", message, value=name[:100], constraint="choice")
            columns.append(f"-{column}" if name.startswith("-") else column)
        return [*columns, "-id" if columns[-1].startswith("-") else "id"]
