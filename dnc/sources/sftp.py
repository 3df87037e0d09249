"""A folder of an SFTP server, whose host key must be the one that was configured."""

import base64
import hashlib
import io
import socket
from collections.abc import Iterator
from typing import Any

import paramiko

from dnc.sources import Errand, Fetched, Place, PluginError
from vocelio.errors import VocelioError
from vocelio.outbound import reachable_address

TIMEOUT = 30
MOST_BYTES = 256 * 1024 * 1024


class Sftp(Place):
    """`hostKey` is the fingerprint as `ssh-keygen -l` prints it: SHA256:...; the secret is a password or a private key."""

    slug = "sftp"
    label = "SFTP"
    required = ("host", "user", "folder", "hostKey")
    optional = ("port",)
    needs_secret = True

    def fetch(self, errand: Errand) -> Iterator[Fetched]:
        settings = errand.settings
        host, port = str(settings["host"]), int(settings.get("port", 22))
        try:
            connection = socket.create_connection((reachable_address(host, port), port), TIMEOUT)
        except VocelioError as error:
            raise PluginError(error.message, permanent=True, code=error.code) from error
        except OSError as error:
            raise PluginError(f"{host} cannot be reached: {error}.", permanent=False, code="unreachable") from error
        transport = paramiko.Transport(connection)
        try:
            transport.start_client(timeout=TIMEOUT)
            if fingerprint(transport.get_remote_server_key()) != settings["hostKey"].rstrip("="):
                raise PluginError(f"{host} shows another host key.", permanent=True, code="host_key")
            self._sign_in(transport, str(settings["user"]), errand.secret)
            yield from self._files(transport, errand)
        except paramiko.AuthenticationException as error:
            raise PluginError(f"{host} refuses the credentials.", permanent=True, code="refused") from error
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise PluginError(f"{host}: {error}.", permanent=False, code="sftp") from error
        finally:
            transport.close()

    def _sign_in(self, transport: paramiko.Transport, user: str, secret: str) -> None:
        if "PRIVATE KEY" not in secret:
            transport.auth_password(user, secret)
            return
        for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
            try:
                key: Any = kind.from_private_key(io.StringIO(secret))
            except paramiko.SSHException:
                continue
            transport.auth_publickey(user, key)
            return
        raise PluginError("The private key cannot be read.", permanent=True, code="bad_key")

    def _files(self, transport: paramiko.Transport, errand: Errand) -> Iterator[Fetched]:
        client = paramiko.SFTPClient.from_transport(transport)
        if client is None:
            raise PluginError("The server offers no SFTP.", permanent=True, code="sftp")
        folder = str(errand.settings["folder"]).rstrip("/")
        for entry in sorted(client.listdir_attr(folder), key=lambda each: (each.st_mtime or 0, each.filename)):
            path = f"{folder}/{entry.filename}"
            name = f"{path}@{entry.st_mtime}#{entry.st_size}"
            # Directories and hidden files are somebody else's.
            if errand.is_known(name) or entry.filename.startswith(".") or (entry.st_mode or 0) & 0o040000:
                continue
            if (entry.st_size or 0) > MOST_BYTES:
                raise PluginError(f"{entry.filename} is larger than 256 MB.", permanent=True, code="too_large")
            with client.open(path) as file:
                yield Fetched(name, entry.filename, file.read())


def fingerprint(key: paramiko.PKey) -> str:
    """Return SHA256:... as ssh-keygen prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
