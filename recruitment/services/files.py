"""Keep candidates' documents."""

import hashlib
import unicodedata
import uuid
import zipfile
from pathlib import PurePath

from django.core.files.base import File
from django.core.files.storage import default_storage

from contacts.services.profiles import Action, log_profile_change
from recruitment.models import CandidateFile, CandidateProfile, DiscardedFile
from recruitment.services.profiles import KIND
from vocelio.audit.context import current_actor
from vocelio.errors import Conflict, TooLarge, VocelioError
from vocelio.jobs.services import promise_task
from vocelio.organizations.scope import organization_scope

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_FILES = 20
TASK = "recruitment.tasks.read_candidate_file"
# Of a batch that is removed from the storage in one go.
BATCH = 500


class NotADocument(VocelioError):
    code = "NOT_A_DOCUMENT"
    status = 422
    message = "The file is neither a PDF nor a Word document (.docx). Save it as one of these and upload that."


class TooManyFiles(Conflict):
    code = "TOO_MANY_FILES"
    message = f"A candidate has at most {MAX_FILES} files. Delete one that is no longer needed."


def detect_document(file: "File[bytes]") -> str:
    """Return `pdf` or `docx` by what the file holds, whatever its name says; raise NotADocument otherwise."""
    file.seek(0)
    head = file.read(1024)
    file.seek(0)
    # Readers look for the header within the first kilobyte (PDF 32000-1, annex H, note 13).
    if b"%PDF-" in head:
        return CandidateFile.Kind.PDF
    if head.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(file) as archive:
                names = set(archive.namelist())
        except (zipfile.BadZipFile, ValueError, NotImplementedError):
            names = set()
        file.seek(0)
        # ECMA-376 part 2: every package says what its parts are; Word's main part stands here.
        if {"[Content_Types].xml", "word/document.xml"} <= names:
            return CandidateFile.Kind.DOCX
    raise NotADocument(field="file", value=None, constraint="content")


def add_file(*, profile: CandidateProfile, file: "File[bytes]") -> CandidateFile:
    """Store a document and promise to read it; raise TooLarge, NotADocument or TooManyFiles."""
    if file.size > MAX_FILE_BYTES:
        raise TooLarge("The file is larger than 10 MB.")
    kind = detect_document(file)
    CandidateProfile.objects.select_for_update().get(pk=profile.pk)
    if CandidateFile.objects.filter(profile=profile).count() >= MAX_FILES:
        raise TooManyFiles
    row = CandidateFile(
        profile=profile,
        filename=clean_name(file.name or "", kind),
        kind=kind,
        size=file.size,
        sha256=_sha256(file),
        created_by_id=current_actor().user_id,
    )
    row.file = default_storage.save(f"candidates/{row.organization_id}/{row.pk}.{kind}", file)
    row.save(force_insert=True)
    log_profile_change(kind=KIND, profile=profile, action=Action.FILE_ADDED, changed=["files"])
    promise_task(TASK, organization_id=row.organization_id, row_id=row.pk)
    return row


def delete_file(*, file: CandidateFile) -> None:
    """Delete the row; the storage's copy follows soon, by what the trigger noted."""
    profile = file.profile
    CandidateFile.objects.filter(pk=file.pk).delete()
    log_profile_change(kind=KIND, profile=profile, action=Action.FILE_DELETED, changed=["files"])


def remove_discarded_files(organization_id: uuid.UUID) -> int:
    """Remove from the storage what an organization's deleted rows left there, a batch of it; return how many.

    Outside any scope, since the storage may be far away. Removing a file twice does no harm.
    """
    with organization_scope(organization_id):
        rows = list(DiscardedFile.objects.order_by("created_at", "id")[:BATCH])
    for row in rows:
        default_storage.delete(row.file)
    if rows:
        with organization_scope(organization_id):
            DiscardedFile.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def clean_name(name: str, kind: str) -> str:
    """Return a file name that is safe in a header and on any disk, with the ending of what the file is."""
    stem = PurePath(name.replace("\\", "/")).stem
    kept = "".join(
        character for character in stem if unicodedata.category(character)[0] in "LNM" or character in " -_()."
    )
    return f"{kept.strip(' .')[:200] or 'document'}.{kind}"


def _sha256(file: "File[bytes]") -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
