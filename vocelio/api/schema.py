"""The OpenAPI description, true to what the base classes answer."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from rest_framework.permissions import SAFE_METHODS

from vocelio.access.permissions import PUBLIC
from vocelio.access.roles import SELF

ERROR_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "details", "timestamp", "requestId"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "details": {"type": "object"},
                "timestamp": {"type": "string", "format": "date-time"},
                "requestId": {"type": "string"},
            },
        }
    },
}
ERRORS = {
    "400": "Not parseable",
    "401": "Sign in first",
    "403": "Your role does not allow this",
    "404": "Not found",
    "405": "No such method here",
    "406": "No such representation",
    "409": "Conflicts with what is there",
    "413": "The file is too large",
    "415": "Unsupported media type",
    "422": "Not valid; details.errors lists every bad field",
    "429": "Rate limit exceeded; see Retry-After",
    "503": "Briefly unavailable",
}
IDEMPOTENCY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "Repeat the request safely: the same key and body replays the first answer for 24 hours.",
}

IF_MATCH_PARAMETER = {
    "name": "If-Match",
    "in": "header",
    "schema": {"type": "string", "pattern": '^"?[0-9]{1,9}"?$'},
    "description": "The version you looked at, as in ETag; another one is answered by 409 with `details.current`.",
}


# What SDKs call what spectacular calls otherwise.
VERBS = {"retrieve": "get", "destroy": "delete"}


class EnvelopeSchema(AutoSchema):
    """Describes one resource as {"data": {...}} and says which permission the caller needs."""

    def _get_response_for_code(self, serializer: Any, status_code: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        response: dict[str, Any] = super()._get_response_for_code(serializer, status_code, *args, **kwargs)  # type: ignore[no-untyped-call]
        if (
            status_code.startswith("2")
            and getattr(serializer, "enveloped", True)
            and not (self._is_list_view(serializer) and self._get_paginator())  # type: ignore[no-untyped-call]
        ):
            for media in response.get("content", {}).values():
                schema = media.get("schema")
                if schema and schema.get("format") != "binary":
                    media["schema"] = {"type": "object", "required": ["data"], "properties": {"data": schema}}
        return response

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        permission = self._permission()
        needs = {PUBLIC: "No sign-in needed.", SELF: "Any signed-in person."}.get(permission, f"Needs `{permission}`.")
        operation["description"] = f"{operation.get('description', '')}\n\n{needs}".strip()
        if self.view.action in getattr(self.view, "versioned_actions", ()):
            operation.setdefault("parameters", []).insert(0, IF_MATCH_PARAMETER)
        if self.method not in SAFE_METHODS and self.view.keeps_answers:
            operation.setdefault("parameters", []).append(IDEMPOTENCY_PARAMETER)
        return operation

    def get_operation_id(self) -> str:
        """Name operations as SDKs call them: `contacts_list`, `contacts_get`, `contacts_merge`."""
        noun, _, verb = super().get_operation_id().replace(".", "").rpartition("_")
        if noun.endswith("_partial"):
            noun, verb = noun.removesuffix("_partial"), "patch"
        if verb == "create" and self.view.action != "create":
            return str(noun)
        return f"{noun.rstrip('_')}_{VERBS.get(verb, verb)}"

    def get_auth(self) -> list[dict[str, Any]]:
        return [] if self._permission() == PUBLIC else [{"bearer": []}]

    def _permission(self) -> str:
        return str(getattr(self.view, "permissions", {}).get(getattr(self.view, "action", ""), PUBLIC))


def only_v1(endpoints: list[Any]) -> list[Any]:
    """Describe the tree once; /api/ answers the same."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/v1/")]


def add_error_responses(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Give each operation the errors any operation may answer."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = ERROR_SCHEMA
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    components["responses"] = {
        f"Error{status}": {"description": text, "content": content} for status, text in ERRORS.items()
    }
    for path in result["paths"].values():
        for operation in path.values():
            for status in ERRORS:
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Error{status}"})
    return result


def tidy_names(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Call the body `MergeRequest` that spectacular calls `MergeRequestRequest`."""
    schemas = result["components"]["schemas"]
    shorter = {name: name.removesuffix("Request") for name in schemas if name.endswith("RequestRequest")}
    renamed: dict[str, Any] = {name: new for name, new in shorter.items() if new not in schemas}
    result["components"]["schemas"] = {renamed.get(name, name): schema for name, schema in schemas.items()}
    _follow(result, {f"#/components/schemas/{name}": f"#/components/schemas/{new}" for name, new in renamed.items()})
    return result


def _follow(node: Any, moved: dict[str, str]) -> None:
    """Let references lead to where their schemas are now."""
    if isinstance(node, dict):
        if node.get("$ref") in moved:
            node["$ref"] = moved[node["$ref"]]
        for child in node.values():
            _follow(child, moved)
    elif isinstance(node, list):
        for child in node:
            _follow(child, moved)
