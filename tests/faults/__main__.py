"""Run the faults named on the command line, or all of them; exit 1 when one is not survived."""

import os
import sys
import time
import traceback

from tests.faults import processes, services, upgrades
from tests.faults.installation import say

FAULTS = {
    fault.__name__: fault
    for fault in (
        processes.kill_9,
        processes.kill_supervisor,
        services.database_restart,
        services.redis_loss,
        services.disk_full,
        services.clock_skew,
        processes.duplicate_delivery,
        processes.two_beats,
        upgrades.rolling_upgrade,
    )
}


def main(names: list[str]) -> int:
    if unknown := set(names) - set(FAULTS):
        say(f"There are: {', '.join(FAULTS)}; not {', '.join(unknown)}")
        return 2
    failed = []
    for name in names or FAULTS:
        say(f"{name}: {FAULTS[name].__doc__}  (load {os.getloadavg()[0]:.1f})")
        began = time.monotonic()
        try:
            FAULTS[name]()
        except Exception:
            traceback.print_exc()
            failed.append(name)
        say(f"  {'NOT SURVIVED' if name in failed else 'survived'}, {time.monotonic() - began:.0f} s\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
