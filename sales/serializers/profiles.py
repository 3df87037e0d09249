from rest_framework import serializers

from sales.models import BuyingRole, SalesProfile
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, blank_or


class SalesProfileSerializer(ModelSerializer):
    """A contact as somebody who may buy."""

    contact_id = serializers.UUIDField(read_only=True)
    is_primary = serializers.BooleanField(read_only=True)
    client = NamedSerializer()
    client_id = serializers.UUIDField(
        required=False, allow_null=True, write_only=True, help_text="The company they buy for."
    )
    buying_role = blank_or(BuyingRole.choices)(required=False)
    score = serializers.IntegerField(min_value=0, max_value=100, required=False, allow_null=True)
    budget = serializers.DecimalField(max_digits=18, decimal_places=2, min_value=0, required=False, allow_null=True)
    lifetime_value = serializers.DecimalField(
        max_digits=18, decimal_places=2, min_value=0, required=False, allow_null=True
    )
    currency = serializers.RegexField(r"^[A-Za-z]{3}$", required=False, allow_blank=True, help_text="ISO 4217.")
    created_by = PersonField()

    class Meta:
        model = SalesProfile
        fields = [
            "id",
            "contact_id",
            "is_primary",
            "headline",
            "client",
            "client_id",
            "buying_role",
            "lead_status",
            "lead_source",
            "score",
            "budget",
            "lifetime_value",
            "currency",
            "territory",
            "interests",
            "notes",
            "created_by",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {"interests": {"max_length": 5_000}, "notes": {"max_length": 20_000}}

    def validate_currency(self, value: str) -> str:
        return value.upper()


class NewSalesProfileSerializer(SalesProfileSerializer):
    """A sales profile to be added; `isPrimary` takes the flag from the one that has it."""

    is_primary = serializers.BooleanField(required=False)

    class Meta(SalesProfileSerializer.Meta):
        pass
