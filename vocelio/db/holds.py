"""Keep everything inside: a restored backup must not send again what was sent after it was taken.

Tasks whose work leaves the installation (mail, messages, CRM calls) are decorated with @outgoing and do nothing while
a hold stands; what they would have done stays due. `manage.py restore` sets it, `release_outgoing` ends it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec, TypeVar

from vocelio.db.models import OutgoingHold

P = ParamSpec("P")
R = TypeVar("R")

# Names of all tasks so decorated, as the functions bear them: "module.name".
OUTGOING: set[str] = set()
# When a doorbell is due that a restore parked: never.
PARKED = datetime(9999, 1, 1, tzinfo=UTC)


def current_hold() -> OutgoingHold | None:
    """Return the hold that stands, if any."""
    return OutgoingHold.objects.first()


def outgoing(function: Callable[P, R]) -> Callable[P, R | None]:
    """Decorate a task that reaches other people's servers or mailboxes: while a hold stands it does nothing."""
    OUTGOING.add(f"{function.__module__}.{function.__name__}")

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R | None:
        return None if OutgoingHold.objects.exists() else function(*args, **kwargs)

    return run
