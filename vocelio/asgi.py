"""One port for all: HTTP goes to the WSGI application in a thread pool, /ws to the WebSocket consumer.

Synchronous Django under its own ASGI handler costs 2 to 4.5 times as much (benchmarks/README.md).
"""

import os

from a2wsgi import WSGIMiddleware
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from vocelio.wsgi import application as django_application

WEB_THREADS = int(os.environ.get("WEB_THREADS") or 4)
http_application = WSGIMiddleware(django_application, workers=WEB_THREADS)  # type: ignore[arg-type]


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Serve one HTTP request or one socket."""
    if scope["type"] == "websocket":
        from vocelio.realtime.routing import websocket_application

        await websocket_application(scope, receive, send)
    else:
        await http_application(scope, receive, send)  # type: ignore[arg-type]
