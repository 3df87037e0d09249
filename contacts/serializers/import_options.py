from typing import Any

from phonenumbers import SUPPORTED_REGIONS
from rest_framework import serializers

from contacts.incoming import Policy
from contacts.incoming.mapping import CLIENT_FIELDS, CONTACT_FIELDS, api_name, parse_target, parse_targets
from contacts.incoming.options import CUSTOM
from contacts.models import ContactList, ImportPreset
from contacts.serializers.contacts import TagsField
from contacts.services.import_kinds import RECORDS
from vocelio.api.serializers import ModelSerializer, PersonField, Serializer, camel
from vocelio.storage.serializers import TakenFileSerializer

OPTIONS = ("mapping", "match_keys", "policy", "field_policies", "region", "tags", "validate_phones")


class PolicyField(serializers.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[str(policy) for policy in Policy], **kwargs)


class ClientUploadSerializer(TakenFileSerializer):
    """The form of POST /uploads/clients: CSV, XLSX or XLS."""

    skip_duplicates = serializers.BooleanField(
        default=True, help_text="Skip rows that repeat a record; otherwise they update it."
    )
    policy = PolicyField(
        required=False, help_text="What rows do to known records, in place of skipDuplicates: skip, fill, overwrite."
    )
    validate_phones = serializers.BooleanField(
        default=True, help_text="Reject rows whose phone number is not valid; otherwise it need only be dialable."
    )
    preview = serializers.BooleanField(
        default=False, help_text="Stop before importing: look at the preview, then start it."
    )
    preset_id: serializers.PrimaryKeyRelatedField[ImportPreset] = serializers.PrimaryKeyRelatedField(
        queryset=ImportPreset.objects, required=False, allow_null=True, help_text="Columns and options to use."
    )


class ImportUploadSerializer(ClientUploadSerializer):
    """The form of POST /uploads/contacts."""

    list_id: serializers.PrimaryKeyRelatedField[ContactList] = serializers.PrimaryKeyRelatedField(
        queryset=ContactList.objects, required=False, allow_null=True, help_text="An existing list to fill."
    )
    list_name = serializers.CharField(
        max_length=255, required=False, allow_blank=True, help_text="A list to fill; created unless it exists."
    )


class ImportOptionsSerializer(Serializer):
    """Which column is which and what rows may do; what is not given stays as it was."""

    fields_known = CONTACT_FIELDS

    mapping = serializers.DictField(
        child=serializers.CharField(max_length=200),
        required=False,
        help_text="Targets by header: a field (firstName, phone, ...; of clients name, domain, ...), `custom:<name>`,"
        " or `ignore`.",
    )
    match_keys = serializers.ListField(
        child=serializers.CharField(max_length=200),
        required=False,
        min_length=1,
        max_length=5,
        help_text="Who a row is: the first of these it fills. id, phone, email, externalId, `custom:<name>`; clients"
        " are known by id where it is named, always by domain and name.",
    )
    policy = PolicyField(
        required=False, help_text="What rows do to known contacts: skip, fill (blank fields only), overwrite."
    )
    field_policies = serializers.DictField(
        child=PolicyField(),
        required=False,
        help_text="Policies of fields that differ: {notes: fill, custom:Score: skip}.",
    )
    region = serializers.RegexField(
        r"^[A-Za-z]{2}$", required=False, allow_blank=True, help_text="Country of numbers without a + (ISO 3166)."
    )
    tags = TagsField(required=False, help_text="Given to every contact that is made or changed.")
    validate_phones = serializers.BooleanField(required=False)

    def validate_mapping(self, value: dict[str, str]) -> dict[str, str]:
        found, unknown = parse_targets(value.items(), self.fields_known)
        if unknown:
            raise serializers.ValidationError(
                {
                    header: [
                        serializers.ErrorDetail(f"A {self.fields_known.noun} has no field {name!r}.", code="choice")
                    ]
                    for header, name in unknown.items()
                }
            )
        return found

    def validate_matchKeys(self, value: list[str]) -> list[str]:
        known = self.fields_known
        keys = [parse_target(name, known) or name for name in value]
        may_be_custom = known is CONTACT_FIELDS
        bad = [
            name
            for name, key in zip(value, keys, strict=True)
            if key not in known.keys and not (may_be_custom and key.startswith(CUSTOM))
        ]
        if bad:
            raise serializers.ValidationError(f"Not a field to know {known.noun}s by: {', '.join(bad)}.", code="choice")
        return list(dict.fromkeys(keys))

    def validate_fieldPolicies(self, value: dict[str, str]) -> dict[str, str]:
        found, unknown = parse_targets(((name, name) for name in value), self.fields_known)
        if unknown:
            raise serializers.ValidationError(
                f"A {self.fields_known.noun} has no field {min(unknown)!r}.", code="choice"
            )
        return {found[name]: policy for name, policy in value.items()}

    def validate_region(self, value: str) -> str:
        value = value.upper()
        if value and value not in SUPPORTED_REGIONS:
            raise serializers.ValidationError("There is no such country.", code="choice")
        return value


