from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from phonenumbers import SUPPORTED_REGIONS
from rest_framework import serializers

from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField, Serializer, blank_or
from vocelio.languages.translate import translated
from vocelio.members.models import Invitation
from vocelio.organizations.models import Membership, NumberFormat, Organization
from vocelio.organizations.retention import Kept
from vocelio.users.serializers import LanguageField, checked_zone, password_field


class MemberSerializer(ModelSerializer):
    """One person's place in the organization. `id` is the membership's, `userId` the person's."""

    email = serializers.EmailField(source="user.email", read_only=True)
    name = serializers.CharField(source="user.name", read_only=True)
    user_id = serializers.UUIDField(read_only=True)
    is_active = serializers.BooleanField(required=False, help_text="False shuts the person out of the organization.")
    has_second_factor = serializers.BooleanField(read_only=True)
    last_login_at = serializers.DateTimeField(source="user.last_login", read_only=True, allow_null=True)

    class Meta:
        model = Membership
        fields = [
            "id",
            "user_id",
            "email",
            "name",
            "role",
            "team",
            "is_active",
            "is_break_glass",
            "has_second_factor",
            "last_login_at",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]


class InvitationSerializer(ModelSerializer):
    invited_by = PersonField()
    status = serializers.SerializerMethodField()

    class Meta:
        model = Invitation
        fields = [
            "id",
            "email",
            "name",
            "role",
            "team",
            "status",
            "invited_by",
            "sent_at",
            "expires_at",
            "created_at",
        ]
        read_only_fields = ["sent_at", "expires_at", "created_at"]

    @extend_schema_field(serializers.ChoiceField(choices=["pending", "expired"]))
    def get_status(self, invitation: Invitation) -> str:
        return "pending" if invitation.expires_at > timezone.now() else "expired"


class AcceptInvitationSerializer(Serializer):
    token = serializers.CharField(max_length=200, write_only=True)
    name = serializers.CharField(max_length=150, required=False, write_only=True)
    password = password_field(help_text="A new one of a newcomer, the own one of somebody who has an account.")


class OrganizationSerializer(ModelSerializer):
    settings = PlainJSONField(required=False)
    language = LanguageField(required=False)
    number_format = blank_or(NumberFormat.choices[1:])(
        required=False, help_text="How pages, mails and documents write numbers; empty for the way of the language."
    )

    class Meta:
        model = Organization
        fields = [
            "id",
            "name",
            "slug",
            "settings",
            "subscription_tier",
            "default_region",
            "visibility",
            "language",
            "time_zone",
            "number_format",
            "second_factor",
            "requires_sso",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["slug", "requires_sso", "created_at", "updated_at"]

    def validate_name(self, value: str) -> str:
        return " ".join(value.split())

    def validate_timeZone(self, value: str) -> str:
        return checked_zone(value)

    def validate_defaultRegion(self, value: str) -> str:
        if value.upper() not in SUPPORTED_REGIONS:
            raise serializers.ValidationError("This is not a country of ISO 3166 with phone numbers.", code="choice")
        return value.upper()


class KeptSerializer(Serializer):
    """A kind of data and for how many days it is kept; null for ever."""

    name = serializers.CharField(read_only=True)
    title = serializers.SerializerMethodField(help_text="What it is, for people.")
    days = serializers.SerializerMethodField(help_text="Of this organization.")
    default = serializers.IntegerField(read_only=True, allow_null=True, help_text="Of the installation.")
    shortest = serializers.IntegerField(read_only=True)
    longest = serializers.IntegerField(read_only=True)

    def get_title(self, kind: Kept) -> str:
        return translated(kind.title)

    def get_days(self, kind: Kept) -> int | None:
        chosen: dict[str, int] = self.context["days"]
        return chosen.get(kind.name, kind.default)


class RetentionSerializer(Serializer):
    kinds = KeptSerializer(many=True)


class RetentionChangeSerializer(Serializer):
    days = serializers.DictField(
        child=serializers.IntegerField(allow_null=True, min_value=1, max_value=100_000),
        help_text="Days by the name of the kind; null takes the installation's. What is not named stays.",
    )
