from rest_framework import serializers

from vocelio.api.serializers import ModelSerializer, Serializer
from vocelio.sso.models import IdentityProvider
from vocelio.users.serializers import CodeField, password_field


class SsoStartSerializer(Serializer):
    """What a frontend begins a log-in with, in the query."""

    return_to = serializers.CharField(
        max_length=500, help_text="Address of the frontend; it gets `#code=`, `#linkChallenge=` or `#error=` added."
    )
    code_challenge = serializers.RegexField(
        r"^[A-Za-z0-9_-]{43}$", help_text="S256 challenge (RFC 7636) of a verifier that the frontend keeps."
    )


class SsoTradeSerializer(Serializer):
    code = serializers.CharField(max_length=200, write_only=True)
    code_verifier = serializers.RegexField(r"^[A-Za-z0-9._~-]{43,128}$", write_only=True)


class SsoLinkSerializer(Serializer):
    """Proof of the account that the provider's subject is to be connected with."""

    challenge = serializers.CharField(max_length=5000, write_only=True)
    password = password_field()
    code = CodeField(required=False)


class IdentityProviderSerializer(ModelSerializer):
    """The organization's identity provider; the secret is written, never read."""

    client_secret = serializers.CharField(max_length=500, required=False, allow_blank=True, write_only=True)
    allowed_domains = serializers.ListField(
        child=serializers.CharField(max_length=253), allow_empty=False, max_length=50, required=False
    )
    issuer = serializers.CharField(max_length=500, required=False)
    client_id = serializers.CharField(max_length=255, required=False)
    newcomer_role = serializers.ChoiceField(choices=IdentityProvider.NEWCOMER_ROLES, required=False, allow_blank=True)
    is_required = serializers.BooleanField(
        required=False, help_text="Members log in here; by password only admins marked for emergencies."
    )
    has_client_secret = serializers.BooleanField(read_only=True)
    redirect_uri = serializers.CharField(read_only=True, help_text="To register at the provider.")

    class Meta:
        model = IdentityProvider
        fields = [
            "issuer",
            "client_id",
            "client_secret",
            "has_client_secret",
            "allowed_domains",
            "newcomer_role",
            "is_enabled",
            "is_required",
            "redirect_uri",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]


class ProviderCheckSerializer(Serializer):
    """What was found at the provider's addresses just now."""

    issuer = serializers.CharField(read_only=True)
    authorization_endpoint = serializers.CharField(read_only=True)
    token_endpoint = serializers.CharField(read_only=True)
    keys = serializers.IntegerField(read_only=True, help_text="How many public keys it signs with.")
