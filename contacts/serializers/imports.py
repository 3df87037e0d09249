from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import ContactImport, ContactList
from contacts.services.imports import estimate_duration
from contacts.services.rejections import describe_rejections
from vocelio.api.serializers import ModelSerializer, PersonField, Serializer
from vocelio.jobs.models import JobStatus


class ImportUploadSerializer(Serializer):
    """The form of POST /uploads/contacts."""

    file = serializers.FileField(max_length=500, allow_empty_file=True, help_text="CSV, XLSX or XLS.")
    list_id: serializers.PrimaryKeyRelatedField[ContactList] = serializers.PrimaryKeyRelatedField(
        queryset=ContactList.objects, required=False, allow_null=True, help_text="An existing list to fill."
    )
    list_name = serializers.CharField(
        max_length=255, required=False, allow_blank=True, help_text="A list to fill; created unless it exists."
    )
    skip_duplicates = serializers.BooleanField(
        default=True, help_text="Skip rows that repeat a contact; otherwise they update it."
    )
    validate_phones = serializers.BooleanField(
        default=True, help_text="Reject rows whose phone number is not valid; otherwise it need only be dialable."
    )


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
    """totalRows = imported + updated + duplicates + invalidContacts; skipped = duplicates + invalidContacts."""

    total_rows = serializers.IntegerField(help_text="Rows worked on so far.")
    valid_contacts = serializers.IntegerField()
    invalid_contacts = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    imported = serializers.IntegerField(source="imported_contacts")
    updated = serializers.IntegerField(source="updated_contacts")
    skipped = serializers.IntegerField()


class RejectionSerializer(Serializer):
    """A row that was not imported, its filled cells by field or header; `data` may cut long ones."""

    row = serializers.IntegerField()
    error = serializers.CharField()
    data = serializers.DictField(child=serializers.CharField(allow_blank=True))  # type: ignore[assignment]


class ImportErrorSerializer(Serializer):
    """Why the import as a whole failed."""

    code = serializers.CharField(source="error_code")
    message = serializers.CharField(source="error_message")


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
            "filename",
            "file_size",
            "import_type",
            "list_id",
            "status",
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

    class Meta(ImportSerializer.Meta):
        fields = [*ImportSerializer.Meta.fields, "validation_errors"]
        read_only_fields = fields

    @extend_schema_field(RejectionSerializer(many=True))
    def get_validation_errors(self, job: ContactImport) -> list[dict[str, Any]]:
        return describe_rejections(job)
