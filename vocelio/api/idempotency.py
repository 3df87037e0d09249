"""Idempotency-Key: the same key and body replays the stored answer, another body is refused."""

import hashlib
from typing import cast

import orjson
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db.models.functions import Now
from django.http import QueryDict
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.access.principal import Principal
from vocelio.api.models import IdempotencyKey
from vocelio.errors import Invalid, VocelioError
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

HEADER = "Idempotency-Key"


class KeyReused(VocelioError):
    code = "IDEMPOTENCY_KEY_REUSED"
    status = 422
    message = "This Idempotency-Key was used for another request."


class StoredAnswer(Exception):
    """The request was carried out before; its answer is repeated."""

    def __init__(self, status: int, body: str) -> None:
        super().__init__(status)
        self.response = Response(
            orjson.loads(body) if body else None, status=status, headers={"Idempotency-Replayed": "true"}
        )


def claim_key(request: Request, caller: Principal) -> IdempotencyKey | None:
    """Insert the request's key into the open transaction; raise StoredAnswer when it was answered before.

    A parallel request with the same key waits here for the first to commit.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return None
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid.field(HEADER, "An Idempotency-Key has 1 to 255 printable characters.", constraint="length")
    entry = IdempotencyKey(user_id=caller.user_id, key=key, fingerprint=fingerprint(request))
    mine = IdempotencyKey.objects.filter(user_id=caller.user_id, key=key)
    mine.filter(created_at__lt=Now() - settings.RETENTION["idempotency_keys"]).delete()
    IdempotencyKey.objects.bulk_create([entry], ignore_conflicts=True)
    stored: IdempotencyKey = mine.get()
    if stored.id == entry.id:
        return stored
    if stored.fingerprint != entry.fingerprint:
        raise KeyReused
    raise StoredAnswer(stored.status or 200, stored.body)


def purge_keys() -> int:
    """Delete every organization's keys past their time; return how many."""
    purged = 0
    for organization_id in Organization.objects.values_list("id", flat=True):
        with organization_scope(organization_id):
            purged += IdempotencyKey.objects.filter(
                created_at__lt=Now() - settings.RETENTION["idempotency_keys"]
            ).delete()[0]
    return purged


def keep_answer(entry: IdempotencyKey, response: Response) -> None:
    """Store a success with its effect; errors roll back and free the key."""
    entry.status, entry.body = response.status_code, orjson.dumps(response.data, default=str).decode()
    entry.save(update_fields=["status", "body"])


def fingerprint(request: Request) -> str:
    """Return a digest of what was asked: method, path, query and content, uploaded files included."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type.startswith("multipart/"):
        for name, values in sorted(cast(QueryDict, request.data).lists()):
            for value in values:
                digest.update(f"{name}=".encode())
                if isinstance(value, UploadedFile):
                    for chunk in value.chunks():
                        digest.update(chunk)
                    value.seek(0)
                else:
                    digest.update(str(value).encode())
    else:
        digest.update(orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS))
    return digest.hexdigest()
