"""Contact files on their way in, and the rows that could not be taken."""

from typing import Any

from django.db import models
from django.db.models.functions import Now

from contacts.models.lists import ContactList
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job
from vocelio.organizations.models import TenantRow


class ContactImport(Job):
    """One uploaded file. Its counts add up at every moment: total = imported + updated + duplicates + invalid.

    `total` (of Job) is what the file holds, `total_rows` what has been worked on.
    """

    task = "contacts.tasks.run_import"
    noun = "import"

    class Kind(models.TextChoices):
        CSV = "csv", "CSV"
        EXCEL = "excel", "Excel"

    filename = models.CharField(max_length=500)
    file = models.CharField(max_length=1000, help_text="Where the storage keeps it.")
    file_size = models.PositiveBigIntegerField()
    import_type = models.CharField(max_length=20, choices=Kind, default=Kind.CSV)
    target_list = TenantForeignKey(
        ContactList, on_delete=models.SET_NULL, null=True, related_name="imports", db_index=False
    )
    settings = models.JSONField(
        default=dict, help_text="skipDuplicates, validatePhones and what was detected of the file."
    )
    total_rows = models.PositiveIntegerField(default=0)
    valid_contacts = models.PositiveIntegerField(default=0)
    invalid_contacts = models.PositiveIntegerField(default=0)
    duplicates = models.PositiveIntegerField(default=0)
    imported_contacts = models.PositiveIntegerField(default=0)
    updated_contacts = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        db_table = "import_jobs"
        verbose_name = "contact import"

    # The newest few rejections of this run, for those who watch.
    newest_errors: list[dict[str, Any]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.newest_errors = []

    def __str__(self) -> str:
        return self.filename

    @property
    def skipped(self) -> int:
        """Rows that changed nothing."""
        return self.duplicates + self.invalid_contacts

    @property
    def results(self) -> dict[str, int]:
        """The document's counts, in its words."""
        return {
            "totalRows": self.total_rows,
            "validContacts": self.valid_contacts,
            "invalidContacts": self.invalid_contacts,
            "duplicates": self.duplicates,
            "imported": self.imported_contacts,
            "updated": self.updated_contacts,
            "skipped": self.skipped,
        }

    def audit_counts(self) -> dict[str, int]:
        return {
            "total": self.total_rows,
            "imported": self.imported_contacts,
            "updated": self.updated_contacts,
            "duplicates": self.duplicates,
            "invalid": self.invalid_contacts,
        }

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {"results": self.results, "errors": self.newest_errors}


class ImportRejection(TenantRow):
    """A row that was not imported: where it stood, why, and its cells as they were.

    `field` is the column of the contact that is to blame, blank when it is the row as a whole.
    """

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    job = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="rejections", db_index=False)
    row = models.PositiveIntegerField()
    field = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=300)
    cells = models.JSONField()

    class Meta:
        db_table = "import_rejections"
        constraints = [models.UniqueConstraint(fields=["organization", "job", "row"], name="one_rejection_per_row")]

    def __str__(self) -> str:
        return f"row {self.row}: {self.error}"
