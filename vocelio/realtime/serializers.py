from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from vocelio.api.serializers import ModelSerializer, Serializer
from vocelio.realtime.models import Event


class EventSerializer(ModelSerializer):
    """One event, as a socket received it."""

    data = serializers.DictField(read_only=True)  # type: ignore[assignment]  # the API's name

    class Meta:
        model = Event
        fields = ["sequence", "type", "topic", "data", "created_at"]
        read_only_fields = fields


class EventPositionSerializer(Serializer):
    """Where a page ends."""

    limit = serializers.IntegerField()
    after = serializers.IntegerField(help_text="Ask for the next page with this `after`.")
    has_more = serializers.BooleanField()


@extend_schema_serializer(many=False)
class EventPageSerializer(Serializer):
    """Events in their order, and where to go on."""

    enveloped = False
    data = EventSerializer(many=True)  # type: ignore[assignment]  # the API's name
    pagination = EventPositionSerializer()
