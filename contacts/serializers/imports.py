from typing import Any

from drf_spectacular.utils import extend_schema_field
from phonenumbers import SUPPORTED_REGIONS
from rest_framework import serializers

from contacts.incoming import Policy
from contacts.incoming.mapping import CLIENT_FIELDS, CONTACT_FIELDS, api_name, parse_target, parse_targets
from contacts.incoming.options import CUSTOM
from contacts.models import ContactImport, ContactList, ImportPreset, ImportPreview, ImportUndo
from contacts.serializers.contacts import TagsField
from contacts.services.import_files import mapping_of
from contacts.services.import_kinds import RECORDS
from contacts.services.imports import estimate_duration
from contacts.services.previews import latest_preview, matching_presets
from contacts.services.rejections import describe_rejections
from contacts.services.undo import latest_undo, undo_deadline
from vocelio.api.serializers import ModelSerializer, PersonField, Serializer, camel
from vocelio.jobs.models import JobStatus

OPTIONS = ("mapping", "match_keys", "policy", "field_policies", "region", "tags", "validate_phones")


class PolicyField(serializers.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=[str(policy) for policy in Policy], **kwargs)


class ClientUploadSerializer(Serializer):
    """The form of POST /uploads/clients."""

    file = serializers.FileField(max_length=500, allow_empty_file=True, help_text="CSV, XLSX or XLS.")
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


class FoundFileSerializer(Serializer):
    """How the file is written."""

    kind = serializers.CharField(help_text="csv, xlsx or xls.")
    encoding = serializers.CharField(allow_null=True)
    delimiter = serializers.CharField(allow_null=True)
    quote = serializers.CharField(allow_null=True)
    sheet = serializers.CharField(allow_null=True)
    header_row = serializers.IntegerField(help_text="0 when no row names the columns.")


class FoundColumnSerializer(Serializer):
    header = serializers.CharField()
    target = serializers.CharField(help_text="What it fills as things stand.")
    guess = serializers.CharField()
    confidence = serializers.FloatField(help_text="Of the guess, from 0 to 1.")
    samples = serializers.ListField(child=serializers.CharField(allow_blank=True))


class FirstRowSerializer(Serializer):
    row = serializers.IntegerField()
    cells = serializers.ListField(child=serializers.CharField(allow_blank=True))


