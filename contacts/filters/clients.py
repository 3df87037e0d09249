import re
import uuid
from datetime import timedelta
from typing import Any

import django_filters
from django.db.models import QuerySet

from contacts.filters.contacts import BooleanFilter
from contacts.models import ClientSize, ClientStatus, RelationRole, Verification
from contacts.models.clients import LiveClientQuerySet
from vocelio.access.principal import Principal
from vocelio.errors import Invalid

SEARCH = (
    "Words of name, legal name or tax number, a domain or e-mail address, each from its beginning; or the last digits "
    "of the phone, four at least. All must be there."
)


class ClientFilter(django_filters.FilterSet):
    """What GET /clients can be narrowed by. Upper and lower case are alike."""

    search = django_filters.CharFilter(method="with_search", max_length=200, label=SEARCH)
    status = django_filters.ChoiceFilter(method="with_facet", choices=ClientStatus.choices)
    verification = django_filters.ChoiceFilter(method="with_facet", choices=Verification.choices)
    size = django_filters.ChoiceFilter(method="with_facet", choices=ClientSize.choices)
    industry = django_filters.CharFilter(method="with_facet", max_length=100)
    domain = django_filters.CharFilter(method="with_facet", max_length=253)
    tags = django_filters.CharFilter(
        method="with_tags", max_length=2000, label="Tags, separated by commas; all must be there."
    )
    city = django_filters.CharFilter(method="with_facet", max_length=100)
    state = django_filters.CharFilter(method="with_facet", max_length=50)
    country = django_filters.CharFilter(method="with_facet", max_length=2)
    source = django_filters.CharFilter(method="with_facet", max_length=100)
    parentId = django_filters.CharFilter(
        method="with_parent", max_length=36, label="Subsidiaries of this client, or `none`: without a parent."
    )
    contactId = django_filters.UUIDFilter(method="with_contact", label="Where this contact belongs now.")
    createdFrom = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="Not before.")
    createdTo = django_filters.IsoDateTimeFilter(method="until", label="Not after; a date means its whole day (UTC).")
    updatedFrom = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte", label="Not before.")
    updatedTo = django_filters.IsoDateTimeFilter(method="until", label="Not after; a date means its whole day (UTC).")
    assignedTo = django_filters.CharFilter(
        method="with_assignee", max_length=36, label="A member's id, `me`, or `none`."
    )

    MARKS = {
        "status": "=a",
        "verification": "=v",
        "size": "=z",
        "industry": "=i",
        "domain": "=w",
        "city": "=c",
        "state": "=s",
        "country": "=l",
        "source": "=o",
    }

    def with_search(self, queryset: LiveClientQuerySet, name: str, value: str) -> LiveClientQuerySet:
        return queryset.search(value)

    def with_facet(self, queryset: LiveClientQuerySet, name: str, value: str) -> LiveClientQuerySet:
        return queryset.having(self.MARKS[name], value)

    def with_tags(self, queryset: LiveClientQuerySet, name: str, value: str) -> LiveClientQuerySet:
        return queryset.having("=t", *(tag.strip() for tag in value.split(",") if tag.strip()))

    def with_contact(self, queryset: LiveClientQuerySet, name: str, value: uuid.UUID) -> LiveClientQuerySet:
        return queryset.of_contact(value)

    def with_parent(self, queryset: LiveClientQuerySet, name: str, value: str) -> LiveClientQuerySet:
        return queryset.having(
            "=p", "" if value == "none" else _id(value, name, "parentId is a client's id or `none`.")
        )

    def with_assignee(self, queryset: LiveClientQuerySet, name: str, value: str) -> LiveClientQuerySet:
        caller: Principal = self.request.user  # type: ignore[union-attr, assignment]
        if value in ("me", "none"):
            return queryset.having("=u", str(caller.user_id) if value == "me" else "")
        return queryset.having("=u", _id(value, name, "assignedTo is a member's id, `me` or `none`."))

    def until(self, queryset: LiveClientQuerySet, name: str, value: Any) -> LiveClientQuerySet:
        column = {"createdTo": "created_at", "updatedTo": "updated_at"}[name]
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", str((self.data or {}).get(name)).strip()):
            return queryset.filter(**{f"{column}__lt": value + timedelta(days=1)})
        return queryset.filter(**{f"{column}__lte": value})


class PersonAtClientFilter(django_filters.FilterSet):
    """What GET /clients/{id}/contacts can be narrowed by."""

    role = django_filters.ChoiceFilter(choices=RelationRole.choices)
    isPrimary = BooleanFilter(field_name="is_primary")
    current = BooleanFilter(method="at_present", label="Whether they belong to it now.")

    def at_present(self, queryset: Any, name: str, value: bool) -> QuerySet[Any]:
        now = queryset.current()
        people: QuerySet[Any] = now if value else queryset.exclude(pk__in=now.values("pk"))
        return people


def _id(value: str, name: str, message: str) -> str:
    try:
        return str(uuid.UUID(value))
    except ValueError:
        raise Invalid.field(name, message, value=value, constraint="invalid") from None
