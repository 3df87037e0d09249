import django_filters

from vocelio.jobs.models import JobStatus


class ContactImportFilter(django_filters.FilterSet):
    """What GET /uploads can be narrowed by."""

    status = django_filters.ChoiceFilter(choices=JobStatus.choices)
