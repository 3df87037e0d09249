"""Contacts on their way out, as files."""

from typing import Any

from django.db import models

from vocelio.jobs.models import Job


class ContactExport(Job):
    """A file of the contacts that a list showed when the export ran; `filter` holds the query parameters of that list."""

    task = "contacts.tasks.run_export"
    noun = "export"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "Excel"

    format = models.CharField(max_length=10, choices=Format, default=Format.CSV)
    filter = models.JSONField(default=dict, blank=True)
    sort = models.CharField(max_length=100, blank=True, default="")
    columns = models.JSONField(default=list, blank=True, help_text="Names of columns; empty means all.")
    file = models.CharField(max_length=1000, blank=True, default="", help_text="Where the storage keeps it.")
    file_size = models.PositiveBigIntegerField(default=0)
    rows = models.PositiveIntegerField(default=0)
    cut_cells = models.PositiveIntegerField(default=0, help_text="Texts longer than a workbook's cell can hold.")

    class Meta(Job.Meta):
        db_table = "export_jobs"
        verbose_name = "contact export"

    @property
    def content_type(self) -> str:
        """What the file is, in HTTP's words."""
        if self.format == self.Format.XLSX:
            return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return "text/csv; charset=utf-8"

    @property
    def filename(self) -> str:
        return f"contacts-{self.created_at:%Y-%m-%d-%H%M}.{self.format}"

    @property
    def is_available(self) -> bool:
        """Whether there is a file to download."""
        return bool(self.file)

    def audit_counts(self) -> dict[str, int]:
        return {"rows": self.rows, "cutCells": self.cut_cells}

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {"rows": self.rows, "fileSize": self.file_size}
