"""The way out: a bucket serves its files itself, by an address of a minute; a folder's are streamed."""

from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage, storages
from django.http import FileResponse, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.utils.http import content_disposition_header
from drf_spectacular.utils import OpenApiResponse

from vocelio.errors import NotFound

# As long as a client needs to follow a redirect.
LINK_SECONDS = 60
REDIRECT = OpenApiResponse(description="The file lies in a bucket: to an address there, valid a minute.")
# Files come from strangers: never guessed at, never shown inside the page's origin.
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store"}


def is_remote() -> bool:
    """Say whether the files lie in a bucket, which clients reach themselves."""
    return "links" in settings.STORAGES


def link_to(name: str, *, seconds: int, **says: str) -> str:
    """Return an address of a bucket's file that holds for so long, for whoever has it; "" where there is no bucket."""
    return storages["links"].url(name, parameters=says, expire=seconds) if is_remote() else ""  # type: ignore[call-arg]


def file_answer(name: str, *, filename: str, content_type: str) -> HttpResponseBase:
    """Answer a stored file as an attachment of this name and type; raise NotFound when it is gone.

    Whoever calls this has judged that the caller may have the file.
    """
    if not name or not default_storage.exists(name):
        raise NotFound("The file is no longer in the storage.")
    disposition = content_disposition_header(True, filename) or "attachment"
    if is_remote():
        says = {"ResponseContentDisposition": disposition, "ResponseContentType": content_type}
        return HttpResponseRedirect(link_to(name, seconds=LINK_SECONDS, **says), headers=HEADERS)
    if settings.FILES_ACCEL_PREFIX:
        # nginx sends the file, so that a slow client keeps no thread busy.
        answer = HttpResponse(headers={**HEADERS, "Content-Disposition": disposition}, content_type=content_type)
        answer["X-Accel-Redirect"] = quote(f"{settings.FILES_ACCEL_PREFIX}{name}")
        return answer
    file = default_storage.open(name)
    return FileResponse(file, as_attachment=True, filename=filename, content_type=content_type, headers=HEADERS)
