"""Where the embedded servers keep their files, sockets and programs, and as whom they run."""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from vocelio.embedded.process import Account


class HomeError(Exception):
    """The embedded servers have no place to run; the text says what to do."""


@dataclass(frozen=True)
class Home:
    """`files` lasts, `run` holds the sockets of one run: a path short enough for one (107 bytes, 103 on macOS)."""

    files: Path
    run: Path
    account: Account | None

    def can_enter(self, path: Path) -> bool:
        """Whether the servers' user reaches `path` through every folder above it."""
        if self.account is None:
            return True
        probe = subprocess.run(  # noqa: S603
            ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
            cwd="/",
            user=self.account.uid,
            group=self.account.gid,
            extra_groups=[],
            check=False,
        )
        return probe.returncode == 0

    def give(self, path: Path) -> None:
        """Hand a new file or folder to the servers' user."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid, follow_symlinks=False)

    def folder(self, name: str) -> Path:
        """A private folder below `files`, made when missing."""
        path = self.files / name
        if not path.exists():
            path.mkdir(mode=0o700)
            self.give(path)
        return path

    def installed(self, *names: str) -> Path:
        """The folder that holds the installed `names`: site-packages, or a copy the servers' user can read."""
        spec = find_spec(Path(names[0]).parts[0])
        if spec is None or spec.origin is None:
            raise HomeError("The embedded servers are not installed; set DATABASE_URL and REDIS_URL.")
        packages = Path(spec.origin).parent.parent
        if self.can_enter(packages / names[0]):
            return packages
        copies = self.files / "programs"
        for name in names:
            shutil.rmtree(copies / name, ignore_errors=True)
            shutil.copytree(packages / name, copies / name, symlinks=True)
        for path in (copies, *copies.rglob("*")):
            self.give(path)
        return copies


def make_home(data: Path) -> Home:
    """Choose the places for servers whose data belongs to `data`; the caller removes `run` at the end."""
    # Below /tmp whatever TMPDIR says: a socket's path is limited, and a random private folder cannot be foreseen.
    run = Path(tempfile.mkdtemp(prefix="vocelio-", dir="/tmp"))
    if os.geteuid() != 0:
        return Home(data, run, None)
    nobody = pwd.getpwnam("nobody")
    home = Home(data, run, Account(nobody.pw_uid, nobody.pw_gid))
    home.give(run)
    if not home.can_enter(data):
        data.chmod(0o711)
    if home.can_enter(data):
        return home
    # A checkout below a closed folder such as /root: only a place outside can be reached by another user.
    outside = Path("/var/lib/vocelio") / hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    outside.mkdir(parents=True, exist_ok=True)
    return Home(outside, run, home.account)
