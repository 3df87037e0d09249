"""Deals as the API reads and shows them."""

from decimal import Decimal
from typing import Any

import orjson
from django.utils import timezone
from rest_framework import serializers

from contacts.models import RelationRole
from contacts.serializers.contacts import MAX_CUSTOM_FIELDS_BYTES, TagsField
from contacts.serializers.fields import DayField, OwnerField, currency_field, money_field, version_field
from sales.models import Deal, DealContact, DealLine, Stage, StageKind, StageMove
from sales.services.bulk_deals import ACTIONS, MAX_DEALS
from vocelio.api.bulk import BulkActionSerializer, BulkErrorSerializer, BulkOutcomeSerializer, IdsField
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, PlainJSONField, Serializer

MAX_LINES = 200
MAX_PEOPLE = 100


class DealContactSerializer(ModelSerializer):
    """A person's part in the deal."""

    contact_id = serializers.UUIDField()
    name = serializers.CharField(source="contact.__str__", read_only=True)
    role = serializers.ChoiceField(choices=RelationRole.choices, required=False)
    is_primary = serializers.BooleanField(required=False)

    class Meta:
        model = DealContact
        fields = ["contact_id", "name", "role", "is_primary"]


class DealLineSerializer(ModelSerializer):
    """A product or service of the deal."""

    name = serializers.CharField(max_length=255)
    quantity = serializers.DecimalField(max_digits=12, decimal_places=3, min_value=Decimal("0.001"), required=False)
    unit_price = serializers.DecimalField(max_digits=14, decimal_places=2, min_value=0)
    discount = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=0, max_value=100, required=False, help_text="Percent."
    )
    total = serializers.DecimalField(max_digits=20, decimal_places=2, read_only=True)

    class Meta:
        model = DealLine
        fields = ["name", "quantity", "unit_price", "discount", "total"]


class StageOfDealSerializer(ModelSerializer):
    class Meta:
        model = Stage
        fields = ["id", "name", "kind", "probability"]
        read_only_fields = fields


