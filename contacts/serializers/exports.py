from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import ContactExport
from contacts.serializers.imports import ImportErrorSerializer
from contacts.services.export_columns import NAMES
from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField, Serializer


class ExportRequestSerializer(Serializer):
    """Which contacts, and how the file is to be."""

    format = serializers.ChoiceField(ContactExport.Format.choices, default=ContactExport.Format.CSV)
    filter = PlainJSONField(required=False, help_text="The query parameters of GET /contacts, without paging.")
    sort = serializers.CharField(max_length=100, required=False, allow_blank=True, help_text="As GET /contacts.")
    columns = serializers.ListField(
        child=serializers.ChoiceField([(name, name) for name in NAMES]),
        required=False,
        max_length=len(NAMES),
        help_text="All when there are none. Files with `id` come back to the same contacts.",
    )


class ExportSerializer(ModelSerializer):
    """A file of contacts, being written or done."""

    error = serializers.SerializerMethodField()
    created_by = PersonField()
    filename = serializers.CharField(read_only=True)
    is_available = serializers.BooleanField(read_only=True, help_text="Whether the file can be downloaded now.")
    columns = serializers.ListField(child=serializers.CharField(), read_only=True)
    filter = PlainJSONField(read_only=True)
    total = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = ContactExport
        fields = [
            "id",
            "status",
            "progress",
            "total",
            "rows",
            "cut_cells",
            "format",
            "filter",
            "sort",
            "columns",
            "filename",
            "file_size",
            "is_available",
            "error",
            "created_by",
            "created_at",
            "completed_at",
        ]
        read_only_fields = fields

    @extend_schema_field(ImportErrorSerializer(allow_null=True))
    def get_error(self, job: ContactExport) -> dict[str, Any] | None:
        return ImportErrorSerializer(job).data if job.error_code else None
