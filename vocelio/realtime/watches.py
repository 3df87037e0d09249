"""Watches: a subscription is told that what it shows is out of date, at most every few seconds however much happens."""

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from vocelio.realtime.history import Message
from vocelio.realtime.topics import Subscription

if TYPE_CHECKING:
    from vocelio.realtime.hub import Socket

# Events that come within this time are told as one.
QUIET_SECONDS = 2.0


class Watch:
    """One subscription's view of other topics: gathers which parts their events touch, and says so once."""

    def __init__(self, socket: "Socket", subscription: Subscription, sources: Mapping[str, Collection[str]]) -> None:
        self.sources = sources
        self._socket, self._subscription = socket, subscription
        self._stale: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def note(self, message: Message) -> None:
        """Take note of an event of a source; one about records the viewer does not see changes nothing they see."""
        viewer = self._socket.viewer
        if viewer is None or not viewer.sees(message["owners"], unless_told=True):
            return
        self._stale.update(self.sources[message["topic"]])
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(QUIET_SECONDS, self._tell)

    def end(self) -> None:
        """Say nothing more."""
        if self._timer is not None:
            self._timer.cancel()
        self._stale.clear()

    def _tell(self) -> None:
        self._timer = None
        parts, self._stale = sorted(self._stale), set()
        topic = self._subscription.topic
        # What was computed before this moment may lack what happened.
        moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        data = {topic.key: self._subscription.key, "stale": parts, "changedAt": moment}
        self._socket.offer(orjson.dumps({"type": topic.stale_event, "data": data}).decode())
