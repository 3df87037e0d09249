"""A server that speaks as much of OpenAI's API as matching uses, and remembers what it was asked."""

import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]


class OpenAiFake:
    """Answers as the vendor does, unless `next_answers` holds something else to say first."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.next_answers: deque[Callable[[dict[str, Any]], Answer]] = deque()
        self.proposals: str = json.dumps({"proposals": []})
        self.is_down = False

    @property
    def texts(self) -> list[str]:
        """Return every text an embedding was asked of."""
        return [text for path, body in self.requests if path.endswith("/embeddings") for text in body["input"]]

    def answer(self, path: str, body: dict[str, Any]) -> Answer:
        self.requests.append((path, body))
        if self.is_down:
            return failure(503)
        if self.next_answers:
            return self.next_answers.popleft()(body)
        return embeddings(body) if path.endswith("/embeddings") else self.chat()

    def chat(self) -> Answer:
        message = {"role": "assistant", "content": self.proposals, "refusal": None}
        choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": None}
        usage = {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100}
        shape = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini"}
        return 200, {**shape, "choices": [choice], "usage": usage}


def embeddings(body: dict[str, Any], leave_out: int = 0) -> Answer:
    rows = [
        {"object": "embedding", "index": index, "embedding": vector_of(text)}
        for index, text in enumerate(body["input"])
    ]
    # In no particular order: the index says whose each is.
    rows = rows[leave_out:][::-1]
    usage = {"prompt_tokens": 10 * len(rows), "total_tokens": 10 * len(rows)}
    return 200, {"object": "list", "model": body["model"], "data": rows, "usage": usage}


def vector_of(text: str) -> list[float]:
    """Return a bag of words as a vector: texts that share words are near each other."""
    vector = [0.0] * 1536
    for word in text.lower().replace(",", " ").split():
        vector[int(hashlib.sha256(word.encode()).hexdigest()[:8], 16) % 1536] += 1.0
    return vector


def failure(status: int, code: str = "") -> Answer:
    return status, {"error": {"message": "no", "type": "error", "code": code or None, "param": None}}


@contextmanager
def serve(fake: OpenAiFake) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = fake.answer(self.path, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            # The client tries again at once.
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
