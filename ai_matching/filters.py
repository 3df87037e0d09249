"""Hard conditions of matches and what lists can be narrowed by."""

from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet

from ai_matching.models import MatchKind, ProposalStatus, Verdict
from recruitment.models import Application, CandidateSkill, JobOpening
from recruitment.models.skills import fold
from sales.models import LeadStatus


class MatchFilter(django_filters.FilterSet):
    """What GET /ai/matches can be narrowed by."""

    kind = django_filters.ChoiceFilter(choices=MatchKind.choices)
    jobId = django_filters.UUIDFilter(field_name="job_id")
    candidateId = django_filters.UUIDFilter(field_name="profile_id")


class MatchResultFilter(django_filters.FilterSet):
    """What GET /ai/match-results can be narrowed by."""

    matchId = django_filters.UUIDFilter(field_name="match_id")
    candidateId = django_filters.UUIDFilter(field_name="profile_id")
    verdict = django_filters.ChoiceFilter(choices=Verdict.choices)


class LeadScoreFilter(django_filters.FilterSet):
    """What GET /ai/lead-scores can be narrowed by."""

    contactId = django_filters.UUIDFilter(field_name="profile__contact_id")
    leadStatus = django_filters.ChoiceFilter(field_name="profile__lead_status", choices=LeadStatus.choices)
    scoreFrom = django_filters.NumberFilter(
        field_name="score", lookup_expr="gte", min_value=0, max_value=100, label="Not below."
    )


class ProposalFilter(django_filters.FilterSet):
    """What GET /ai/proposals can be narrowed by."""

    contactId = django_filters.UUIDFilter(field_name="contact_id")
    status = django_filters.ChoiceFilter(choices=ProposalStatus.choices)


def filtered_candidates(rows: QuerySet[Any], asked: dict[str, Any], job: JobOpening | None) -> QuerySet[Any]:
    """Keep the candidates who meet every condition."""
    if "candidateIds" in asked:
        rows = rows.filter(pk__in=asked["candidateIds"])
    for name in ("city", "state", "country"):
        if name in asked:
            rows = rows.filter(**{f"{name}__iexact": asked[name]})
    if asked.get("jobSearch"):
        rows = rows.filter(job_search__in=sorted(asked["jobSearch"]))
    if "remotePreference" in asked:
        rows = rows.filter(remote_preference__in=[asked["remotePreference"], "any"])
    if "availableBy" in asked:
        rows = rows.filter(Q(available_on__isnull=True) | Q(available_on__lte=asked["availableBy"]))
    if "experienceFrom" in asked:
        rows = rows.filter(years_of_experience__gte=asked["experienceFrom"])
    for skill in asked.get("skills", ()):
        rows = rows.filter(Exists(CandidateSkill.objects.filter(profile_id=OuterRef("pk"), folded=fold(skill))))
    if asked.get("excludeApplicants") and job is not None:
        rows = rows.exclude(contact_id__in=Application.objects.filter(job=job).values("contact_id"))
    return rows


def filtered_jobs(rows: QuerySet[Any], asked: dict[str, Any]) -> QuerySet[Any]:
    """Keep the jobs that meet every condition."""
    for name in ("city", "state", "country"):
        if name in asked:
            rows = rows.filter(**{f"{name}__iexact": asked[name]})
    if "remoteKind" in asked:
        rows = rows.filter(remote_kind=asked["remoteKind"])
    if "clientId" in asked:
        rows = rows.filter(client_id=asked["clientId"])
    if "salaryFrom" in asked:
        rows = rows.filter(Q(salary_max__gte=asked["salaryFrom"]) | Q(salary_min__gte=asked["salaryFrom"]))
    return rows
