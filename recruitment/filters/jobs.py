import uuid
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q

from contacts.filters.assignees import AssigneeFilter
from contacts.filters.contacts import BooleanFilter
from recruitment.models import (
    EmploymentType,
    JobSkill,
    JobTeamMember,
    OpeningPriority,
    OpeningStatus,
    RemoteKind,
    StageOutcome,
)
from recruitment.models.skills import fold


class JobFilter(django_filters.FilterSet):
    """What GET /jobs can be narrowed by."""

    search = django_filters.CharFilter(method="with_search", max_length=200, label="Part of title, client or place.")
    status = django_filters.MultipleChoiceFilter(choices=OpeningStatus.choices)
    clientId = django_filters.UUIDFilter(field_name="client_id")
    processId = django_filters.UUIDFilter(field_name="process_id")
    department = django_filters.CharFilter(lookup_expr="iexact", max_length=100)
    family = django_filters.CharFilter(lookup_expr="iexact", max_length=100)
    city = django_filters.CharFilter(lookup_expr="iexact", max_length=100)
    country = django_filters.CharFilter(lookup_expr="iexact", max_length=2)
    remoteKind = django_filters.ChoiceFilter(field_name="remote_kind", choices=RemoteKind.choices)
    employmentType = django_filters.ChoiceFilter(field_name="employment_type", choices=EmploymentType.choices)
    priority = django_filters.ChoiceFilter(choices=OpeningPriority.choices)
    skill = django_filters.CharFilter(method="with_skill", max_length=100, label="A skill the job asks for.")
    memberId = django_filters.UUIDFilter(method="with_member", label="Jobs this member works on.")
    assignedTo = AssigneeFilter()
    isPublic = BooleanFilter(field_name="is_public")

    def with_search(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(Q(title__icontains=value) | Q(client__name__icontains=value) | Q(city__icontains=value))

    def with_skill(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(Exists(JobSkill.objects.filter(job_id=OuterRef("pk"), folded=fold(value))))

    def with_member(self, queryset: Any, name: str, value: uuid.UUID) -> Any:
        return queryset.filter(Exists(JobTeamMember.objects.filter(job_id=OuterRef("pk"), user_id=value)))


class ApplicationFilter(django_filters.FilterSet):
    """What GET /applications can be narrowed by."""

    search = django_filters.CharFilter(method="with_search", max_length=200, label="Part of the name or e-mail.")
    jobId = django_filters.UUIDFilter(field_name="job_id")
    contactId = django_filters.UUIDFilter(field_name="contact_id")
    clientId = django_filters.UUIDFilter(field_name="job__client_id")
    stageId = django_filters.UUIDFilter(field_name="stage_id")
    status = django_filters.ChoiceFilter(choices=StageOutcome.choices)
    source = django_filters.CharFilter(lookup_expr="iexact", max_length=100)
    ratingFrom = django_filters.NumberFilter(field_name="rating", lookup_expr="gte", min_value=1, max_value=5)
    tag = django_filters.CharFilter(method="with_tag", max_length=100)
    rejectionReasonId = django_filters.UUIDFilter(field_name="rejection_reason_id")
    assignedTo = AssigneeFilter()
    appliedFrom = django_filters.IsoDateTimeFilter(field_name="applied_at", lookup_expr="gte", label="Not before.")
    appliedTo = django_filters.IsoDateTimeFilter(field_name="applied_at", lookup_expr="lte", label="Not after.")

    def with_search(self, queryset: Any, name: str, value: str) -> Any:
        for word in value.split()[:5]:
            queryset = queryset.filter(
                Q(contact__first_name__icontains=word)
                | Q(contact__last_name__icontains=word)
                | Q(contact__email__icontains=word)
            )
        return queryset

    def with_tag(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.filter(tags__contains=[value])


class NamedFilter(django_filters.FilterSet):
    """What short lists can be narrowed by."""

    search = django_filters.CharFilter(
        field_name="name", lookup_expr="icontains", max_length=100, label="Part of the name."
    )
