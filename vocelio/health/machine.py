"""How busy this machine or container is, from what Linux says; other systems say less."""

import os
import time
from pathlib import Path

STARTED = time.monotonic()
CGROUP, PROC = Path("/sys/fs/cgroup"), Path("/proc")


def uptime() -> int:
    """Return for how many seconds this process has served."""
    return int(time.monotonic() - STARTED)


def memory_usage() -> str:
    """Return the share of memory in use: the container's where it is limited, else the machine's."""
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
        if limit.isdigit():
            return percent(int((CGROUP / "memory.current").read_text()) / int(limit))
    except OSError:
        pass  # No cgroup of version 2: the machine's own figures follow.
    try:
        lines = dict(line.split(":") for line in (PROC / "meminfo").read_text().splitlines())
    except OSError:
        return "unknown"
    free, total = (int(lines[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
    return percent(1 - free / total)


def cpu_usage() -> str:
    """Return the load of the last minute per processor."""
    return percent(os.getloadavg()[0] / (os.cpu_count() or 1))


def percent(share: float) -> str:
    return f"{min(100, max(0, round(share * 100)))}%"
