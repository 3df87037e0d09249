"""Delete files once nobody needs them: uploads hold personal data of people who may be no contacts."""

from functools import partial

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from contacts.erasure import ErasedPerson
from contacts.models import ContactExport, ContactImport, ImportPreview, ImportRejection
from vocelio.audit.services import record
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import cancel_job
from vocelio.organizations.retention import kept_since

BATCH = 500
_ENDED = [JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED]


def purge_files() -> int:
    """Delete the open organization's files that are past their time; return how many.

    With an upload go its first rows and its rejected ones. A draft is an import that nobody started.
    """
    now = timezone.now()
    for job in ContactImport.objects.filter(
        is_draft=True, status=JobStatus.PENDING, created_at__lt=now - settings.RETENTION["import_drafts"]
    ):
        cancel_job(job)
    uploads = ContactImport.objects.filter(status__in=_ENDED).exclude(file="")
    old = [*uploads.filter(completed_at__lt=kept_since("uploads"))[:BATCH]]
    old += [*uploads.filter(is_draft=True, completed_at__lt=now - settings.RETENTION["import_drafts"])[:BATCH]]
    for job in old:
        ImportRejection.objects.filter(job=job).delete()
        _delete_upload(job)
    exports = ContactExport.objects.filter(completed_at__lt=kept_since("exports")).exclude(file="")
    for export in exports[:BATCH]:
        _delete_export(export)
        old.append(export)
    return len(old)


def erase_files(person: ErasedPerson) -> int:
    """Delete the files that may hold a person: all exports, and all uploads whose import has ended."""
    uploads = list(ContactImport.objects.filter(status__in=_ENDED).exclude(file=""))
    exports = list(ContactExport.objects.exclude(file=""))
    for job in uploads:
        _delete_upload(job)
    for export in exports:
        _delete_export(export)
    return len(uploads) + len(exports)


def _delete_upload(job: ContactImport) -> None:
    """Delete the file and what was shown of it."""
    transaction.on_commit(partial(default_storage.delete, job.file))
    ImportPreview.objects.filter(contact_import=job).update(samples={})
    ContactImport.objects.filter(pk=job.pk).update(file="", layout=None)
    record("import.file_deleted", job.resource, job.id)


def _delete_export(export: ContactExport) -> None:
    transaction.on_commit(partial(default_storage.delete, export.file))
    ContactExport.objects.filter(pk=export.pk).update(file="")
    record("export.file_deleted", export.resource, export.id)
