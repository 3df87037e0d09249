import django_filters

from contacts.models import ContactDuplicate


class ContactDuplicateFilter(django_filters.FilterSet):
    """What GET /contacts/duplicates can be narrowed by."""

    kind = django_filters.ChoiceFilter(choices=ContactDuplicate.Kind.choices)
    status = django_filters.ChoiceFilter(choices=ContactDuplicate.Status.choices)
    minScore = django_filters.NumberFilter(field_name="score", lookup_expr="gte", min_value=0, max_value=1)
