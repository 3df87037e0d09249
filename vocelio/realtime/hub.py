"""The hub: one per process. One Redis subscription, each event read and encoded once, delivery by hand.

Redis only rings here too. Events of an organization carry numbers without gaps; the hub delivers them in order,
and reads from PostgreSQL what Redis lost, brought out of order, or could not bring.
"""

import asyncio
import logging
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

import orjson
from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import Error as DatabaseError
from prometheus_client import Counter, Gauge
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from vocelio.realtime.history import Message, heads_of, messages_after
from vocelio.realtime.publish import redis_channel
from vocelio.realtime.rights import GROUP
from vocelio.realtime.topics import Subscription
from vocelio.realtime.viewers import Viewer
from vocelio.realtime.watches import Watch

logger = logging.getLogger(__name__)

# How long a lost push can go unnoticed: one query for all organizations with sockets here.
HEADS_SECONDS = 2.0
# How long a changed right can go unnoticed when Redis lost the hint.
RECHECK_SECONDS = 60.0
RETRY_SECONDS = 0.5
CATCH_UP_BATCH = 200
# A client that is this many frames behind is disconnected and catches up by GET /events.
QUEUE_FRAMES = 1000

SOCKETS = Gauge("vocelio_sockets", "WebSockets authenticated now.", multiprocess_mode="livesum")
FRAMES = Counter("vocelio_socket_frames", "Event frames queued to WebSockets.")


