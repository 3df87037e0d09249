"""Errors a caller can act on. Services raise them; vocelio/api/errors.py alone turns them into answers."""

from typing import Any


class VocelioError(Exception):
    """An expected failure: a stable code, an HTTP status, a message for people, and fields for programs."""

    code = "ERROR"
    status = 400
    message = "The request could not be carried out."

    def __init__(self, message: str = "", **details: Any) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message
        self.details = details


class Unauthorized(VocelioError):
    code = "UNAUTHORIZED"
    status = 401
    message = "Sign in first."


class NotFound(VocelioError):
    code = "NOT_FOUND"
    status = 404
    message = "Not found."


class TooMany(VocelioError):
    """Too often; `retryAfter` says for how many seconds to wait."""

    code = "RATE_LIMITED"
    status = 429
    message = "Too many attempts; try again later."

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(retryAfter=retry_after)


class Conflict(VocelioError):
    code = "CONFLICT"
    status = 409
    message = "This conflicts with what is already there."


class Forbidden(VocelioError):
    code = "FORBIDDEN"
    status = 403
    message = "You may not do this."


class TooLarge(VocelioError):
    code = "FILE_TOO_LARGE"
    status = 413
    message = "The file is too large. Split it into several files."


class Invalid(VocelioError):
    """Input that parses but cannot be accepted; `errors` is a list of {field, value, constraint, message}."""

    code = "VALIDATION_ERROR"
    status = 422
    message = "The input is not valid."

    @classmethod
    def field(cls, field: str, message: str, *, value: Any = None, constraint: str = "invalid") -> "Invalid":
        """Return the error of one bad field."""
        return cls(message, errors=[{"field": field, "value": value, "constraint": constraint, "message": message}])
