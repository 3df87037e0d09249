from rest_framework import serializers

from vocelio.api.serializers import ModelSerializer, Serializer
from vocelio.realtime.models import Event


class EventSerializer(ModelSerializer):
    data = serializers.DictField(read_only=True)  # type: ignore[assignment]  # the API's name

    class Meta:
        model = Event
        fields = ["sequence", "type", "topic", "data", "created_at"]
        read_only_fields = fields


class EventPositionSerializer(Serializer):
    limit = serializers.IntegerField()
    after = serializers.IntegerField(help_text="Ask for the next page with this `after`.")
    has_more = serializers.BooleanField()


class EventPageSerializer(Serializer):
    enveloped = False
    data = EventSerializer(many=True)  # type: ignore[assignment]  # the API's name
    pagination = EventPositionSerializer()
