"""What the lists of this app can be narrowed by."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from contacts.filters.contacts import BooleanFilter
from contacts.phones import PhoneProblem, normalize
from dnc.models.evidence import Certificate
from dnc.models.ledger import PermissionKind
from dnc.models.lists import EntryStatus, ListStatus, ListType
from dnc.services.decision import CODES
from vocelio.jobs.models import JobStatus


class DncListFilter(django_filters.FilterSet):
    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", label="Part of the name.")
    type = django_filters.ChoiceFilter(choices=ListType.choices)
    status = django_filters.ChoiceFilter(choices=ListStatus.choices)


class DncEntryFilter(django_filters.FilterSet):
    listId = django_filters.UUIDFilter(field_name="list", label="Entries of this list.")
    search = django_filters.CharFilter(method="with_search", max_length=50, label="How the number begins.")
    status = django_filters.ChoiceFilter(choices=EntryStatus.choices)
    source = django_filters.CharFilter(max_length=255)
    addedAfter = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    addedBefore = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")
    expiresBefore = django_filters.IsoDateTimeFilter(field_name="expiry_date", lookup_expr="lt")

    def with_search(self, queryset: Any, name: str, value: str) -> QuerySet[Any]:
        found: QuerySet[Any] = queryset.search(value)
        return found


class EmailOptOutFilter(django_filters.FilterSet):
    email = django_filters.CharFilter(method="with_email", max_length=320)

    def with_email(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(email=value.strip().lower())


class NumberFilter(django_filters.FilterSet):
    phoneNumber = django_filters.CharFilter(method="with_number", max_length=50)

    def with_number(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        phone = normalize(value, allow_unverified=True)
        return queryset.none() if isinstance(phone, PhoneProblem) else queryset.filter(number=int(phone.e164))


class PermissionFilter(NumberFilter):
    kind = django_filters.ChoiceFilter(choices=PermissionKind.choices)


class EntitlementFilter(django_filters.FilterSet):
    registry = django_filters.CharFilter(field_name="registry__slug", max_length=40)


class ScrubFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=JobStatus.choices)
    campaignId = django_filters.UUIDFilter(field_name="campaign_id")


class UploadFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=JobStatus.choices)
    listId = django_filters.UUIDFilter(field_name="list")


class ScrubResultFilter(NumberFilter):
    code = django_filters.ChoiceFilter(choices=list(CODES.items()))
    isClean = BooleanFilter(field_name="is_clean")


class CertificateFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=Certificate.Kind.choices)
    subjectId = django_filters.UUIDFilter(field_name="subject_id")
