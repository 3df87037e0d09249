"""AES-256-GCM envelope: master key -> organization's key -> value.

A sealed text is `v1|<key id>|<base64 of nonce and ciphertext>`; the place it belongs to (organization, table,
column, row) is authenticated with it, so a ciphertext moved elsewhere does not open.
"""

import base64
import hashlib
import os
import uuid
from functools import lru_cache
from typing import cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from vocelio.crypto.models import OrganizationKey
from vocelio.errors import VocelioError
from vocelio.organizations.scope import current_organization_id, current_scope

NONCE_BYTES = 12


class Undecryptable(VocelioError):
    """The value was altered, moved, or its master key is not configured."""

    code = "UNDECRYPTABLE"
    status = 500
    message = "A stored secret could not be decrypted."


def seal(text: str, place: str) -> str:
    """Encrypt text for the open organization scope and one place in its tables."""
    key_id, key = _current_key()
    return f"v1|{key_id}|{_encrypt(key, text.encode(), _address(place))}"


def unseal(sealed: str, place: str) -> str:
    """Decrypt what seal() made for the same organization and place; raise Undecryptable."""
    version, _, rest = sealed.partition("|")
    key_id, _, ciphertext = rest.partition("|")
    if version != "v1":
        raise Undecryptable
    return _opened(_cipher(key_id), ciphertext, _address(place)).decode()


def wrap(master_key: bytes, key: bytes, organization_id: uuid.UUID) -> str:
    """Encrypt an organization's key by a master key."""
    return _encrypt(master_key, key, str(organization_id).encode())


def unwrap(wrapped: str, organization_id: uuid.UUID) -> tuple[bytes, bytes]:
    """Return an organization's key and the master key that opened it; raise Undecryptable."""
    for master_key in master_keys():
        try:
            return _decrypt(master_key, wrapped, str(organization_id).encode()), master_key
        except Undecryptable:
            continue
    raise Undecryptable


def master_keys() -> list[bytes]:
    """Return the configured master keys, newest first."""
    return [_master_key(text) for text in settings.MASTER_KEYS]


@lru_cache(maxsize=8)
def _master_key(text: str) -> bytes:
    # Any long random text will do; SHA-256 makes 256 bits of it.
    return hashlib.sha256(text.encode()).digest()


def _current_key() -> tuple[uuid.UUID, bytes]:
    entry = OrganizationKey.objects.order_by("-created_at", "-id").first()
    if entry is None:
        organization_id = current_organization_id()
        entry = OrganizationKey.objects.create(wrapped=wrap(master_keys()[0], os.urandom(32), organization_id))
    return entry.id, unwrap(entry.wrapped, entry.organization_id)[0]


def _cipher(key_id: str) -> AESGCM:
    # Asked for and opened once a unit of work, however many values it reads.
    known = current_scope().notes.setdefault(f"organization key {key_id}", [])
    if not known:
        entry = OrganizationKey.objects.filter(pk=uuid.UUID(key_id)).first()
        if entry is None:
            raise Undecryptable
        known.append(AESGCM(unwrap(entry.wrapped, entry.organization_id)[0]))
    return cast(AESGCM, known[0])


def _address(place: str) -> bytes:
    return f"{current_organization_id()}|{place}".encode()


def _encrypt(key: bytes, data: bytes, address: bytes) -> str:
    nonce = os.urandom(NONCE_BYTES)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, data, address)).decode()


def _decrypt(key: bytes, text: str, address: bytes) -> bytes:
    return _opened(AESGCM(key), text, address)


def _opened(cipher: AESGCM, text: str, address: bytes) -> bytes:
    try:
        data = base64.b64decode(text)
        return cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], address)
    except (InvalidTag, ValueError):
        raise Undecryptable from None
