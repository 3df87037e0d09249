from typing import Any

import django_filters
from django.db.models import Q

from comms.models import Direction, Enrolment, Medium, MessageStatus, Purpose, TemplateCategory
from contacts.filters.contacts import BooleanFilter


class CommunicationFilter(django_filters.FilterSet):
    """What GET /communications can be narrowed by."""

    contactId = django_filters.UUIDFilter(field_name="contact_id", label="The thread with this contact.")
    clientId = django_filters.UUIDFilter(field_name="client_id")
    subjectId = django_filters.UUIDFilter(field_name="subject_id", label="A deal, an application, ...")
    templateId = django_filters.UUIDFilter(field_name="version__template_id")
    batchId = django_filters.UUIDFilter(field_name="batch_id")
    accountId = django_filters.UUIDFilter(field_name="account_id")
    channel = django_filters.ChoiceFilter(choices=Medium.choices)
    direction = django_filters.ChoiceFilter(choices=Direction.choices)
    purpose = django_filters.ChoiceFilter(choices=Purpose.choices)
    status = django_filters.MultipleChoiceFilter(choices=MessageStatus.choices)
    address = django_filters.CharFilter(lookup_expr="iexact", max_length=320)
    createdFrom = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="Not before.")
    createdTo = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lte", label="Not after.")
    isWaiting = BooleanFilter(method="with_waiting", label="Whether it is not sent yet.")

    def with_waiting(self, queryset: Any, name: str, value: bool) -> Any:
        waiting = Q(status__in=[MessageStatus.QUEUED, MessageStatus.SENDING])
        return queryset.filter(waiting) if value else queryset.exclude(waiting)


class TemplateFilter(django_filters.FilterSet):
    """What GET /communications/templates can be narrowed by."""

    search = django_filters.CharFilter(field_name="name", lookup_expr="icontains", max_length=200)
    channel = django_filters.ChoiceFilter(choices=Medium.choices)
    category = django_filters.ChoiceFilter(choices=TemplateCategory.choices)
    language = django_filters.CharFilter(max_length=15)
    isActive = BooleanFilter(method="with_active", label="Whether messages may be made of it.")

    def with_active(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.filter(is_active=value)


class BounceFilter(django_filters.FilterSet):
    """What GET /communications/bounces can be narrowed by."""

    channel = django_filters.ChoiceFilter(field_name="medium", choices=Medium.choices)
    address = django_filters.CharFilter(lookup_expr="iexact", max_length=320)


class EnrolmentFilter(django_filters.FilterSet):
    """What GET /communications/enrolments can be narrowed by."""

    sequenceId = django_filters.UUIDFilter(field_name="sequence_id")
    contactId = django_filters.UUIDFilter(field_name="contact_id")
    status = django_filters.ChoiceFilter(choices=Enrolment.Status.choices)
