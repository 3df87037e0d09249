import datetime
import uuid
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q

from contacts.filters.assignees import AssigneeFilter
from contacts.filters.contacts import BooleanFilter
from sales.models import Activity, DealContact, StageKind
from sales.models.deals import DealQuerySet
from vocelio.errors import Invalid


class DealFilter(django_filters.FilterSet):
    """What GET /deals can be narrowed by."""

    search = django_filters.CharFilter(
        method="with_search", max_length=200, label="Part of the deal's or client's name."
    )
    pipelineId = django_filters.UUIDFilter(field_name="pipeline_id")
    stageId = django_filters.UUIDFilter(field_name="stage_id")
    status = django_filters.ChoiceFilter(choices=StageKind.choices)
    clientId = django_filters.UUIDFilter(field_name="client_id")
    contactId = django_filters.UUIDFilter(method="with_contact", label="Deals this contact stands in.")
    assignedTo = AssigneeFilter()
    tags = django_filters.CharFilter(
        method="with_tags", max_length=2000, label="Separated by commas; all must be there."
    )
    source = django_filters.CharFilter(lookup_expr="iexact", max_length=100)
    currency = django_filters.CharFilter(lookup_expr="iexact", max_length=3)
    lostReasonId = django_filters.UUIDFilter(field_name="lost_reason_id")
    minAmount = django_filters.NumberFilter(method="with_amount", label="In the organization's currency.")
    maxAmount = django_filters.NumberFilter(method="with_amount", label="In the organization's currency.")
    closesFrom = django_filters.DateFilter(
        field_name="expected_close_on", lookup_expr="gte", label="Expected to close."
    )
    closesTo = django_filters.DateFilter(field_name="expected_close_on", lookup_expr="lte", label="Expected to close.")
    createdFrom = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="Not before.")
    createdTo = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lte", label="Not after.")
    isRotting = BooleanFilter(method="with_rot", label="Longer in its stage than that allows.")
    hasNextActivity = BooleanFilter(method="with_activity", label="Whether something is planned.")

    def with_search(self, queryset: DealQuerySet, name: str, value: str) -> DealQuerySet:
        return queryset.filter(Q(name__icontains=value) | Q(client__name__icontains=value))

    def with_contact(self, queryset: DealQuerySet, name: str, value: uuid.UUID) -> DealQuerySet:
        return queryset.filter(Exists(DealContact.objects.filter(deal_id=OuterRef("pk"), contact_id=value)))

    def with_tags(self, queryset: DealQuerySet, name: str, value: str) -> DealQuerySet:
        return queryset.filter(tags__contains=[tag.strip() for tag in value.split(",") if tag.strip()])

    def with_amount(self, queryset: DealQuerySet, name: str, value: Any) -> DealQuerySet:
        if abs(value) >= 10**18:
            raise Invalid.field(name, "The amount is too large.", constraint="max_value")
        return queryset.filter(**{f"base_amount__{'gte' if name == 'minAmount' else 'lte'}": value})

    def with_rot(self, queryset: DealQuerySet, name: str, value: bool) -> DealQuerySet:
        rotting = queryset.rotting()
        return rotting if value else queryset.exclude(pk__in=rotting.values("pk"))

    def with_activity(self, queryset: DealQuerySet, name: str, value: bool) -> DealQuerySet:
        planned = Exists(Activity.objects.open().filter(deal_id=OuterRef("pk")))
        return queryset.filter(planned if value else ~planned)


class ProjectFilter(django_filters.FilterSet):
    """What GET /projects can be narrowed by."""

    search = django_filters.CharFilter(
        field_name="name", lookup_expr="icontains", max_length=200, label="Part of the name."
    )
    status = django_filters.CharFilter(max_length=20)
    clientId = django_filters.UUIDFilter(field_name="client_id")
    dealId = django_filters.UUIDFilter(field_name="deal_id")
    memberId = django_filters.UUIDFilter(field_name="members__user_id", label="Projects this member works on.")
    assignedTo = AssigneeFilter()
    endsFrom = django_filters.DateFilter(field_name="ends_on", lookup_expr="gte")
    endsTo = django_filters.DateFilter(field_name="ends_on", lookup_expr="lte")


class ActivityFilter(django_filters.FilterSet):
    """What GET /sales-activities can be narrowed by."""

    search = django_filters.CharFilter(field_name="subject", lookup_expr="icontains", max_length=200)
    kind = django_filters.CharFilter(max_length=10, label="call, meeting, task or note.")
    status = django_filters.ChoiceFilter(
        choices=[("open", "Open"), ("overdue", "Overdue"), ("completed", "Completed")], method="with_status"
    )
    disposition = django_filters.CharFilter(max_length=20)
    priority = django_filters.CharFilter(max_length=10)
    dealId = django_filters.UUIDFilter(field_name="deal_id")
    clientId = django_filters.UUIDFilter(field_name="client_id")
    contactId = django_filters.UUIDFilter(field_name="contact_id")
    projectId = django_filters.UUIDFilter(field_name="project_id")
    assignedTo = AssigneeFilter()
    dueFrom = django_filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="gte", label="Not before.")
    dueTo = django_filters.IsoDateTimeFilter(field_name="due_at", lookup_expr="lte", label="Not after.")

    def with_status(self, queryset: Any, name: str, value: str) -> Any:
        if value == "overdue":
            return queryset.overdue()
        return queryset.open() if value == "open" else queryset.filter(completed_at__isnull=False)


class NamedFilter(django_filters.FilterSet):
    """What short lists can be narrowed by."""

    search = django_filters.CharFilter(
        field_name="name", lookup_expr="icontains", max_length=100, label="Part of the name."
    )


class ExchangeRateFilter(django_filters.FilterSet):
    """What GET /exchange-rates can be narrowed by."""

    currency = django_filters.CharFilter(max_length=3, lookup_expr="iexact")


class TimelineFilter(django_filters.FilterSet):
    """What GET /projects/{id}/timeline can be narrowed by."""

    isPlanned = BooleanFilter(field_name="is_planned")
    since = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte", label="Not before.")
    until = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lte", label="Not after.")


def today_in(zone: datetime.tzinfo) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the first moments of today and tomorrow there."""
    now = datetime.datetime.now(zone)
    start = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return start, start + datetime.timedelta(days=1)
