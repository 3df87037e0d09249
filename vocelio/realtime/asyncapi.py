"""The WebSocket described by AsyncAPI 3.0, made from the registered topics; GET /v1/asyncapi answers it."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, JsonResponse

from vocelio.access.roles import SELF
from vocelio.realtime.shapes import FLAG, FREE, ID, NUMBER, TEXT, TIME, Shape, shape
from vocelio.realtime.topics import Topic, all_topics

ADDRESS = "/ws"
SOCKET = "socket"
DESCRIPTION = """Live events. Every channel below is spoken over one connection, at `/ws`: JSON text both ways. Sign in
first, then subscribe; an event of a channel arrives in order and once, numbered in `sequence`. After a lost connection
`GET /v1/events?after=` answers what was missed. docs/live.md has the close codes and limits."""


def kind(name: str, *optional: str, **properties: Shape) -> dict[str, Any]:
    """Return the schema of a message of one `type`, which holds nothing else."""
    return dict(shape(optional, type={"const": name}, **properties)) | {"additionalProperties": False}


# What goes over any connection, by direction.
SAID: dict[str, tuple[str, dict[str, Any]]] = {
    "authenticate": (
        "Sign in by an access or API token, within ten seconds; again before it expires.",
        kind("authenticate", "token", "organizationId", "session", token=TEXT, organizationId=ID, session=FLAG),
    ),
    "ping": ("Ask for a sign of life.", kind("ping")),
}
HEARD: dict[str, tuple[str, dict[str, Any]]] = {
    "authenticated": (
        "Signed in.",
        kind("authenticated", userId=ID, organizationId=ID, role=TEXT, sequence=NUMBER, expiresAt=TIME),
    ),
    "pong": ("A sign of life.", kind("pong")),
    "error": (
        "What was said is not possible; the connection stays.",
        kind("error", "channel", "details", code=TEXT, message=TEXT, channel=TEXT, details=FREE),
    ),
}


def describe() -> dict[str, Any]:
    """Return the document."""
    topics = sorted(all_topics(), key=lambda topic: topic.name)
    channels: dict[str, Any] = {SOCKET: _channel("The connection itself.", {**SAID, **HEARD})}
    operations: dict[str, Any] = {
        "signIn": _operation("receive", SOCKET, ["authenticate"], answers=["authenticated", "error"]),
        "ping": _operation("receive", SOCKET, ["ping"], answers=["pong"]),
    }
    for topic in topics:
        channels[topic.name] = _channel(_about(topic), _messages(topic))
        operations[f"{topic.name}.subscribe"] = _operation(
            "receive", topic.name, ["subscribe", "unsubscribe"], answers=["subscribed", "unsubscribed"]
        )
        operations[f"{topic.name}.events"] = _operation("send", topic.name, sorted(topic.events))
    url = urlsplit(settings.PUBLIC_URL)
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Vocelio live events", "version": "1.0.0", "description": DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {
            "this": {"host": url.netloc, "protocol": "wss" if url.scheme == "https" else "ws", "description": "Here."}
        },
        "channels": channels,
        "operations": operations,
    }


def messages_heard() -> dict[str, list[dict[str, Any]]]:
    """Return the schemas of every frame a client may receive, by type."""
    found: dict[str, list[dict[str, Any]]] = {name: [schema] for name, (_, schema) in HEARD.items()}
    for topic in all_topics():
        for name, (_, schema) in _messages(topic).items():
            if name not in ("subscribe", "unsubscribe"):
                found.setdefault(name, []).append(schema)
    return found


def show_asyncapi(request: HttpRequest) -> JsonResponse:
    """Answer the description to anybody, as /v1/schema is."""
    return JsonResponse(describe())


def _about(topic: Topic) -> str:
    needs = "Any signed-in person." if topic.permission == SELF else f"Needs `{topic.permission}`."
    mine = " Agents limited to their team receive what is theirs." if topic.owned else ""
    return f"{topic.about} {needs}{mine}"


def _messages(topic: Topic) -> dict[str, tuple[str, dict[str, Any]]]:
    parameters: dict[str, Shape] = {"channel": {"const": topic.name}}
    optional: list[str] = []
    if topic.key:
        parameters[topic.key] = ID
    if topic.filters:
        parameters["filters"] = {
            "type": "object", "properties": dict.fromkeys(topic.filters, ID), "additionalProperties": False
        }  # fmt: skip
        optional.append("filters")
    messages = {
        "subscribe": ("Follow the channel.", kind("subscribe", *optional, **parameters)),
        "subscribed": (
            "From `sequence` on every event arrives.",
            kind("subscribed", *optional, sequence=NUMBER, **parameters),
        ),
        "unsubscribe": ("Follow it no more.", kind("unsubscribe", *optional, **parameters)),
        "unsubscribed": ("No more of it arrives.", kind("unsubscribed", *optional, **parameters)),
    }
    for name, data in topic.events.items():
        # What a watch says is of no event of its own, so it has no number.
        number = {} if name == topic.stale_event else {"sequence": NUMBER}
        messages[name] = (f"An event of {topic.name}.", kind(name, data=data, **number))
    return messages


def _channel(about: str, messages: dict[str, tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    return {
        "address": ADDRESS,
        "description": about,
        "messages": {
            name: {"name": name, "summary": summary, "payload": schema} for name, (summary, schema) in messages.items()
        },
    }


def _operation(action: str, channel: str, messages: list[str], answers: list[str] | None = None) -> dict[str, Any]:
    def references(names: list[str]) -> list[dict[str, str]]:
        return [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]

    operation: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": references(messages),
    }
    if answers:
        operation["reply"] = {"channel": {"$ref": f"#/channels/{channel}"}, "messages": references(answers)}
    return operation
