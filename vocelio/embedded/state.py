"""What bin/up found or made (server URLs, keys), kept in one file that only its user can read."""

import json
import os
from pathlib import Path


def read_state(data: Path) -> dict[str, str]:
    """Return the saved variables, empty when nothing was started here yet."""
    try:
        saved: dict[str, str] = json.loads((data / "state.json").read_text())
    except FileNotFoundError:
        return {}
    return saved


def write_state(data: Path, values: dict[str, str]) -> None:
    """Replace the saved variables atomically, readable by the user alone."""
    temporary = data / "state.json.new"
    temporary.touch(mode=0o600)
    temporary.write_text(json.dumps(values, indent=1))
    os.replace(temporary, data / "state.json")
