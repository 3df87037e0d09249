from typing import Any

import django_filters
from django.db.models import QuerySet

from contacts.models import ContactList


class ContactListFilter(django_filters.FilterSet):
    """What GET /contact-lists can be narrowed by."""

    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    status = django_filters.ChoiceFilter(choices=ContactList.Status.choices)
    tags = django_filters.CharFilter(method="with_tags", label="Tags, separated by commas; all must be there.")

    def with_tags(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(tags__contains=[tag.strip() for tag in value.split(",")])
