from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from dnc.formats import all_formats
from dnc.models import DncEntry, DncList, Entitlement, ListUpload, Registry
from dnc.models.lists import Channel, ListStatus, ListType
from dnc.rules import rule_book
from dnc.services.registries import FRESHNESS
from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField, Serializer
from vocelio.storage.serializers import TakenFileSerializer

FORMATS = [(slug, known.label) for slug, known in all_formats().items()]


class DncListSerializer(ModelSerializer):
    """A list; of a registry's, count, dates and freshness are the registry's own."""

    type = serializers.ChoiceField(ListType.choices)
    status = serializers.ChoiceField(ListStatus.choices, required=False)
    compliance_level = serializers.CharField(max_length=50, required=False)
    registry = serializers.SlugRelatedField(
        slug_field="slug",
        queryset=Registry.objects.active(),
        required=False,
        allow_null=True,
        help_text="Of federal lists: us-federal, us-state, ca-dncl, uk-tps, uk-ctps.",
    )
    state = serializers.RegexField(r"^[A-Z]{2}$", required=False, allow_blank=True)
    update_frequency = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=8784, help_text="Hours."
    )
    contact_count = serializers.IntegerField(read_only=True, help_text="Numbers on it.")
    last_updated = serializers.DateTimeField(read_only=True, allow_null=True)
    version_date = serializers.DateField(
        read_only=True, allow_null=True, help_text="Of a registry: of its oldest area code."
    )
    freshness = serializers.SerializerMethodField()

    class Meta:
        model = DncList
        fields = [
            "id",
            "name",
            "type",
            "description",
            "compliance_level",
            "contact_count",
            "last_updated",
            "auto_update",
            "update_frequency",
            "source",
            "status",
            "state",
            "registry",
            "version_date",
            "freshness",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]

    @extend_schema_field({"type": ["string", "null"], "description": "fresh, stale or missing; null for own lists."})
    def get_freshness(self, dnc_list: Any) -> str | None:
        return freshness_of(dnc_list)


def freshness_of(dnc_list: Any) -> str | None:
    """Return whether every loaded area of a registry's list is young enough; None for a list of one's own."""
    if dnc_list.registry_id is None:
        return None
    if dnc_list.version_date is None:
        return "missing"
    today = timezone.now().date()
    rule = rule_book(today).rule("freshness", (dnc_list.registry.country,))
    is_fresh = rule is None or (today - dnc_list.version_date).days <= rule.value["days"]
    return "fresh" if is_fresh else "stale"


class DncEntrySerializer(ModelSerializer):
    phone_number = serializers.CharField(
        max_length=50, help_text="In any spelling; or the beginning of numbers followed by *."
    )
    list_id: serializers.PrimaryKeyRelatedField[DncList] = serializers.PrimaryKeyRelatedField(
        source="list", queryset=DncList.objects
    )
    list_name = serializers.CharField(source="list.name", read_only=True)
    channels = serializers.ListField(
        child=serializers.ChoiceField(Channel.choices), required=False, max_length=5, help_text="None means all."
    )
    date_added = serializers.DateTimeField(source="created_at", read_only=True)
    added_by = PersonField()

    class Meta:
        model = DncEntry
        fields = [
            "id",
            "phone_number",
            "list_id",
            "list_name",
            "channels",
            "source",
            "reason",
            "notes",
            "date_added",
            "expiry_date",
            "honour_by",
            "status",
            "added_by",
        ]
        read_only_fields = ["honour_by", "status"]


class DncEntryChangeSerializer(DncEntrySerializer):
    """What may change of an entry."""

    class Meta(DncEntrySerializer.Meta):
        read_only_fields = ["phone_number", "list_id", "honour_by", "status"]

    phone_number = serializers.CharField(read_only=True)
    list_id = serializers.UUIDField(read_only=True)  # type: ignore[assignment]


class EntitlementSerializer(ModelSerializer):
    registry = serializers.SlugRelatedField(slug_field="slug", queryset=Registry.objects.active())
    area_codes = serializers.ListField(
        child=serializers.RegexField(r"^[2-9][0-9]{2}$"), required=False, max_length=800, help_text="None means all."
    )
    is_valid = serializers.BooleanField(  # type: ignore[assignment]
        read_only=True, help_text="Whether it is valid today."
    )

    class Meta:
        model = Entitlement
        fields = ["id", "registry", "san", "area_codes", "valid_from", "valid_to", "is_valid", "created_at"]
        read_only_fields = ["created_at"]


class UploadFormSerializer(TakenFileSerializer):
    """The form of POST /dnc-lists/{id}/uploads."""

    format = serializers.ChoiceField(
        FORMATS,
        required=False,
        help_text="Recognised by the content unless given.",
    )
    options = serializers.CharField(
        required=False, help_text="JSON: the columns of a delimited or fixed-width file.", max_length=10_000
    )
    replace = serializers.BooleanField(default=False, help_text="Take off the list what the file does not hold.")


class DncUploadErrorSerializer(Serializer):
    row = serializers.IntegerField()
    value = serializers.CharField()
    error = serializers.CharField()


class DncUploadResultsSerializer(Serializer):
    """total = added + updated + removed + unchanged + invalid."""

    added = serializers.IntegerField()
    updated = serializers.IntegerField()
    removed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    invalid = serializers.IntegerField()


class ListUploadSerializer(ModelSerializer):
    job_id = serializers.UUIDField(source="id", read_only=True)
    list_id = serializers.UUIDField(read_only=True)
    results = DncUploadResultsSerializer(source="*", read_only=True)
    errors = DncUploadErrorSerializer(many=True, read_only=True)  # type: ignore[assignment]
    error = serializers.SerializerMethodField()
    options = PlainJSONField(source="settings", read_only=True)

    class Meta:
        model = ListUpload
        fields = [
            "job_id",
            "list_id",
            "filename",
            "file_size",
            "format",
            "options",
            "status",
            "progress",
            "total",
            "results",
            "errors",
            "error",
            "created_at",
            "completed_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(allow_null=True))
    def get_error(self, upload: ListUpload) -> dict[str, str] | None:
        return {"code": upload.error_code, "message": upload.error_message} if upload.error_code else None


class AreaStateSerializer(Serializer):
    area = serializers.CharField()
    state = serializers.CharField(allow_blank=True)
    numbers = serializers.IntegerField()
    version_date = serializers.DateField(allow_null=True)
    age = serializers.IntegerField(allow_null=True)
    status = serializers.ChoiceField(FRESHNESS)


class RegistrySerializer(Serializer):
    """A registry with the state of each area code."""

    slug = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    country = serializers.CharField()
    number_count = serializers.IntegerField()
    loaded_at = serializers.DateTimeField(allow_null=True)
    areas = AreaStateSerializer(many=True)


class RegistriesSerializer(Serializer):
    enveloped = False
    data = RegistrySerializer(many=True)  # type: ignore[assignment]
