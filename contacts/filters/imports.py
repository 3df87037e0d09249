import django_filters

from contacts.record_kinds import record_choices
from vocelio.jobs.models import JobStatus


class ContactExportFilter(django_filters.FilterSet):
    """What GET /exports can be narrowed by."""

    status = django_filters.ChoiceFilter(choices=JobStatus.choices)


class ContactImportFilter(ContactExportFilter):
    """What GET /uploads can be narrowed by."""

    recordType = django_filters.ChoiceFilter(field_name="record_type", choices=record_choices)
