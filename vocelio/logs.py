"""Structured logs: one JSON object a line, with the request or job, the organization and the person it belongs to.

Lines hold ids, names of fields and statements without their values: nothing that says who somebody is.
"""

import logging
import re
from datetime import UTC, datetime

import orjson

from vocelio.audit.context import current_actor
from vocelio.organizations.scope import scope_if_open

# What every LogRecord has; anything else came in by `extra=` and is printed.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request"}

# PostgreSQL tells the values of a refused row or a line of COPY here, up to its next heading or the end of the error.
VALUES = re.compile(r"^(DETAIL|CONTEXT): .*?(?=^(?:HINT|CONTEXT|QUERY): |^$|\Z)", re.MULTILINE | re.DOTALL)


class JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        actor, scope = current_actor(), scope_if_open()
        if actor.request_id:
            # A job acts under its own id.
            line["jobId" if actor.door == "job" else "requestId"] = actor.request_id
        if actor.user_id:
            line["userId"] = actor.user_id
        if scope is not None:
            line["organizationId"] = scope.organization_id
        line.update({name: value for name, value in vars(record).items() if name not in STANDARD})
        if record.exc_info:
            line["exception"] = VALUES.sub(r"\1: left out\n", self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()
