"""The one place where errors become answers: {"error": {code, message, details, timestamp, requestId}}."""

import errno
import logging
import math
import sys
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils import timezone
from psycopg.errors import QueryCanceled
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from vocelio.audit.context import current_actor
from vocelio.errors import TooMany, Unauthorized, VocelioError
from vocelio.languages.translate import translated

logger = logging.getLogger(__name__)

# Fields whose values an error never repeats.
SECRET_FIELDS = ("password", "token", "secret", "apikey", "credential", "authorization")


def error_body(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the document's error shape."""
    return {
        "error": {
            "code": code,
            "message": translated(message),
            "details": details or {},
            "timestamp": timezone.now(),
            "requestId": current_actor().request_id,
        }
    }


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception of a view into its answer; None for the unexpected, which becomes a 500."""
    response = _answer(error, context)
    if response is not None:
        response.exception = True
        set_rollback()
    return response


def _answer(error: Exception, context: dict[str, Any]) -> Response | None:
    if isinstance(error, VocelioError):
        return Response(
            error_body(error.code, error.message, _details(error.details, context)),
            status=error.status,
            headers=_headers(error),
        )
    if isinstance(error, exceptions.ValidationError):
        return _invalid(flatten(error.detail), context)
    if isinstance(error, DjangoValidationError):
        return _invalid([_problem("", message, "invalid") for message in error.messages], context)
    if isinstance(error, Http404):
        return Response(error_body("NOT_FOUND", "Not found."), status=404)
    if isinstance(error, PermissionDenied):
        return Response(error_body("FORBIDDEN", "You may not do this."), status=403)
    if isinstance(error.__cause__, QueryCanceled):
        logger.error("Statement took too long", exc_info=error)
        return Response(
            error_body("TOO_SLOW", "This took too long and was stopped; ask for less, or narrow the filter."),
            status=503,
        )
    if isinstance(error, OperationalError):
        logger.error("Database unavailable", exc_info=error)
        return Response(
            error_body("UNAVAILABLE", "The service is briefly unavailable; try again."),
            status=503,
            headers={"Retry-After": "5"},
        )
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        logger.error("No room for a file", exc_info=error)
        return Response(
            error_body("STORAGE_FULL", "There is no room for the file; try again later."),
            status=503,
            headers={"Retry-After": "60"},
        )
    if isinstance(error, DataError):
        # What no field could know to be out of the database's range, such as a time zone of 19 hours.
        logger.warning("Value out of range", exc_info=error)
        return _invalid([_problem("", "A value is out of range.", "range")], context)
    if isinstance(error, IntegrityError):
        logger.warning("Constraint violated", exc_info=error)
        return Response(error_body("CONFLICT", "This conflicts with what is already there."), status=409)
    if isinstance(error, exceptions.APIException):
        return _api_exception(error)
    return None


def _headers(error: VocelioError) -> dict[str, str]:
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": 'Bearer realm="vocelio"'}
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.details["retryAfter"])}
    return {}


CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    429: "RATE_LIMITED",
}


def _api_exception(error: exceptions.APIException) -> Response:
    headers = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    details: dict[str, Any] = {}
    wait = getattr(error, "wait", None)
    if wait is not None:
        details["retryAfter"] = math.ceil(wait)
        headers["Retry-After"] = str(math.ceil(wait))
    code = CODES.get(error.status_code, "ERROR")
    return Response(error_body(code, str(error.detail), details), status=error.status_code, headers=headers)


def _problem(field: str, message: str, constraint: str) -> dict[str, Any]:
    return {"field": field, "constraint": constraint, "message": translated(message)}


def flatten(detail: Any, path: str = "") -> list[dict[str, Any]]:
    """Return every bad field of a DRF error as {field, constraint, message}, nested ones as `lines.0.phone`."""
    if isinstance(detail, dict):
        return [
            problem
            for name, value in detail.items()
            for problem in flatten(
                value, path if name == "non_field_errors" else f"{path}.{name}" if path else str(name)
            )
        ]
    if isinstance(detail, list):
        return [
            problem
            for index, value in enumerate(detail)
            for problem in flatten(value, path if isinstance(value, str) else f"{path}.{index}" if path else str(index))
        ]
    return [_problem(path, str(detail), getattr(detail, "code", "invalid"))]


def _invalid(problems: list[dict[str, Any]], context: dict[str, Any]) -> Response:
    first = problems[0]
    message = first["message"] if len(problems) == 1 else f"{len(problems)} fields are not valid: {first['message']}"
    return Response(error_body("VALIDATION_ERROR", message, _details({"errors": problems}, context)), status=422)


def _details(details: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """Put the first bad field in front as the document shows, with the value that was sent unless it is a secret."""
    errors = details.get("errors")
    if not errors:
        return details
    # The body as far as the view has parsed it; parsing it here could fail once more.
    sent = getattr(context.get("request"), "_full_data", {})
    for problem in errors:
        if "message" in problem:
            problem["message"] = translated(problem["message"])
        if "value" not in problem or problem["value"] is None:
            problem["value"] = _sent_value(sent, problem["field"])
        if any(secret in problem["field"].lower() for secret in SECRET_FIELDS):
            problem["value"] = None
    first = errors[0]
    return {"field": first["field"], "value": first["value"], "constraint": first["constraint"], **details}


def _sent_value(sent: Any, path: str) -> Any:
    value = sent
    for name in path.split("."):
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif hasattr(value, "get"):
            value = value.get(name)
        else:
            return None
    return value if isinstance(value, (str, int, float, bool)) and len(str(value)) <= 200 else None


def json_error(status: int, code: str, message: str) -> JsonResponse:
    """Return the same shape from a plain Django view."""
    return JsonResponse(error_body(code, message), status=status)


def unavailable() -> JsonResponse:
    response = json_error(503, "UNAVAILABLE", "The service is briefly unavailable; try again.")
    response["Retry-After"] = "5"
    return response


def not_found(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return json_error(404, "NOT_FOUND", "There is nothing at this address.")


def server_error(request: HttpRequest) -> JsonResponse:
    if isinstance(sys.exc_info()[1], OperationalError):
        return unavailable()
    return json_error(500, "INTERNAL_ERROR", "An unexpected error; it has been logged under this request id.")


def bad_request(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return json_error(400, "BAD_REQUEST", "The request could not be understood.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> JsonResponse:
    return json_error(403, "FORBIDDEN", "You may not do this.")
