from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import ContactImport, ImportUndo
from contacts.services.imports import estimate_duration
from contacts.services.rejections import describe_rejections
from contacts.services.undo import latest_undo, undo_deadline
from vocelio.api.serializers import ModelSerializer, PersonField, Serializer
from vocelio.jobs.models import JobStatus


class RejectionSerializer(Serializer):
    """A row that was not imported, its filled cells by field or header; `data` may cut long ones."""

    row = serializers.IntegerField()
    error = serializers.CharField()
    suggested_fix = serializers.CharField(allow_blank=True)
    data = serializers.DictField(child=serializers.CharField(allow_blank=True))  # type: ignore[assignment]


class ImportErrorSerializer(Serializer):
    """Why the import as a whole failed."""

    code = serializers.CharField(source="error_code")
    message = serializers.CharField(source="error_message")


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
