"""Files of contacts, clients and what apps above add on their way in, and the rows that could not be taken."""

from enum import StrEnum
from typing import Any

from django.db import models
from django.db.models.functions import Now

from contacts.models.lists import ContactList
from contacts.record_kinds import record_choices
from vocelio.db.fields import TenantForeignKey
from vocelio.jobs.models import Job
from vocelio.organizations.models import TenantModel, TenantRow


class RecordType(StrEnum):
    """What the rows of a file are, where contacts know it; apps above add more (contacts.record_kinds)."""

    CONTACT = "contact"
    CLIENT = "client"


class ContactImport(Job):
    """One uploaded file, of contacts or of clients. Its counts add up at every moment: total = imported + updated + duplicates + invalid.

    `total` (of Job) is what the file holds, `total_rows` what has been worked on.
    """

    task = "contacts.tasks.run_import"
    noun = "import"

    class Kind(models.TextChoices):
        CSV = "csv", "CSV"
        EXCEL = "excel", "Excel"

    record_type = models.CharField(
        max_length=10, choices=record_choices, default=RecordType.CONTACT, db_default=RecordType.CONTACT
    )
    filename = models.CharField(max_length=500)
    file = models.CharField(max_length=1000, help_text="Where the storage keeps it.")
    file_size = models.PositiveBigIntegerField()
    import_type = models.CharField(max_length=20, choices=Kind, default=Kind.CSV)
    target_list = TenantForeignKey(
        ContactList, on_delete=models.SET_NULL, null=True, related_name="imports", db_index=False
    )
    settings = models.JSONField(
        default=dict, help_text="What to do with the file (contacts.incoming.Options) and which column is which."
    )
    layout = models.JSONField(null=True, help_text="What was found in the file: columns, first rows, encoding.")
    is_draft = models.BooleanField(
        default=False, db_default=False, help_text="Waits for somebody to look at the preview and start it."
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


class ImportPreview(Job):
    """A dry run: what an import would do with its file under some options, of which nothing is written.

    Its counts are those the import itself would have, as long as nobody changes contacts in between. `samples` holds
    the first rows of each kind, `field_changes` how many contacts' fields would change, by field.
    """

    task = "contacts.tasks.preview_import"
    noun = "import_preview"

    contact_import = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="previews", db_index=False)
    settings = models.JSONField(default=dict)
    total_rows = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    samples = models.JSONField(default=dict)
    field_changes = models.JSONField(default=dict)

    class Meta(Job.Meta):
        db_table = "import_previews"
        verbose_name = "import preview"
        indexes = [
            *Job.Meta.indexes,
            models.Index(fields=["organization", "contact_import"], name="previews_of_import"),
        ]

    def audit_counts(self) -> dict[str, int]:
        return {
            "total": self.total_rows,
            "created": self.created,
            "updated": self.updated,
            "skipped": self.skipped,
            "rejected": self.rejected,
        }

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {"importId": str(self.contact_import_id), "results": self.audit_counts()}


class ImportUndo(Job):
    """Takes back what an import did. Its counts say what became of the contacts the import made or changed.

    made = removed + kept + gone; changed = restored + partly_restored + unrestored + gone. `unlisted` are contacts
    taken off the list that the import put them on.
    """

    task = "contacts.tasks.run_undo"
    noun = "import_undo"

    contact_import = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="undos", db_index=False)
    removed = models.PositiveIntegerField(default=0, help_text="Made by the import, moved to the trash.")
    kept = models.PositiveIntegerField(default=0, help_text="Made by the import, but changed or used since.")
    restored = models.PositiveIntegerField(default=0, help_text="Changed by the import, wholly put back.")
    partly_restored = models.PositiveIntegerField(default=0, help_text="Some of the fields were changed since.")
    unrestored = models.PositiveIntegerField(default=0, help_text="All of the fields were changed since.")
    gone = models.PositiveIntegerField(default=0, help_text="In the trash or removed meanwhile.")
    unlisted = models.PositiveIntegerField(default=0)

    class Meta(Job.Meta):
        db_table = "import_undos"
        verbose_name = "undo of an import"
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "contact_import"],
                condition=models.Q(status__in=["pending", "processing", "completed"]),
                name="one_undo_per_import",
            )
        ]

    def audit_counts(self) -> dict[str, int]:
        names = ("removed", "kept", "restored", "partly_restored", "unrestored", "gone", "unlisted")
        return {name: getattr(self, name) for name in names}

    @property
    def results(self) -> dict[str, int]:
        """The counts under their API names."""
        return {
            "removed": self.removed,
            "kept": self.kept,
            "restored": self.restored,
            "partlyRestored": self.partly_restored,
            "unrestored": self.unrestored,
            "gone": self.gone,
            "unlisted": self.unlisted,
        }

    def progress_event(self) -> dict[str, Any]:
        return super().progress_event() | {"importId": str(self.contact_import_id), "results": self.results}


class ImportPreset(TenantModel):
    """Options and a mapping of columns under a name, for files that come again in the same form."""

    record_type = models.CharField(
        max_length=10, choices=record_choices, default=RecordType.CONTACT, db_default=RecordType.CONTACT
    )
    name = models.CharField(max_length=100)
    options = models.JSONField(default=dict)
    created_by = models.ForeignKey(
        "users.User", on_delete=models.SET_NULL, null=True, editable=False, related_name="+", db_index=False
    )

    class Meta:
        db_table = "import_presets"
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="one_import_preset_per_name")]
        indexes = [models.Index(fields=["organization", "-created_at", "-id"], name="import_presets_newest")]

    def __str__(self) -> str:
        return self.name


class ImportRejection(TenantRow):
    """A row that was not imported: where it stood, why, and its cells as they were.

    `field` is the column of the contact that is to blame, blank when it is the row as a whole.
    """

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    job = TenantForeignKey(ContactImport, on_delete=models.CASCADE, related_name="rejections", db_index=False)
    row = models.PositiveIntegerField()
    field = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=300)
    fix = models.CharField(max_length=300, blank=True, default="", db_default="")
    cells = models.JSONField()

    class Meta:
        db_table = "import_rejections"
        constraints = [models.UniqueConstraint(fields=["organization", "job", "row"], name="one_rejection_per_row")]

    def __str__(self) -> str:
        return f"row {self.row}: {self.error}"
