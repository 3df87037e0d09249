import re
import uuid
from datetime import timedelta
from typing import Any

import django_filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from contacts.models import ContactStatus
from contacts.models.live import LiveContactQuerySet
from vocelio.access.principal import Principal
from vocelio.errors import Invalid

SEARCH = (
    "Words of name or company, an e-mail address or its domain, each from its beginning; or the last digits of the "
    "phone, four at least. All must be there."
)


@extend_schema_field(OpenApiTypes.BOOL)
class BooleanFilter(django_filters.TypedChoiceFilter):
    """`true` or `false`; anything else is an error rather than no filter."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[("true", "true"), ("false", "false")], coerce=lambda value: value == "true", **kwargs)


class ContactFilter(django_filters.FilterSet):
    """What GET /contacts can be narrowed by. Upper and lower case are alike."""

    search = django_filters.CharFilter(method="with_search", max_length=200, label=SEARCH)
    listId = django_filters.UUIDFilter(method="with_list", label="Members of this list.")
    status = django_filters.ChoiceFilter(method="with_facet", choices=ContactStatus.choices)
    tags = django_filters.CharFilter(
        method="with_tags", max_length=2000, label="Tags, separated by commas; all must be there."
    )
    company = django_filters.CharFilter(method="with_facet", max_length=255)
    city = django_filters.CharFilter(method="with_facet", max_length=100)
    state = django_filters.CharFilter(method="with_facet", max_length=50)
    country = django_filters.CharFilter(method="with_facet", max_length=2)
    source = django_filters.CharFilter(method="with_facet", max_length=100)
    createdFrom = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="Not before.")
    createdTo = django_filters.IsoDateTimeFilter(method="until", label="Not after; a date means its whole day (UTC).")
    updatedFrom = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte", label="Not before.")
    updatedTo = django_filters.IsoDateTimeFilter(method="until", label="Not after; a date means its whole day (UTC).")
    hasEmail = BooleanFilter(method="with_email")
    hasPhone = BooleanFilter(method="with_phone")
    assignedTo = django_filters.CharFilter(
        method="with_assignee", max_length=36, label="A member's id, `me`, or `none`."
    )

    MARKS = {"status": "=a", "company": "=k", "city": "=c", "state": "=s", "country": "=l", "source": "=o"}

    def with_search(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        return queryset.search(value)

    def with_list(self, queryset: LiveContactQuerySet, name: str, value: uuid.UUID) -> LiveContactQuerySet:
        return queryset.on_list(value)

    def with_facet(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        return queryset.having(self.MARKS[name], value)

    def with_tags(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        return queryset.having("=t", *(tag.strip() for tag in value.split(",") if tag.strip()))

    def until(self, queryset: LiveContactQuerySet, name: str, value: Any) -> LiveContactQuerySet:
        column = {"createdTo": "created_at", "updatedTo": "updated_at"}[name]
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str((self.data or {}).get(name)).strip()):
            return queryset.filter(**{f"{column}__lt": value + timedelta(days=1)})
        return queryset.filter(**{f"{column}__lte": value})

    def with_email(self, queryset: LiveContactQuerySet, name: str, value: bool) -> LiveContactQuerySet:
        return queryset.exclude(email="") if value else queryset.having("=e", "")

    def with_phone(self, queryset: LiveContactQuerySet, name: str, value: bool) -> LiveContactQuerySet:
        return queryset.filter(phone__isnull=False) if value else queryset.having("=p", "")

    def with_assignee(self, queryset: LiveContactQuerySet, name: str, value: str) -> LiveContactQuerySet:
        caller: Principal = self.request.user  # type: ignore[union-attr, assignment]
        if value == "none":
            return queryset.having("=u", "")
        if value == "me":
            return queryset.having("=u", str(caller.user_id))
        try:
            return queryset.having("=u", str(uuid.UUID(value)))
        except ValueError:
            raise Invalid.field(
                "assignedTo", "assignedTo is a member's id, `me` or `none`.", value=value, constraint="invalid"
            ) from None