class Socket:
    """One connection as the hub sees it: who looks, what they follow, and the frames on their way."""

    def __init__(self, overflow: Callable[[], None], recheck: Callable[[], Awaitable[None]]) -> None:
        self.viewer: Viewer | None = None
        self.subscriptions: set[Subscription] = set()
        self.watches: dict[Subscription, Watch] = {}
        self.queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_FRAMES)
        self.recheck = recheck
        self._overflow = overflow

    def offer(self, text: str) -> None:
        """Queue a frame without waiting; a full queue ends the connection, so that nobody waits for the slow."""
        try:
            self.queue.put_nowait(text)
        except asyncio.QueueFull:
            self._overflow()

    async def write(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        """Send queued frames until cancelled, past Channels' own dispatch, which costs more than the sending."""
        while True:
            await send({"type": "websocket.send", "text": await self.queue.get()})

    def follows(self, message: Message) -> bool:
        assert self.viewer is not None  # noqa: S101 - the hub knows authenticated sockets only
        return any(
            subscription.matches(message["key"], message["frame"]["data"])
            and subscription.topic.shown_to(self.viewer, message["owners"])
            for subscription in self.subscriptions
            if subscription.topic.name == message["topic"]
        )


class Feed:
    """One organization's events in this process: how far they were delivered, and to whom they go."""

    def __init__(self, organization_id: uuid.UUID) -> None:
        self.organization_id = organization_id
        self.sockets: set[Socket] = set()
        self.followers: defaultdict[str, set[Socket]] = defaultdict(set)
        self.watches: defaultdict[str, set[Watch]] = defaultdict(set)
        # Delivered up to here; None until the head has been read.
        self.sequence: int | None = None
        # The highest number heard of.
        self.heard = 0
        self.opening: asyncio.Task[None] | None = None
        self.catching_up = False

    def deliver(self, message: Message) -> None:
        """Queue the event to those who follow it, encoded once."""
        self.sequence = message["frame"]["sequence"]
        followers = [socket for socket in self.followers[message["topic"]] if socket.follows(message)]
        if followers:
            text = orjson.dumps(message["frame"]).decode()
            for socket in followers:
                socket.offer(text)
            FRAMES.inc(len(followers))
        for watch in self.watches.get(message["topic"], ()):
            watch.note(message)

    def forget(self, watch: Watch | None) -> None:
        """Let the watch hear nothing more."""
        if watch is not None:
            watch.end()
            for topic in watch.sources:
                self.watches[topic].discard(watch)


class Hub:
    """All sockets of this process."""

    def __init__(self) -> None:
        self._feeds: dict[uuid.UUID, Feed] = {}
        self._pubsub: PubSub | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._is_running = False

    async def join(self, socket: Socket) -> int:
        """Begin to deliver to the socket; return the number after which it misses nothing."""
        assert socket.viewer is not None  # noqa: S101
        if not self._is_running:
            self._is_running = True
            for loop in (self._listen, self._watch_heads, self._hear_rights, self._recheck_all):
                self.spawn(loop())
        organization_id = socket.viewer.principal.organization_id
        feed = self._feeds.get(organization_id)
        if feed is None:
            feed = self._feeds[organization_id] = Feed(organization_id)
            feed.opening = self.spawn(self._open(feed))
        feed.sockets.add(socket)
        SOCKETS.inc()
        try:
            # One socket that leaves meanwhile must not cancel the opening for the others.
            await asyncio.shield(feed.opening)  # type: ignore[arg-type]
        except DatabaseError:
            self.leave(socket)
            raise
        assert feed.sequence is not None  # noqa: S101
        return feed.sequence

    def leave(self, socket: Socket) -> None:
        """Deliver nothing more to the socket. Leaving twice does no harm."""
        feed = self._feed_of(socket)
        if feed is None or socket not in feed.sockets:
            return
        SOCKETS.dec()
        feed.sockets.discard(socket)
        for followers in feed.followers.values():
            followers.discard(socket)
        for watch in socket.watches.values():
            feed.forget(watch)
        if not feed.sockets:
            del self._feeds[feed.organization_id]
            self.spawn(self._unsubscribe(feed.organization_id))

    def follow(
        self, socket: Socket, subscription: Subscription, sources: Mapping[str, Collection[str]] | None = None
    ) -> int:
        """Add a subscription; return the number after which all its events are delivered.

        `sources` are the topics that make what it shows out of date; said again, they replace those before.
        """
        feed = self._feed_of(socket)
        assert feed is not None  # noqa: S101
        assert feed.sequence is not None  # noqa: S101
        socket.subscriptions.add(subscription)
        feed.followers[subscription.topic.name].add(socket)
        feed.forget(socket.watches.pop(subscription, None))
        if sources:
            watch = socket.watches[subscription] = Watch(socket, subscription, sources)
            for topic in sources:
                feed.watches[topic].add(watch)
        return feed.sequence

    def unfollow(self, socket: Socket, subscription: Subscription) -> None:
        """End a subscription of the socket."""
        socket.subscriptions.discard(subscription)
        feed = self._feed_of(socket)
        name = subscription.topic.name
        if feed is not None:
            feed.forget(socket.watches.pop(subscription, None))
        if feed is not None and not any(other.topic.name == name for other in socket.subscriptions):
            feed.followers[name].discard(socket)

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        """Run a coroutine beside the others; the event loop alone would let go of it."""
        task: asyncio.Task[Any] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A task of the hub failed", exc_info=error)

    def _feed_of(self, socket: Socket) -> Feed | None:
        return self._feeds.get(socket.viewer.principal.organization_id) if socket.viewer else None

    async def _open(self, feed: Feed) -> None:
        """Subscribe first, then read the head: whatever commits in between is heard or read."""
        if self._pubsub is not None:
            try:
                await self._pubsub.subscribe(redis_channel(feed.organization_id))
            except (RedisError, OSError):
                logger.warning("Redis went away; events come from the database until it is back")
        try:
            heads = await in_thread(heads_of)([feed.organization_id])
        except DatabaseError:
            self._feeds.pop(feed.organization_id, None)
            raise
        feed.sequence = heads.get(feed.organization_id, 0)
        self._hear(feed, feed.heard)

    async def _unsubscribe(self, organization_id: uuid.UUID) -> None:
        if self._pubsub is not None and organization_id not in self._feeds:
            try:
                await self._pubsub.unsubscribe(redis_channel(organization_id))
            except (RedisError, OSError):
                logger.debug("Redis went away; a new connection subscribes to what is needed then")

    def _channels(self) -> Iterable[str]:
        # The first channel belongs to nobody: a subscription without channels could not be listened to.
        return [redis_channel(uuid.UUID(int=0)), *map(redis_channel, self._feeds)]

    async def _listen(self) -> None:
        """Hold the one subscription; when Redis goes away, come back with all channels."""
        client = Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=2,
            health_check_interval=10,
            retry=Retry(NoBackoff(), 0),
        )
        while True:
            try:
                async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
                    await pubsub.subscribe(*self._channels())
                    self._pubsub = pubsub
                    # Those who joined while the first call was under way.
                    await pubsub.subscribe(*self._channels())
                    while True:
                        if message := await pubsub.get_message(timeout=5.0):
                            self._receive(orjson.loads(message["data"]), message["channel"].decode())
                            # A burst is read without waiting; let the writers drain their queues in between.
                            await asyncio.sleep(0)
            except (RedisError, OSError) as error:
                self._pubsub = None
                logger.warning("Events come from the database until Redis is back", extra={"error": str(error)})
                await asyncio.sleep(RETRY_SECONDS)

    def _receive(self, message: Message, channel: str) -> None:
        feed = self._feeds.get(uuid.UUID(channel.rpartition(":")[2]))
        if feed is None:
            return
        sequence = message["frame"]["sequence"]
        if feed.sequence is not None and sequence == feed.sequence + 1:
            feed.deliver(message)
        else:
            self._hear(feed, sequence)

    def _hear(self, feed: Feed, sequence: int) -> None:
        """Take note that this event exists; read up to it if it has not been delivered."""
        feed.heard = max(feed.heard, sequence)
        if feed.sequence is not None and feed.sequence < feed.heard and not feed.catching_up:
            feed.catching_up = True
            self.spawn(self._catch_up(feed))

    async def _catch_up(self, feed: Feed) -> None:
        try:
            while feed.sockets and feed.sequence is not None and feed.sequence < feed.heard:
                after = feed.sequence
                for message in await in_thread(messages_after)(feed.organization_id, after, CATCH_UP_BATCH):
                    if message["frame"]["sequence"] > feed.sequence:
                        feed.deliver(message)
                if feed.sequence == after:
                    # Purged or restored from a backup: nothing is left to deliver.
                    feed.sequence = feed.heard
                # Let the writers work before the next batch fills their queues.
                await asyncio.sleep(0)
        except DatabaseError as error:
            logger.warning("Events wait for the database", extra={"error": str(error)})
        finally:
            feed.catching_up = False

    async def _watch_heads(self) -> None:
        """Find out about events whose push was lost, whatever became of Redis."""
        while True:
            await asyncio.sleep(HEADS_SECONDS)
            try:
                heads = await in_thread(heads_of)(list(self._feeds))
            except DatabaseError as error:
                logger.warning("Event numbers could not be read", extra={"error": str(error)})
                continue
            for organization_id, sequence in heads.items():
                if feed := self._feeds.get(organization_id):
                    self._hear(feed, sequence)

    async def _hear_rights(self) -> None:
        """Recheck the sockets that a hint of rights_changed() names."""
        while True:
            try:
                layer = get_channel_layer()
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                while True:
                    hint = await layer.receive(channel)
                    await self._recheck(hint["userId"], hint["organizationId"])
            except (RedisError, OSError) as error:
                logger.warning("Changed rights are noticed by the minute", extra={"error": str(error)})
                await asyncio.sleep(RETRY_SECONDS)

    async def _recheck_all(self) -> None:
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            await self._recheck(None, None)

    async def _recheck(self, user_id: str | None, organization_id: str | None) -> None:
        for feed in list(self._feeds.values()):
            if organization_id is not None and organization_id != str(feed.organization_id):
                continue
            for socket in list(feed.sockets):
                if socket.viewer and user_id in (None, str(socket.viewer.principal.user_id)):
                    await socket.recheck()


def in_thread(function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
    """Return the function to await, run in the event loop's pool of threads with database connections kept open."""
    awaitable: Callable[..., Awaitable[Any]] = database_sync_to_async(function, thread_sensitive=False)
    return awaitable


hub = Hub()
