"""The WebSocket at /ws: authenticate, subscribe, receive events. docs/live.md describes the messages.

Close codes: 4400 token in the address, 4401 sign in (again), 4403 no longer allowed, 4408 too slow (catch up by
GET /events), 4429 too many messages, 1013 try again later.
"""

import asyncio
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error as DatabaseError
from django.utils import translation
from django.utils.translation.trans_real import get_supported_language_variant, parse_accept_lang_header

from vocelio.audit.context import Actor, acting
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden, Invalid, NotFound, VocelioError
from vocelio.languages.translate import translated
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.hub import Socket, hub, in_thread
from vocelio.realtime.topics import NotAllowed, Subscription, read_id
from vocelio.realtime.viewers import FORBIDDEN, UNAUTHORIZED, ApiTokenPass, Pass, Refused, StaffPass, TokenPass, Viewer
from vocelio.users.tokens import API_TOKEN_PREFIX, InvalidToken, read_access_token

logger = logging.getLogger(__name__)

SUBPROTOCOL, BEARER = "vocelio", "bearer."
AUTHENTICATE_SECONDS = 10.0
MAX_MESSAGE_BYTES = 16 * 1024
MAX_SUBSCRIPTIONS = 50
# Messages a socket may send within the window.
MESSAGE_LIMIT, MESSAGE_WINDOW_SECONDS = 60, 10.0

ADDRESS_REFUSED, TOO_SLOW, TOO_MANY, TRY_AGAIN = 4400, 4408, 4429, 1013


class SignInFirst(VocelioError):
    code = "UNAUTHORIZED"
    status = 401
    message = "Authenticate first."


class Unavailable(VocelioError):
    code = "UNAVAILABLE"
    status = 503
    message = "The service is briefly unavailable; try again."


class EventConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels has no types
    """One connection. Everything it says goes through its queue, so that answers and events keep their order."""

    # The hub holds the process's one channel of the layer; a channel each would be a Redis subscription a socket.
    channel_layer_alias = ""

    async def connect(self) -> None:
        self.socket = Socket(overflow=self._overflow, recheck=self._recheck)
        self.signed_in: Pass | None = None
        self.writer: asyncio.Task[None] | None = None
        self.timer: asyncio.TimerHandle | None = None
        self.is_over = False
        self.window_ends, self.messages = 0.0, 0
        if self.scope["path"].rstrip("/") != "/ws" or not self._comes_from_us():
            # Before accept(): the handshake is answered with 403.
            await self.close()
            return
        offered = self.scope["subprotocols"]
        await self.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        if self.scope["query_string"]:
            await self._end(ADDRESS_REFUSED, "Send the token in the first message, never in the address.")
            return
        self.writer = hub.spawn(self._write())
        self._end_later(AUTHENTICATE_SECONDS, "Not authenticated in time.")
        for subprotocol in offered:
            if subprotocol.startswith(BEARER):
                await self._authenticate({"token": subprotocol.removeprefix(BEARER)})

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.is_over:
            return
        if self._is_too_fast():
            await self._end(TOO_MANY, "Too many messages.")
            return
        message: dict[str, Any] = {}
        try:
            message = self._read(text_data)
            await self._handler(message)(message)
        except VocelioError as error:
            channel = {"channel": message["channel"]} if isinstance(message.get("channel"), str) else {}
            self._say(self._error(error.code, error.message, error.details) | channel)
        except Refused as refusal:
            await self._end(refusal.code, refusal.reason)
        except DatabaseError:
            logger.exception("A socket's message could not be handled")
            self._say(self._error(Unavailable.code, Unavailable.message))

    async def disconnect(self, code: int) -> None:
        self._release()

    def _error(self, code: str, message: str, details: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return an error frame that says what the API's errors say, in the viewer's language."""
        with translation.override(self._language()):
            frame: dict[str, Any] = {"type": "error", "code": code, "message": translated(message)}
        first = ((details or {}).get("errors") or [{}])[0]
        named = {name: first[name] for name in ("field", "value", "constraint") if name in first}
        return frame | ({"details": named} if named else {})

    def _language(self) -> str:
        """Return what the viewer has chosen, else what the browser asked for."""
        if self.socket.viewer is not None and self.socket.viewer.principal.language:
            return self.socket.viewer.principal.language
        for wanted, _ in parse_accept_lang_header(self._header(b"accept-language")):
            with suppress(LookupError):
                return get_supported_language_variant(wanted)
        return settings.LANGUAGE_CODE

    # What a client may say.

    def _read(self, text: str | None) -> dict[str, Any]:
        if text is None:
            raise Invalid("Messages are JSON text.")
        if len(text) > MAX_MESSAGE_BYTES:
            raise Invalid(f"A message has at most {MAX_MESSAGE_BYTES} characters.")
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            raise Invalid("The message is not valid JSON.") from None
        if not isinstance(message, dict):
            raise Invalid("A message is a JSON object with a type.")
        return message

    def _handler(self, message: Mapping[str, Any]) -> Callable[[dict[str, Any]], Awaitable[None]]:
        handlers = {
            "authenticate": self._authenticate,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "ping": self._ping,
        }
        kind = message.get("type")
        if not isinstance(kind, str) or kind not in handlers:
            raise Invalid(f"A message's type is one of: {', '.join(handlers)}.")
        return handlers[kind]

    async def _authenticate(self, message: dict[str, Any]) -> None:
        """Accept a token, or the back office's cookie; a later token of the same session prolongs the connection."""
        try:
            signed_in = await self._read_pass(message)
            viewer = await in_thread(signed_in.viewer)()
            if self.socket.viewer is None:
                self.socket.viewer = viewer
                self.sequence = await hub.join(self.socket)
        except DatabaseError:
            raise Refused(TRY_AGAIN, Unavailable.message) from None
        before = self.socket.viewer.principal
        if (before.user_id, before.organization_id) != (signed_in.user_id, signed_in.organization_id):
            raise Conflict("This connection belongs to another sign-in; open a new one.")
        self.signed_in = signed_in
        self.socket.viewer = viewer
        self._end_later(signed_in.expires_at - time.time(), signed_in.expiry)
        self._say(
            {
                "type": "authenticated",
                "userId": str(signed_in.user_id),
                "organizationId": str(signed_in.organization_id),
                "role": viewer.principal.role,
                "sequence": self.sequence,
                "expiresAt": datetime.fromtimestamp(signed_in.expires_at, UTC).isoformat().replace("+00:00", "Z"),
            }
        )

    async def _read_pass(self, message: dict[str, Any]) -> Pass:
        if message.get("session") is True:
            return await self._read_cookie()
        token = str(message.get("token", ""))
        if token.startswith(API_TOKEN_PREFIX):
            program: Pass = await in_thread(ApiTokenPass.read)(token)
            return program
        try:
            claims = read_access_token(token)
        except InvalidToken as error:
            raise Refused(UNAUTHORIZED, str(error)) from None
        organization_id = claims.organization_id
        if message.get("organizationId") is not None:
            organization_id = uuid.UUID(read_id("organizationId", message["organizationId"]))
        return TokenPass(claims.user_id, organization_id, claims.session_id, claims.raw["exp"])

    async def _read_cookie(self) -> Pass:
        """Read the session of the page that opened the socket: one of this very server, whose origin browsers name."""
        key = SimpleCookie(self._header(b"cookie")).get(settings.SESSION_COOKIE_NAME)
        if key is None or urlsplit(self._header(b"origin")).netloc != self._header(b"host"):
            raise Refused(UNAUTHORIZED, "Sign in to the back office first.")
        signed_in: Pass = await in_thread(StaffPass.read)(key.value)
        return signed_in

    async def _subscribe(self, message: dict[str, Any]) -> None:
        self._viewer()
        subscription = Subscription.read(message)
        viewer = await self._look_again()
        if len(self.socket.subscriptions) >= MAX_SUBSCRIPTIONS and subscription not in self.socket.subscriptions:
            raise Conflict(f"A connection has at most {MAX_SUBSCRIPTIONS} subscriptions.")
        try:
            await in_thread(subscription.admit)(viewer)
        except NotAllowed:
            await in_thread(self._audit_refusal)(viewer, subscription)
            raise
        sources = await in_thread(subscription.sources)(viewer) if subscription.topic.sources else None
        if not self.is_over:
            sequence = hub.follow(self.socket, subscription, sources)
            self._say({"type": "subscribed"} | subscription.described() | {"sequence": sequence})

    async def _unsubscribe(self, message: dict[str, Any]) -> None:
        self._viewer()
        subscription = Subscription.read(message)
        if subscription not in self.socket.subscriptions:
            raise NotFound("There is no such subscription.")
        hub.unfollow(self.socket, subscription)
        self._say({"type": "unsubscribed"} | subscription.described())

    async def _ping(self, message: dict[str, Any]) -> None:
        self._say({"type": "pong"})

    # What becomes of the connection.

    def _viewer(self) -> Viewer:
        if self.signed_in is None or self.socket.viewer is None:
            raise SignInFirst
        return self.socket.viewer

    async def _look_again(self) -> Viewer:
        """Read session, role and team as they are now; raise Refused when they allow no connection."""
        assert self.signed_in is not None  # noqa: S101 - after signing in only
        viewer: Viewer = await in_thread(self.signed_in.viewer)()
        self.socket.viewer = viewer
        return viewer

    async def _recheck(self) -> None:
        """Look again at what the person may see; end the connection when a right it uses has ended."""
        if self.signed_in is None or self.socket.viewer is None:
            return
        try:
            viewer = await self._look_again()
        except Refused as refusal:
            await self._end(refusal.code, refusal.reason)
            return
        except DatabaseError:
            logger.warning("Rights of a socket could not be read; next try within a minute")
            return
        if not all(viewer.principal.may(used.topic.permission) for used in self.socket.subscriptions):
            await self._end(FORBIDDEN, Forbidden.message)

    def _say(self, frame: dict[str, Any]) -> None:
        self.socket.offer(orjson.dumps(frame).decode())

    async def _write(self) -> None:
        # A client that has gone is noticed by disconnect().
        with suppress(OSError):
            await self.socket.write(self.base_send)

    def _overflow(self) -> None:
        hub.spawn(self._end(TOO_SLOW, "Too slow; connect again and catch up by GET /v1/events."))

    def _end_later(self, seconds: float, reason: str) -> None:
        if self.timer is not None:
            self.timer.cancel()
        loop = asyncio.get_running_loop()
        self.timer = loop.call_later(seconds, lambda: hub.spawn(self._end(UNAUTHORIZED, reason)))

    async def _end(self, code: int, reason: str) -> None:
        if self.is_over:
            return
        self._release()
        with suppress(OSError):
            await self.close(code, reason)

    def _release(self) -> None:
        """Let go of everything; the connection gets nothing more but its close frame."""
        self.is_over = True
        hub.leave(self.socket)
        if self.timer is not None:
            self.timer.cancel()
        if self.writer is not None:
            self.writer.cancel()

    def _is_too_fast(self) -> bool:
        now = time.monotonic()
        if now > self.window_ends:
            self.window_ends, self.messages = now + MESSAGE_WINDOW_SECONDS, 0
        self.messages += 1
        return self.messages > MESSAGE_LIMIT

    def _comes_from_us(self) -> bool:
        """Browsers name the page's origin, which must be ours; other programs name none."""
        origin = self._header(b"origin")
        return not origin or origin in {*settings.FRONTEND_ORIGINS, settings.PUBLIC_URL}

    def _header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in self.scope["headers"] if key == name), "")

    def _audit_refusal(self, viewer: Viewer, subscription: Subscription) -> None:
        client = self.scope.get("client")
        actor = Actor(
            user_id=viewer.principal.user_id,
            door="socket",
            ip_address=client[0] if client else None,
            user_agent=self._header(b"user-agent"),
        )
        with acting(actor), organization_scope(viewer.principal.organization_id):
            record("access.refused", subscription.topic.name, permission=subscription.topic.permission)
