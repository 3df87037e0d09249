from typing import Any

import django_filters
from django.db.models import QuerySet

from contacts.filters.contacts import BooleanFilter
from contacts.models import InsightCode, ProfileChange
from contacts.models.profiles import EFFECTS, INSIGHTS
from contacts.profile_kinds import profile_kinds


def kinds() -> list[tuple[str, str]]:
    return [(kind.slug, kind.label) for kind in profile_kinds()]


class ProfileSummaryFilter(django_filters.FilterSet):
    """What GET /contact-profiles can be narrowed by."""

    kind = django_filters.ChoiceFilter(method="with_kind", choices=kinds)
    isDual = BooleanFilter(field_name="is_dual")

    def with_kind(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(kinds__contains=[value])


class ProfileChangeFilter(django_filters.FilterSet):
    """What GET /contacts/{id}/profile-audit-log can be narrowed by."""

    kind = django_filters.ChoiceFilter(method="with_kind", choices=kinds)
    action = django_filters.ChoiceFilter(choices=ProfileChange.Action.choices)
    profileId = django_filters.UUIDFilter(field_name="profile_id")

    def with_kind(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(kind=value)


class InsightFilter(django_filters.FilterSet):
    """What GET /contact-insights can be narrowed by."""

    code = django_filters.ChoiceFilter(choices=InsightCode.choices)
    effect = django_filters.ChoiceFilter(method="with_effect", choices=EFFECTS)
    contactId = django_filters.UUIDFilter(field_name="contact_id")
    clientId = django_filters.UUIDFilter(field_name="client_id")

    def with_effect(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(code__in=[code for code, (effect, _) in INSIGHTS.items() if effect == value])
