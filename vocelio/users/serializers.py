"""What signing in takes and answers."""

from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from vocelio.access.principal import Principal
from vocelio.access.roles import PERMISSIONS, SCOPES
from vocelio.api.serializers import ModelSerializer, NamedSerializer, Serializer
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.users.models import ApiToken, Session


def password_field(**options: Any) -> serializers.CharField:
    """Return a field that takes a password as it is typed."""
    return serializers.CharField(max_length=200, trim_whitespace=False, write_only=True, **options)


class OrganizationBriefSerializer(ModelSerializer):
    class Meta:
        model = Organization
        fields = ["id", "name", "slug", "subscription_tier"]
        read_only_fields = fields


class MyOrganizationSerializer(ModelSerializer):
    """One of the organizations a person belongs to, with their role there."""

    id = serializers.UUIDField(source="organization.id", read_only=True)
    name = serializers.CharField(source="organization.name", read_only=True)
    slug = serializers.CharField(source="organization.slug", read_only=True)
    subscription_tier = serializers.CharField(source="organization.subscription_tier", read_only=True)

    class Meta:
        model = Membership
        fields = ["id", "name", "slug", "subscription_tier", "role"]
        read_only_fields = ["role"]


class LanguageField(serializers.CharField):
    """A chosen language, or none."""

    def __init__(self, **kwargs: Any) -> None:
        known = ", ".join(code for code, _ in settings.LANGUAGES)
        super().__init__(max_length=10, allow_blank=True, help_text=f"{known}; empty: none chosen.", **kwargs)

    def to_internal_value(self, data: Any) -> str:
        code: str = super().to_internal_value(data)
        if code and code not in dict(settings.LANGUAGES):
            raise serializers.ValidationError("There is no such language here.", code="choice")
        return code


class CurrentUserSerializer(ModelSerializer):
    """The signed-in person, seen through the membership they act by."""

    id = serializers.UUIDField(source="user.id", read_only=True)
    email = serializers.EmailField(source="user.email", read_only=True)
    name = serializers.CharField(source="user.name", read_only=True)
    language = serializers.CharField(source="user.language", read_only=True, help_text="Empty: none chosen.")
    time_zone = serializers.CharField(source="user.time_zone", read_only=True, help_text="Empty: none chosen.")
    role = serializers.ChoiceField(choices=Role.choices, read_only=True)
    permissions = serializers.SerializerMethodField()
    organization = OrganizationBriefSerializer(read_only=True)
    organizations = serializers.SerializerMethodField()

    class Meta:
        model = Membership
        fields = [
            "id", "email", "name", "language", "time_zone", "role", "team", "permissions", "organization", "organizations"
        ]  # fmt: skip
        read_only_fields = ["team"]

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_permissions(self, membership: Membership) -> list[str]:
        return sorted(PERMISSIONS[membership.role])

    @extend_schema_field(MyOrganizationSerializer(many=True))
    def get_organizations(self, membership: Membership) -> Any:
        mine = Membership.objects.active().filter(user_id=membership.user_id).select_related("organization")
        # Whom an identity provider vouches for, it shows no other organization.
        if only := self.context.get("sso_organization_id"):
            mine = mine.filter(organization_id=only)
        return MyOrganizationSerializer(mine.order_by("organization__name"), many=True).data


class PreferencesSerializer(Serializer):
    """What people set of themselves."""

    name = serializers.CharField(max_length=150, required=False)
    language = LanguageField(required=False)
    time_zone = serializers.CharField(max_length=50, required=False, allow_blank=True)

    def validate_timeZone(self, value: str) -> str:
        return checked_zone(value)


def checked_zone(name: str) -> str:
    """Return the name of a time zone, or none; refuse what is no time zone."""
    if name and name not in available_timezones():
        raise serializers.ValidationError("This is not a time zone of the IANA database.", code="choice")
    return name


class TokensSerializer(Serializer):
    """A signed-in client's tokens."""

    access_token = serializers.CharField(read_only=True)
    refresh_token = serializers.CharField(read_only=True)
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds the access token is valid.")
    user = CurrentUserSerializer(source="membership", read_only=True)


