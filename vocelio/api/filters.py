"""Query strings of lists: declared filters, `sort=`, and a clear refusal of anything else."""

from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from rest_framework.filters import BaseFilterBackend
from rest_framework.request import Request

from vocelio.api.serializers import MOST_NAMED
from vocelio.errors import Invalid

PAGING = {"page", "limit", "cursor", "sort", "format"}


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter that answers 422 to a parameter the list does not have, and names what there is to choose from."""

    def get_filterset(self, request: Any, queryset: QuerySet[Any], view: Any) -> Any:
        filterset = super().get_filterset(request, queryset, view)
        for field in filterset.form.fields.values() if filterset is not None else ():
            if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
                values = [str(value) for value, _ in cast(Any, field).choices if value != ""]
                if 0 < len(values) <= MOST_NAMED:
                    named = ", ".join(values).replace("%", "%%")
                    field.error_messages["invalid_choice"] = f'"%(value)s" is not one of: {named}.'
        return filterset

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:  # type: ignore[override]
        if PAGING.issuperset(request.query_params) and not any(
            "\0" in value for value in request.query_params.values()
        ):
            # Nothing to filter by: building the forms of twenty filters costs as much as reading the page.
            return queryset
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
