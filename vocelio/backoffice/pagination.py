"""Pages of large tables: at most 10,000 rows are counted and paged through; search goes further."""

from typing import Any

from django.core.paginator import Paginator
from django.utils.functional import cached_property

BOUND = 10_000


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Costs the same at ten rows and at ten million."""

    template_name = "backoffice/pagination.html"

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        counted: int = rows.order_by()[: BOUND + 1].count()
        return counted

    @cached_property
    def count(self) -> int:
        return min(self._counted, BOUND)

    @property
    def has_more(self) -> bool:
        """Say whether there are more rows than can be paged through."""
        return self._counted > BOUND
