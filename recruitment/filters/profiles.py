from datetime import date
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from contacts.filters.contacts import BooleanFilter
from recruitment.models import CandidateSkill, JobSearch, RemotePreference


class CandidateProfileFilter(django_filters.FilterSet):
    """What GET /candidate-profiles can be narrowed by."""

    contactId = django_filters.UUIDFilter(field_name="contact_id")
    jobSearch = django_filters.ChoiceFilter(field_name="job_search", choices=JobSearch.choices)
    skills = django_filters.CharFilter(
        method="with_skills",
        max_length=1000,
        label="Skills, separated by commas, each with a least level where wanted (`python:4,sql`); all must be there.",
    )
    remotePreference = django_filters.ChoiceFilter(field_name="remote_preference", choices=RemotePreference.choices)
    city = django_filters.CharFilter(lookup_expr="iexact", max_length=100)
    country = django_filters.CharFilter(lookup_expr="iexact", max_length=2)
    availableBy = django_filters.DateFilter(method="available_by", label="Available on or before; or at once.")
    experienceFrom = django_filters.NumberFilter(
        field_name="years_of_experience", lookup_expr="gte", min_value=0, max_value=80, label="Years, not fewer."
    )
    isPrimary = BooleanFilter(field_name="is_primary")

    def with_skills(self, queryset: Any, name: str, value: str) -> QuerySet[Any]:
        for skill in value.split(","):
            wanted, _, level = skill.partition(":")
            if wanted.strip():
                least = int(level) if level.strip() in {"1", "2", "3", "4", "5"} else 1
                skills = CandidateSkill.named(wanted, level=least).filter(profile_id=OuterRef("pk"))
                queryset = queryset.filter(Exists(skills))
        rows: QuerySet[Any] = queryset
        return rows

    def available_by(self, queryset: QuerySet[Any], name: str, value: date) -> QuerySet[Any]:
        return queryset.filter(Q(available_on__isnull=True) | Q(available_on__lte=value))
