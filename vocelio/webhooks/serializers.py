from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from vocelio.api.serializers import ModelSerializer, PersonField, Serializer
from vocelio.webhooks.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from vocelio.webhooks.services.sending import headers_of


class WebhookEndpointSerializer(ModelSerializer):
    """Where the organization wants to be told; without the secret."""

    url = serializers.URLField(max_length=2000, help_text="Public https, on port 443.")
    events = serializers.ListField(
        child=serializers.CharField(max_length=60),
        max_length=200,
        help_text="Types of GET /webhook-endpoints/events, `contact.*` for all of a noun, `*` for everything.",
    )
    created_by = PersonField()

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id",
            "url",
            "description",
            "events",
            "is_enabled",
            "failing_since",
            "disabled_at",
            "disabled_reason",
            "previous_until",
            "created_by",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            "failing_since", "disabled_at", "disabled_reason", "previous_until", "created_at", "updated_at"
        ]  # fmt: skip


class NewWebhookEndpointSerializer(WebhookEndpointSerializer):
    """With the secret, this one time."""

    secret = serializers.CharField(read_only=True)

    class Meta(WebhookEndpointSerializer.Meta):
        fields = [*WebhookEndpointSerializer.Meta.fields, "secret"]


class WebhookEventTypeSerializer(Serializer):
    """A type of event, and an example of what is sent."""

    name = serializers.CharField()
    summary = serializers.CharField()
    example = serializers.DictField()


class ToldEventSerializer(Serializer):
    """The event a delivery tells of; `id` is the webhook-id."""

    id = serializers.UUIDField()
    type = serializers.CharField()
    sequence = serializers.IntegerField(allow_null=True, help_text="As in GET /events; null of a test.")


class WebhookDeliverySerializer(ModelSerializer):
    """One event for one endpoint."""

    endpoint_id = serializers.UUIDField(read_only=True)
    event = ToldEventSerializer(read_only=True)
    next_attempt_at = serializers.SerializerMethodField()

    class Meta:
        model = WebhookDelivery
        fields = [
            "id",
            "endpoint_id",
            "event",
            "status",
            "attempts",
            "response_status",
            "error",
            "next_attempt_at",
            "delivered_at",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_next_attempt_at(self, delivery: WebhookDelivery) -> Any:
        return delivery.next_attempt_at if delivery.status == "pending" else None


class WebhookAttemptSerializer(ModelSerializer):
    """One request and what became of it; no duration where the worker died before an answer."""

    class Meta:
        model = WebhookAttempt
        fields = ["started_at", "duration_ms", "response_status", "response_body", "error"]
        read_only_fields = fields


class WebhookRequestSerializer(Serializer):
    """What is sent; the signature is made anew for each attempt and not kept."""

    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.CharField()


class WebhookDeliveryDetailSerializer(WebhookDeliverySerializer):
    """With the request and every attempt."""

    request = serializers.SerializerMethodField()
    attempt_log = WebhookAttemptSerializer(many=True, read_only=True)

    class Meta(WebhookDeliverySerializer.Meta):
        fields = [*WebhookDeliverySerializer.Meta.fields, "request", "attempt_log"]

    @extend_schema_field(WebhookRequestSerializer)
    def get_request(self, delivery: WebhookDelivery) -> dict[str, Any]:
        attempts = list(delivery.attempt_log.all())
        at = attempts[-1].started_at if attempts else timezone.now()
        headers = {"host": urlsplit(delivery.endpoint.url).netloc, **headers_of(delivery, at)}
        return {"url": delivery.endpoint.url, "headers": headers, "body": delivery.event.body}


class ReplayFailedSerializer(Serializer):
    since = serializers.DateTimeField(help_text="Failed deliveries of events from then on are sent again.")


class ReplayedSerializer(Serializer):
    """How many are sent again."""

    enveloped = False
    message = serializers.CharField()
    count = serializers.IntegerField(min_value=0)