class DealSerializer(ModelSerializer):
    """A deal. Status, pipeline and closing time follow from its stage."""

    name = serializers.CharField(max_length=255)
    description = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    pipeline = NamedSerializer()
    stage = StageOfDealSerializer(read_only=True)
    stage_id = serializers.UUIDField(
        required=False, write_only=True, help_text="The first stage of the default pipeline unless given."
    )
    amount = money_field(required=False, help_text="The sum of the lines, where there are any.")
    currency = currency_field(required=False)
    expected_close_on = DayField(required=False, allow_null=True)
    client = NamedSerializer()
    client_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    contacts = DealContactSerializer(  # type: ignore[call-arg]
        many=True, required=False, source="people", max_length=MAX_PEOPLE, help_text="In an update they replace all."
    )
    lines = DealLineSerializer(  # type: ignore[call-arg]
        many=True, required=False, max_length=MAX_LINES, help_text="In an update they replace all."
    )
    lost_reason = NamedSerializer()
    lost_reason_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    tags = TagsField(required=False)
    custom_fields = PlainJSONField(required=False)
    assigned_to = OwnerField()
    created_by = PersonField()
    is_rotting = serializers.SerializerMethodField()
    next_activity_at = serializers.DateTimeField(read_only=True, allow_null=True)
    version = version_field()

    class Meta:
        model = Deal
        fields = [
            "id",
            "name",
            "description",
            "pipeline",
            "stage",
            "stage_id",
            "status",
            "amount",
            "currency",
            "base_amount",
            "expected_close_on",
            "closed_at",
            "stage_entered_at",
            "is_rotting",
            "next_activity_at",
            "client",
            "client_id",
            "contacts",
            "lines",
            "lost_reason",
            "lost_reason_id",
            "lost_note",
            "source",
            "tags",
            "custom_fields",
            "assigned_to",
            "created_by",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["status", "base_amount", "closed_at", "stage_entered_at", "created_at", "updated_at"]

    def get_is_rotting(self, deal: Deal) -> bool:
        days = deal.stage.rotting_days
        return (
            deal.status == StageKind.OPEN
            and bool(days)
            and (timezone.now() - deal.stage_entered_at).days >= (days or 0)
        )

    def validate_customFields(self, value: dict[str, Any]) -> dict[str, Any]:
        if len(orjson.dumps(value)) > MAX_CUSTOM_FIELDS_BYTES:
            raise serializers.ValidationError("Custom fields hold at most 64 KB.", code="max_length")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "people" in attrs:
            attrs["contacts"] = attrs.pop("people")
        return attrs


class TrashedDealSerializer(DealSerializer):
    """A deal in the trash."""

    class Meta(DealSerializer.Meta):
        fields = [*DealSerializer.Meta.fields, "deleted_at"]
        read_only_fields = [*DealSerializer.Meta.read_only_fields, "deleted_at"]


class MoveSerializer(DealSerializer):
    """Where the deal goes, and what the stage asks for as far as it is missing."""

    stage_id = serializers.UUIDField(write_only=True)
    name = serializers.CharField(max_length=255, required=False)

    class Meta(DealSerializer.Meta):
        fields = [
            "stage_id",
            "version",
            "name",
            "amount",
            "currency",
            "expected_close_on",
            "client_id",
            "contacts",
            "lines",
            "description",
            "source",
            "assigned_to",
            "lost_reason_id",
            "lost_note",
        ]
        read_only_fields: list[str] = []


class StageMoveSerializer(ModelSerializer):
    """One change of stage; never altered."""

    from_stage = NamedSerializer()
    to_stage = NamedSerializer()
    moved_by = PersonField()

    class Meta:
        model = StageMove
        fields = ["id", "moved_at", "from_stage", "to_stage", "seconds", "base_amount", "moved_by"]
        read_only_fields = fields


class CardSerializer(Serializer):
    """What a card of the board shows."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    amount = serializers.DecimalField(max_digits=18, decimal_places=2)
    currency = serializers.CharField()
    base_amount = serializers.DecimalField(max_digits=20, decimal_places=2)
    status = serializers.ChoiceField(choices=StageKind.choices)
    stage_id = serializers.UUIDField()
    stage_entered_at = serializers.DateTimeField()
    expected_close_on = serializers.DateField(allow_null=True)
    client = NamedSerializer()
    assigned_to = PersonField()
    tags = serializers.ListField(child=serializers.CharField())
    is_rotting = serializers.BooleanField()
    next_activity_at = serializers.DateTimeField(allow_null=True)
    version = serializers.IntegerField()


class ColumnSerializer(Serializer):
    """A column: its true totals, and the first of its cards."""

    stage = StageOfDealSerializer()
    count = serializers.IntegerField(min_value=0, help_text="Of all its deals.")
    amount = serializers.DecimalField(max_digits=24, decimal_places=2, help_text="Of all, in the board's currency.")
    weighted_amount = serializers.DecimalField(max_digits=24, decimal_places=2)
    deals = CardSerializer(many=True)
    next_cursor = serializers.CharField(allow_null=True, help_text="For GET /deals/board/{stageId}.")


class BoardSerializer(Serializer):
    """A pipeline as a board."""

    pipeline = NamedSerializer()
    version = serializers.IntegerField(allow_null=True, help_text="The pipeline's.")
    currency = serializers.CharField()
    columns = ColumnSerializer(many=True)


class BulkDealsDataSerializer(Serializer):
    stage_id = serializers.UUIDField(required=False, help_text="For move.")
    lost_reason_id = serializers.UUIDField(required=False, help_text="For move to a lost stage.")
    assigned_to = serializers.UUIDField(
        required=False, allow_null=True, source="assigned_to_id", help_text="For assign; null for nobody."
    )


class BulkDealsSerializer(BulkActionSerializer):
    """One action on up to 1,000 deals."""

    NEEDS = {"move": "stage_id", "assign": "assigned_to_id"}
    MAY_USE = {"move": {"lost_reason_id"}}

    deal_ids = IdsField(max_length=MAX_DEALS)
    action = serializers.ChoiceField(choices=list(ACTIONS))
    data = BulkDealsDataSerializer(required=False)  # type: ignore[assignment]


class UndoSerializer(Serializer):
    undo_id = serializers.UUIDField(help_text="Of the bulk move's answer.")


class BulkDealErrorSerializer(BulkErrorSerializer):
    deal_id = serializers.UUIDField()
    missing = serializers.ListField(child=serializers.CharField(), required=False)


class BulkDealsResultSerializer(BulkOutcomeSerializer):
    """What became of a bulk operation."""

    errors = BulkDealErrorSerializer(many=True)  # type: ignore[assignment]
    undo_id = serializers.UUIDField(allow_null=True, help_text="Brings moved deals back: POST /deals/undo-move.")