class PresetNameSerializer(Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class BeforeAfterSerializer(Serializer):
    before = serializers.CharField(allow_blank=True)
    after = serializers.CharField(allow_blank=True)


class CreatedSampleSerializer(Serializer):
    row = serializers.IntegerField()
    data = serializers.DictField(child=serializers.CharField())  # type: ignore[assignment]


class UpdatedSampleSerializer(Serializer):
    row = serializers.IntegerField()
    contact_id = serializers.UUIDField(required=False)
    client_id = serializers.UUIDField(required=False, help_text="In a file of clients.")
    changes = serializers.DictField(child=BeforeAfterSerializer())


class SkippedSampleSerializer(Serializer):
    row = serializers.IntegerField()
    contact_id = serializers.UUIDField(
        required=False, help_text="Whom the row repeats; of a contact the file makes, a passing id."
    )
    client_id = serializers.UUIDField(required=False, help_text="In a file of clients.")


class RejectionSerializer(Serializer):
    """A row that was not imported, its filled cells by field or header; `data` may cut long ones."""

    row = serializers.IntegerField()
    error = serializers.CharField()
    suggested_fix = serializers.CharField(allow_blank=True)
    data = serializers.DictField(child=serializers.CharField(allow_blank=True))  # type: ignore[assignment]


class DryRunSamplesSerializer(Serializer):
    created = CreatedSampleSerializer(many=True)
    updated = UpdatedSampleSerializer(many=True)
    skipped = SkippedSampleSerializer(many=True)
    rejected = RejectionSerializer(many=True)


class DryRunResultsSerializer(Serializer):
    """totalRows = created + updated + skipped + rejected."""

    total_rows = serializers.IntegerField()
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    skipped = serializers.IntegerField()
    rejected = serializers.IntegerField()


class ImportErrorSerializer(Serializer):
    """Why the import as a whole failed."""

    code = serializers.CharField(source="error_code")
    message = serializers.CharField(source="error_message")


class DryRunSerializer(Serializer):
    """What the import would do, as far as the run has come."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(JobStatus.choices)
    progress = serializers.IntegerField()
    processed = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    results = DryRunResultsSerializer(source="*")
    field_changes = serializers.DictField(child=serializers.IntegerField())
    samples = serializers.SerializerMethodField()
    error = serializers.SerializerMethodField()

    @extend_schema_field(DryRunSamplesSerializer)
    def get_samples(self, preview: ImportPreview) -> dict[str, Any]:
        kinds: dict[str, list[Any]] = {"created": [], "updated": [], "skipped": [], "rejected": []}
        return {**kinds, **preview.samples}

    @extend_schema_field(ImportErrorSerializer(allow_null=True))
    def get_error(self, preview: ImportPreview) -> dict[str, Any] | None:
        return ImportErrorSerializer(preview).data if preview.error_code else None


class ImportPreviewSerializer(Serializer):
    """A file that waits to be imported: what is in it, and what an import would do."""

    job_id = serializers.UUIDField(source="id")
    filename = serializers.CharField()
    file_size = serializers.IntegerField()
    status = serializers.ChoiceField(JobStatus.choices)
    is_draft = serializers.BooleanField(help_text="Whether it still waits to be started.")
    file = serializers.SerializerMethodField()
    columns = serializers.SerializerMethodField()
    first_rows = serializers.SerializerMethodField()
    presets = serializers.SerializerMethodField()
    options = serializers.SerializerMethodField()
    dry_run = serializers.SerializerMethodField()

    @extend_schema_field(FoundFileSerializer(allow_null=True))
    def get_file(self, job: ContactImport) -> dict[str, Any] | None:
        names = ("kind", "encoding", "delimiter", "quote", "sheet", "headerRow")
        return {name: job.layout[name] for name in names} if job.layout else None

    @extend_schema_field(FoundColumnSerializer(many=True))
    def get_columns(self, job: ContactImport) -> list[dict[str, Any]]:
        if not job.layout:
            return []
        guessed = mapping_of(job.layout, {}).targets
        chosen = mapping_of(job.layout, job.settings.get("mapping", {})).targets
        rows = [cells for _, cells in job.layout["rows"]]
        return [
            {
                "header": header,
                "target": chosen[header],
                "guess": guessed[header],
                "confidence": confidence,
                "samples": [cells[index] for cells in rows if index < len(cells) and cells[index].strip()][:3],
            }
            for index, (header, _, confidence) in enumerate(job.layout["columns"])
        ]

    @extend_schema_field(FirstRowSerializer(many=True))
    def get_first_rows(self, job: ContactImport) -> list[dict[str, Any]]:
        return [{"row": row, "cells": cells} for row, cells in (job.layout or {"rows": []})["rows"]]

    @extend_schema_field(PresetNameSerializer(many=True))
    def get_presets(self, job: ContactImport) -> list[dict[str, Any]]:
        return [{"id": preset.id, "name": preset.name} for preset in matching_presets(job)]

    @extend_schema_field(ImportOptionsSerializer)
    def get_options(self, job: ContactImport) -> dict[str, Any]:
        return shown_options(job.settings)

    @extend_schema_field(DryRunSerializer(allow_null=True))
    def get_dry_run(self, job: ContactImport) -> dict[str, Any] | None:
        preview = latest_preview(job)
        return DryRunSerializer(preview).data if preview else None


class UndoResultsSerializer(Serializer):
    """What became of the contacts the import made (removed, kept) or changed; `gone` are not there any more."""

    removed = serializers.IntegerField()
    kept = serializers.IntegerField()
    restored = serializers.IntegerField()
    partly_restored = serializers.IntegerField()
    unrestored = serializers.IntegerField()
    gone = serializers.IntegerField()
    unlisted = serializers.IntegerField()


class ImportUndoSerializer(Serializer):
    """The undo of an import."""

    id = serializers.UUIDField()
    import_id = serializers.UUIDField(source="contact_import_id")
    status = serializers.ChoiceField(JobStatus.choices)
    progress = serializers.IntegerField()
    results = UndoResultsSerializer(source="*")
    error = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    completed_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(ImportErrorSerializer(allow_null=True))
    def get_error(self, undo: ImportUndo) -> dict[str, Any] | None:
        return ImportErrorSerializer(undo).data if undo.error_code else None


class ImportStartedSerializer(Serializer):
    """The answer to an upload."""

    job_id = serializers.UUIDField(source="id")
    filename = serializers.CharField()
    file_size = serializers.IntegerField()
    status = serializers.ChoiceField(JobStatus.choices)
    estimated_processing_time = serializers.SerializerMethodField()

    def get_estimated_processing_time(self, job: ContactImport) -> str:
        return estimate_duration(job)


class ImportResultsSerializer(Serializer):
    """totalRows = imported + updated + duplicates + invalidContacts; skipped = duplicates + invalidContacts.

    Of a file of clients, the contacts in these names are clients.
    """

    total_rows = serializers.IntegerField(help_text="Rows worked on so far.")
    valid_contacts = serializers.IntegerField()
    invalid_contacts = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    imported = serializers.IntegerField(source="imported_contacts")
    updated = serializers.IntegerField(source="updated_contacts")
    skipped = serializers.IntegerField()


class ImportSerializer(ModelSerializer):
    """An import in the history."""

    results = ImportResultsSerializer(source="*", read_only=True)
    total = serializers.IntegerField(
        read_only=True,
        allow_null=True,
        help_text="Rows in the file, of a workbook at most so many until it is read; null until they are counted.",
    )
    list_id = serializers.UUIDField(source="target_list_id", read_only=True, allow_null=True)
    error = serializers.SerializerMethodField()
    created_by = PersonField()

    class Meta:
        model = ContactImport
        fields = [
            "id",
            "record_type",
            "filename",
            "file_size",
            "import_type",
            "list_id",
            "status",
            "is_draft",
            "progress",
            "total",
            "results",
            "error",
            "created_by",
            "created_at",
            "started_at",
            "completed_at",
        ]
        read_only_fields = fields

    @extend_schema_field(ImportErrorSerializer(allow_null=True))
    def get_error(self, job: ContactImport) -> dict[str, Any] | None:
        return ImportErrorSerializer(job).data if job.error_code else None


class ImportDetailSerializer(ImportSerializer):
    """One import with its first hundred rejections."""

    validation_errors = serializers.SerializerMethodField()
    undoable_until = serializers.SerializerMethodField(help_text="Null while it cannot be undone.")
    undo = serializers.SerializerMethodField()

    class Meta(ImportSerializer.Meta):
        fields = [*ImportSerializer.Meta.fields, "validation_errors", "undoable_until", "undo"]
        read_only_fields = fields

    @extend_schema_field(RejectionSerializer(many=True))
    def get_validation_errors(self, job: ContactImport) -> list[dict[str, Any]]:
        return describe_rejections(job)

    @extend_schema_field(serializers.DateTimeField(allow_null=True))
    def get_undoable_until(self, job: ContactImport) -> Any:
        return undo_deadline(job)

    @extend_schema_field(ImportUndoSerializer(allow_null=True))
    def get_undo(self, job: ContactImport) -> dict[str, Any] | None:
        undo = latest_undo(job)
        return ImportUndoSerializer(undo).data if undo else None
