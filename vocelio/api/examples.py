"""Examples of JSON that a schema of the OpenAPI description allows."""

from collections.abc import Mapping
from typing import Any

FORMATS = {
    "uuid": "00000000-0000-0000-0000-000000000000",
    "date-time": "2026-01-31T09:30:00Z",
    "date": "2026-01-31",
    "email": "ada@example.com",
    "uri": "https://example.com",
    "decimal": "1.00",
}
DEEPEST = 6


def example(schema: Mapping[str, Any], components: Mapping[str, Any], depth: int = 0) -> Any:
    """Return a small example: required and optional properties, the first of each choice, one item of each list."""
    if reference := schema.get("$ref"):
        return example(components[reference.rpartition("/")[2]], components, depth)
    for known in ("example", "default", "const"):
        if known in schema:
            return schema[known]
    if schema.get("examples"):
        return schema["examples"][0]
    if schema.get("enum"):
        return schema["enum"][0]
    for union in ("oneOf", "anyOf", "allOf"):
        if schema.get(union):
            return example(schema[union][0], components, depth)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {}) if depth < DEEPEST else {}
        writable = {name: each for name, each in properties.items() if not each.get("readOnly")}
        return {name: example(each, components, depth + 1) for name, each in writable.items()}
    if kind == "array":
        return [example(schema.get("items", {}), components, depth + 1)] if depth < DEEPEST else []
    plain = {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True, "null": None}
    return plain.get(kind, FORMATS.get(schema.get("format", ""), "text"))
