import django_filters

from contacts.filters.contacts import BooleanFilter
from sales.models import BuyingRole, LeadStatus


class SalesProfileFilter(django_filters.FilterSet):
    """What GET /sales-profiles can be narrowed by."""

    contactId = django_filters.UUIDFilter(field_name="contact_id")
    clientId = django_filters.UUIDFilter(field_name="client_id")
    leadStatus = django_filters.ChoiceFilter(field_name="lead_status", choices=LeadStatus.choices)
    leadSource = django_filters.CharFilter(field_name="lead_source", lookup_expr="iexact", max_length=100)
    buyingRole = django_filters.ChoiceFilter(field_name="buying_role", choices=BuyingRole.choices)
    territory = django_filters.CharFilter(lookup_expr="iexact", max_length=100)
    scoreFrom = django_filters.NumberFilter(
        field_name="score", lookup_expr="gte", min_value=0, max_value=100, label="Not below."
    )
    isPrimary = BooleanFilter(field_name="is_primary")