class LoginSerializer(Serializer):
    email = serializers.EmailField(max_length=254)
    password = password_field()
    organization_id = serializers.UUIDField(required=False, allow_null=True)


class CodeField(serializers.CharField):
    """A code of the second step."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            max_length=40, write_only=True, help_text="Six digits of the app, or a recovery code.", **kwargs
        )


class TotpLoginSerializer(Serializer):
    """The second step of logging in."""

    challenge = serializers.CharField(max_length=1000, write_only=True)
    code = CodeField()


class TotpChallengeSerializer(Serializer):
    challenge = serializers.CharField(max_length=1000, write_only=True)


class EntrySerializer(TokensSerializer):
    """Tokens; with recovery codes, shown this one time, when the second step was set up on the way."""

    recovery_codes = serializers.ListField(child=serializers.CharField(), read_only=True, allow_null=True)


class TotpEnrolmentSerializer(Serializer):
    """What an authenticator app is told."""

    secret = serializers.CharField(read_only=True, help_text="Base32, to type in.")
    otpauth_uri = serializers.CharField(read_only=True)
    qr_code = serializers.CharField(read_only=True, help_text="The same as an SVG picture in a data URI.")


class TotpStandingSerializer(Serializer):
    is_enabled = serializers.BooleanField(read_only=True)
    is_required = serializers.BooleanField(read_only=True, help_text="By an organization the caller belongs to.")
    recovery_codes_left = serializers.IntegerField(read_only=True)


class PasswordSerializer(Serializer):
    password = password_field()


class TotpCodeSerializer(Serializer):
    code = CodeField()


class TotpProofSerializer(Serializer):
    """Both things a person logs in with."""

    password = password_field()
    code = CodeField()


class RecoveryCodesSerializer(Serializer):
    """Each works once in place of a code; they are shown this one time."""

    recovery_codes = serializers.ListField(child=serializers.CharField(), read_only=True)


class RefreshTokenSerializer(Serializer):
    refresh_token = serializers.CharField(max_length=200, write_only=True)


class PasswordResetSerializer(Serializer):
    email = serializers.EmailField(max_length=254, write_only=True)


class PasswordResetConfirmSerializer(Serializer):
    token = serializers.CharField(max_length=200, write_only=True)
    password = password_field()


class PasswordChangeSerializer(Serializer):
    current_password = password_field()
    new_password = password_field()


class SwitchOrganizationSerializer(Serializer):
    organization_id = serializers.UUIDField(write_only=True)


class SessionSerializer(ModelSerializer):
    """One device somebody is signed in on."""

    organization = OrganizationBriefSerializer(read_only=True)
    is_current = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = [
            "id",
            "organization",
            "ip_address",
            "user_agent",
            "created_at",
            "last_used_at",
            "expires_at",
            "is_current",
        ]
        read_only_fields = [name for name in fields if name not in {"organization", "is_current"}]

    def get_is_current(self, session: Session) -> bool:
        caller: Principal = self.context["request"].user
        return session.pk == caller.session_id


class ApiTokenSerializer(ModelSerializer):
    """A program's token, without the secret."""

    owner = NamedSerializer(source="user", read_only=True)
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES), allow_empty=False)
    expires_at = serializers.DateTimeField(required=False, help_text="90 days from now unless given; at most a year.")
    is_live = serializers.BooleanField(read_only=True)

    class Meta:
        model = ApiToken
        fields = [
            "id", "name", "owner", "scopes", "hint", "created_at", "last_used_at", "expires_at", "revoked_at", "is_live"
        ]  # fmt: skip
        read_only_fields = ["id", "hint", "created_at", "last_used_at", "revoked_at"]


class NewApiTokenSerializer(ApiTokenSerializer):
    """With the token itself, this one time."""

    token = serializers.CharField(read_only=True)

    class Meta(ApiTokenSerializer.Meta):
        fields = [*ApiTokenSerializer.Meta.fields, "token"]
