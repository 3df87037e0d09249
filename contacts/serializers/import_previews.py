from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import ContactImport, ImportPreview
from contacts.serializers.import_options import ImportOptionsSerializer, shown_options
from contacts.serializers.imports import ImportErrorSerializer, RejectionSerializer
from contacts.services.import_files import mapping_of
from contacts.services.previews import latest_preview, matching_presets
from vocelio.api.serializers import NamedSerializer, Serializer
from vocelio.jobs.models import JobStatus


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

    @extend_schema_field(NamedSerializer(many=True))
    def get_presets(self, job: ContactImport) -> list[dict[str, Any]]:
        return [{"id": preset.id, "name": preset.name} for preset in matching_presets(job)]

    @extend_schema_field(ImportOptionsSerializer)
    def get_options(self, job: ContactImport) -> dict[str, Any]:
        return shown_options(job.settings)

    @extend_schema_field(DryRunSerializer(allow_null=True))
    def get_dry_run(self, job: ContactImport) -> dict[str, Any] | None:
        preview = latest_preview(job)
        return DryRunSerializer(preview).data if preview else None
