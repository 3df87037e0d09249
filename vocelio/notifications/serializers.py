from typing import Any

from rest_framework import serializers

from vocelio.api.serializers import ModelSerializer, PersonField, Serializer
from vocelio.languages.translate import translated
from vocelio.notifications.kinds import Channel, all_kinds
from vocelio.notifications.models import FeedEntry, Notification


class NotificationSerializer(ModelSerializer):
    """Something the caller was told."""

    title = serializers.SerializerMethodField()
    body = serializers.SerializerMethodField()
    is_read = serializers.SerializerMethodField()

    class Meta:
        model = Notification
        fields = ["id", "kind", "title", "body", "resource", "resource_id", "is_read", "read_at", "created_at"]
        read_only_fields = fields

    def get_title(self, notification: Notification) -> str:
        return translated(notification.title)

    def get_body(self, notification: Notification) -> str:
        return translated(notification.body)

    def get_is_read(self, notification: Notification) -> bool:
        return notification.read_at is not None


class AllReadSerializer(Serializer):
    """How many were unread."""

    enveloped = False
    message = serializers.CharField()
    count = serializers.IntegerField(min_value=0)


class PreferenceSerializer(Serializer):
    """Whether one kind of notification takes one channel."""

    kind = serializers.CharField(max_length=60)
    label = serializers.CharField(source="kind_label", read_only=True)  # type: ignore[assignment]  # the API's name
    channel = serializers.ChoiceField(choices=Channel.choices)
    is_enabled = serializers.BooleanField()

    def validate_kind(self, value: str) -> str:
        if value not in {kind.name for kind in all_kinds()}:
            raise serializers.ValidationError("There is no such kind of notification.", code="choice")
        return value


class PreferencesSerializer(Serializer):
    """The caller's wishes; a change holds those to be changed only."""

    preferences = PreferenceSerializer(many=True, allow_empty=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        named = [(each["kind"], each["channel"]) for each in attrs["preferences"]]
        if len(named) != len(set(named)):
            raise serializers.ValidationError({"preferences": "Each kind and channel is named once."})
        return attrs


class FeedEntrySerializer(ModelSerializer):
    """Something that happened to a record."""

    user = PersonField()
    data = serializers.DictField(read_only=True)  # type: ignore[assignment]  # the API's name

    class Meta:
        model = FeedEntry
        fields = ["id", "kind", "resource", "resource_id", "title", "data", "user", "created_at"]
        read_only_fields = fields
