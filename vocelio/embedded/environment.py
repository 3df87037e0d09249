"""Make .venv and bring it up to date with a requirements file: `environment.py requirements.txt`.

Runs by its path in whatever Python bin/venv found, so it imports nothing but the standard library.
"""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin/python"


def say(line: str) -> None:
    sys.stderr.write(f"venv     | {line}\n")
    sys.stderr.flush()


def works() -> bool:
    """Whether .venv is whole: its Python starts and has pip."""
    if not PYTHON.exists():
        return False
    return subprocess.run([PYTHON, "-c", "import pip"], capture_output=True, check=False).returncode == 0  # noqa: S603


def fingerprint() -> str:
    """Changes with any requirements file, and when .venv is made anew or moved."""
    files = sorted(PROJECT.glob("requirements*.txt"))
    return hashlib.sha256(b"\0".join([bytes(VENV), *(file.read_bytes() for file in files)])).hexdigest()


def make() -> None:
    if VENV.exists():
        shutil.rmtree(VENV)
    say(f"Making .venv with Python {sys.version.split()[0]}")
    try:
        venv.create(VENV, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:
        sys.exit("This Python cannot make virtual environments with pip; on Debian: apt-get install python3-venv")


def install(requirements: str) -> None:
    say(f"Installing {requirements}; the first time takes a minute or two")
    pip = subprocess.Popen(  # noqa: S603
        [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off", "-r", requirements],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert pip.stdout is not None  # noqa: S101
    for line in pip.stdout:
        if line.startswith(("Collecting ", "Building ", "Installing ")):
            say("  " + line.strip()[:90])
    if pip.wait():
        sys.exit(f"pip could not install {requirements} (see above)")


def main(requirements: str) -> None:
    """Leave .venv with everything `requirements` lists; two at the same time wait for each other."""
    with (PROJECT / ".venv.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        stamp = VENV / f"{requirements}.sha256"
        if Path(sys.prefix) == VENV and stamp.exists() and stamp.read_text() == fingerprint():
            return
        if not works():
            make()
        install(requirements)
        stamp.write_text(fingerprint())


if __name__ == "__main__":
    main(sys.argv[1])
