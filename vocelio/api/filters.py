"""Query strings of lists: declared filters, `sort=`, and a clear refusal of anything else."""

from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from vocelio.errors import Invalid

PAGING = {"page", "limit", "cursor", "sort", "format"}


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter that answers 422 to a parameter the list does not have."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:  # type: ignore[override]
        filterset_class = self.get_filterset_class(view, queryset)
        known = PAGING | set(filterset_class.base_filters if filterset_class else ())
        problems = [
            {
                "field": name[:60],
                "value": None,
                "constraint": "unknown",
                "message": f"There is no filter {name[:60]!r} here.",
            }
            for name in request.query_params
            if name not in known
        ] + [
            {"field": name[:60], "value": None, "constraint": "nul", "message": "NUL characters are not allowed."}
            for name, values in request.query_params.lists()
            if any("\0" in value for value in values)
        ]
        if problems:
            raise Invalid(problems[0]["message"] or "", errors=problems)
        filtered: QuerySet[Any] = super().filter_queryset(request, queryset, view)
        return filtered


class SortBackend(BaseFilterBackend):
    """`sort=name,-createdAt` over the view's `sort_fields` {API name: column}; columns must not be null."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        fields: dict[str, str] = view.sort_fields
        wanted = request.query_params.get("sort") or view.default_sort
        ordering = []
        for name in wanted.split(","):
            column = fields.get(name.lstrip("-"))
            if column is None or name.startswith("--"):
                raise Invalid.field(
                    "sort", f"Sort by one of: {', '.join(fields)}.", value=wanted[:100], constraint="choice"
                )
            ordering.append(f"-{column}" if name.startswith("-") else column)
        # The id decides among equals, in the direction of the last column, so that one index serves both.
        ordering.append("-id" if ordering[-1].startswith("-") else "id")
        return queryset.order_by(*ordering)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        names = [prefix + name for name in view.sort_fields for prefix in ("", "-")]
        return [
            {
                "name": "sort",
                "in": "query",
                "required": False,
                "description": "One or more of these, separated by commas; a minus sorts downwards. "
                f"{', '.join(names)}. Default: {view.default_sort}.",
                "schema": {"type": "string", "examples": [view.default_sort]},
            }
        ]