class StartImportSerializer(ImportOptionsSerializer):
    """How to import a draft."""

    list_id: serializers.PrimaryKeyRelatedField[ContactList] = serializers.PrimaryKeyRelatedField(
        queryset=ContactList.objects, required=False, allow_null=True
    )
    list_name = serializers.CharField(max_length=255, required=False, allow_blank=True)
    preset_id: serializers.PrimaryKeyRelatedField[ImportPreset] = serializers.PrimaryKeyRelatedField(
        queryset=ImportPreset.objects, required=False, allow_null=True, help_text="Its options hold unless given here."
    )


class ClientImportOptionsSerializer(ImportOptionsSerializer):
    """The same of a file of clients."""

    fields_known = CLIENT_FIELDS


class StartClientImportSerializer(ClientImportOptionsSerializer):
    """How to import a draft of clients."""

    preset_id: serializers.PrimaryKeyRelatedField[ImportPreset] = serializers.PrimaryKeyRelatedField(
        queryset=ImportPreset.objects,
        required=False,
        allow_null=True,
        help_text="Its options hold unless given here.",
    )


def stored_options(data: dict[str, Any]) -> dict[str, Any]:
    """Return validated options as the settings of a job, a preset's below those given beside it."""
    preset: ImportPreset | None = data.get("preset_id")
    given = {camel(name): data[name] for name in OPTIONS if name in data}
    return (preset.options if preset else {}) | given


def shown_options(settings: dict[str, Any]) -> dict[str, Any]:
    """Return a job's or preset's options as the API writes them."""
    shown: dict[str, Any] = {
        name: settings[name] for name in ("policy", "region", "tags", "validatePhones") if name in settings
    }
    if "mapping" in settings:
        shown["mapping"] = {header: api_name(target) for header, target in settings["mapping"].items()}
    if "matchKeys" in settings:
        shown["matchKeys"] = [api_name(key) for key in settings["matchKeys"]]
    if "fieldPolicies" in settings:
        shown["fieldPolicies"] = {api_name(name): policy for name, policy in settings["fieldPolicies"].items()}
    return shown


class ImportPresetSerializer(ModelSerializer):
    """Columns and options under a name."""

    options = ImportOptionsSerializer()
    created_by = PersonField()

    class Meta:
        model = ImportPreset
        fields = ["id", "name", "record_type", "options", "created_by", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]

    def to_internal_value(self, data: Any) -> Any:
        given = data.get("recordType") if isinstance(data, dict) else None
        kind = self.instance.record_type if self.instance else given
        if isinstance(kind, str) and kind in RECORDS:
            options = ImportOptionsSerializer(required=not self.partial)
            options.fields_known = RECORDS[kind].fields
            self.fields["options"] = options
        return super().to_internal_value(data)

    def validate_recordType(self, value: str) -> str:
        if self.instance and value != self.instance.record_type:
            raise serializers.ValidationError("A preset stays for the records it was made for.", code="immutable")
        return value

    def validate_options(self, value: dict[str, Any]) -> dict[str, Any]:
        return stored_options(value)

    def to_representation(self, preset: ImportPreset) -> dict[str, Any]:
        shown = {
            "id": str(preset.id),
            "name": preset.name,
            "recordType": preset.record_type,
            "options": shown_options(preset.options),
            "createdBy": None,
            "createdAt": preset.created_at,
            "updatedAt": preset.updated_at,
        }
        if person := preset.created_by:
            shown["createdBy"] = {"id": person.id, "name": str(person)}
        return shown
