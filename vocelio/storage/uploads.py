"""The way in past the web processes: a signed form, valid five minutes, for one file of limited size.

A bucket takes the form itself (POST policy). With a folder the form leads to this server, in the same shape, so that
clients have one way. The file is then named by its key where a file would be uploaded, is checked there by what it
holds like any other, and is gone once it was taken.
"""

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.core import signing
from django.core.files.base import File
from django.core.files.storage import default_storage, storages
from django.db import transaction
from django.utils import timezone

from vocelio.audit.services import record
from vocelio.errors import Forbidden, Invalid, TooLarge
from vocelio.organizations.scope import current_organization_id, organization_scope
from vocelio.storage.downloads import is_remote

FOLDER = "uploads"
FORM_SECONDS = 300
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KEY = re.compile(rf"{FOLDER}/({_UUID})/{_UUID}")
_SALT = "vocelio.storage.uploads"


@dataclass(frozen=True)
class UploadForm:
    """Where a client posts its file, as multipart/form-data: these fields first, the file last as `file`."""

    key: str
    url: str
    fields: dict[str, str]
    max_bytes: int
    expires_at: datetime


def presign_upload() -> UploadForm:
    """Return the form for one new file of the open organization."""
    key = f"{FOLDER}/{current_organization_id()}/{uuid.uuid4()}"
    limit = settings.MAX_UPLOAD_BYTES
    if is_remote():
        url, fields = _bucket_form(key, limit)
    else:
        url = f"{settings.PUBLIC_URL}/v1/uploads/files"
        fields = {"key": key, "policy": signing.dumps([key, limit], salt=_SALT)}
    record("file.upload_presigned", "file", key.rpartition("/")[2])
    return UploadForm(key, url, fields, limit, timezone.now() + timedelta(seconds=FORM_SECONDS))


def receive_upload(*, key: str, policy: str, file: "File[bytes]") -> None:
    """Keep the file of a form that this server signed, as a bucket would; raise Forbidden for any other form."""
    try:
        signed_key, limit = signing.loads(policy, salt=_SALT, max_age=FORM_SECONDS)
    except signing.BadSignature:
        raise Forbidden("The form is not signed by this server, or its five minutes are over.") from None
    if is_remote() or key != signed_key:
        raise Forbidden("The form is signed for another file.")
    if file.size > limit:
        raise TooLarge
    with organization_scope(uuid.UUID(key.split("/")[1])):
        # A form sent again replaces the file, in a bucket as well.
        default_storage.delete(key)
        default_storage.save(key, file)
        record("file.uploaded", "file", key.rpartition("/")[2], fileSize=file.size)


def open_upload(key: str, *, filename: str) -> "File[bytes]":
    """Open a file that was uploaded by a form of the open organization; it is deleted when the transaction commits.

    Raise Invalid alike for keys of other organizations, keys nobody made and files that are not there (any more).
    """
    found = KEY.fullmatch(key)
    if found is None or found[1] != str(current_organization_id()) or not default_storage.exists(key):
        message = "There is no uploaded file of this key. Ask for a form, send the file, then name its key."
        raise Invalid.field("key", message, value=key, constraint="does_not_exist")
    if default_storage.size(key) > settings.MAX_UPLOAD_BYTES:
        raise TooLarge
    file = cast("File[bytes]", default_storage.open(key))
    file.name = filename
    transaction.on_commit(partial(default_storage.delete, key))
    return file


def _bucket_form(key: str, limit: int) -> tuple[str, dict[str, str]]:
    storage: Any = storages["links"]
    answer = storage.connection.meta.client.generate_presigned_post(
        storage.bucket_name,
        key,
        Conditions=[["content-length-range", 1, limit]],
        ExpiresIn=FORM_SECONDS,
    )
    return answer["url"], answer["fields"]
