"""The clock of a fake, which tests move and stop."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar


class Clock:
    """A vendor's time."""

    # Steps of the vendor's change times: the clock never shows more.
    resolution: ClassVar[timedelta] = timedelta(milliseconds=1)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.shift = timedelta()
        self.frozen: datetime | None = None

    @property
    def now(self) -> datetime:
        now = self.frozen or datetime.now(UTC) + self.shift
        return now - (now - datetime.min.replace(tzinfo=UTC)) % self.resolution

    def advance(self, seconds: float) -> None:
        """Move the vendor's clock."""
        self.shift += timedelta(seconds=seconds)
        if self.frozen:
            self.frozen += timedelta(seconds=seconds)
