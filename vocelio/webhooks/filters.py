import django_filters

from vocelio.webhooks.models import DeliveryStatus, WebhookDelivery, WebhookEndpoint


class WebhookEndpointFilter(django_filters.FilterSet):
    """What GET /webhook-endpoints can be narrowed by."""

    isEnabled = django_filters.BooleanFilter(field_name="is_enabled", label="Whether it is sent to.")

    class Meta:
        model = WebhookEndpoint
        fields: list[str] = []


class WebhookDeliveryFilter(django_filters.FilterSet):
    """What GET /webhook-deliveries can be narrowed by."""

    endpointId = django_filters.UUIDFilter(field_name="endpoint_id", label="Of one endpoint.")
    event = django_filters.CharFilter(field_name="event__type", max_length=60, label="For example contact.created.")
    status = django_filters.ChoiceFilter(choices=DeliveryStatus.choices)
    createdFrom = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="Not before.")
    createdTo = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lte", label="Not after.")

    class Meta:
        model = WebhookDelivery
        fields: list[str] = []
