from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from comms.models import BouncedAddress, ChannelAccount, CommsSettings
from comms.models.accounts import channels
from comms.services.accounts import health, secrets_of, webhook_url
from vocelio.api.serializers import ModelSerializer, PlainJSONField, Serializer


class ChannelAccountSerializer(ModelSerializer):
    """An account at a provider. Secrets are written and never shown."""

    provider = serializers.CharField(max_length=40, help_text="See GET /communications/providers.")
    channel = serializers.CharField(source="medium", read_only=True)
    settings = PlainJSONField(required=False, help_text="What the provider asks for.")
    secrets = PlainJSONField(
        write_only=True, required=False, help_text="Those given take the place of what was there; null removes one."
    )
    secrets_set = serializers.SerializerMethodField(help_text="Which there are, each with its last four characters.")
    price = serializers.DecimalField(max_digits=10, decimal_places=5, min_value=0, required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", required=False)
    health = serializers.SerializerMethodField()
    webhook_url = serializers.SerializerMethodField(help_text="Enter it at the provider.")

    class Meta:
        model = ChannelAccount
        fields = [
            "id",
            "provider",
            "channel",
            "name",
            "settings",
            "secrets",
            "secrets_set",
            "is_active",
            "is_default",
            "price",
            "currency",
            "health",
            "resting_until",
            "last_error_code",
            "last_error",
            "last_error_at",
            "last_sent_at",
            "last_webhook_at",
            "webhook_url",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            "resting_until",
            "last_error_code",
            "last_error",
            "last_error_at",
            "last_sent_at",
            "last_webhook_at",
            "created_at",
            "updated_at",
        ]

    def validate_name(self, value: str) -> str:
        if "\0" in value:
            raise serializers.ValidationError("This must not contain NUL characters.", code="nul")
        return value

    def get_secrets_set(self, account: ChannelAccount) -> dict[str, str]:
        return {name: value[-4:] if len(value) >= 12 else "" for name, value in secrets_of(account).items()}

    def get_health(self, account: ChannelAccount) -> str:
        return health(account)

    def get_webhook_url(self, account: ChannelAccount) -> str:
        return webhook_url(account)


class ChannelProviderSerializer(Serializer):
    """What can be connected."""

    slug = serializers.CharField()
    name = serializers.CharField(source="label")
    channel = serializers.CharField(source="medium")
    settings = serializers.DictField(child=serializers.BooleanField(), help_text="Names; true where one is needed.")
    secrets = serializers.DictField(child=serializers.BooleanField(), help_text="Names; true where one is needed.")


class ChannelProvidersSerializer(Serializer):
    providers = ChannelProviderSerializer(many=True)


def providers_answer() -> Any:
    return ChannelProvidersSerializer({"providers": list(channels().values())}).data


@extend_schema_field({"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"})
class LocalTimeField(serializers.TimeField):
    """A time of day without an offset, which the schema's format `time` would ask for."""


class CommsSettingsSerializer(ModelSerializer):
    """An organization's rules for messages."""

    window_start = LocalTimeField(required=False, help_text="Recipient's local time.")
    window_end = LocalTimeField(required=False, help_text="Recipient's local time.")
    cap_day = serializers.IntegerField(min_value=1, max_value=1000, required=False, allow_null=True)
    cap_week = serializers.IntegerField(min_value=1, max_value=1000, required=False, allow_null=True)

    class Meta:
        model = CommsSettings
        fields = [
            "window_start",
            "window_end",
            "window_weekends",
            "time_zone",
            "cap_day",
            "cap_week",
            "postal_address",
        ]


class BouncedAddressSerializer(ModelSerializer):
    """An address that bounced; a suppressed one is not written to any more."""

    channel = serializers.CharField(source="medium", read_only=True)

    class Meta:
        model = BouncedAddress
        fields = [
            "id",
            "channel",
            "address",
            "code",
            "reason",
            "bounces",
            "last_bounce_at",
            "is_suppressed",
            "created_at",
        ]
        read_only_fields = fields
