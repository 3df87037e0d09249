"""Words to describe the data of events in, as JSON Schema; topics.py of the apps use them, /v1/asyncapi shows them."""

from collections.abc import Collection, Mapping
from typing import Any

Shape = Mapping[str, Any]

ID: Shape = {"type": "string", "format": "uuid"}
OPTIONAL_ID: Shape = {"type": ["string", "null"], "format": "uuid"}
IDS: Shape = {"type": "array", "items": ID}
TEXT: Shape = {"type": "string"}
OPTIONAL_TEXT: Shape = {"type": ["string", "null"]}
TIME: Shape = {"type": "string", "format": "date-time"}
OPTIONAL_TIME: Shape = {"type": ["string", "null"], "format": "date-time"}
NUMBER: Shape = {"type": "integer", "minimum": 0}
FLAG: Shape = {"type": "boolean"}
FREE: Shape = {"type": "object"}
LIST: Shape = {"type": "array"}


def shape(optional: Collection[str] = (), **properties: Shape) -> Shape:
    """Return an object with these properties, all of them there but the optional ones; others may come."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def bulk(**properties: Shape) -> Shape:
    """Return what is told of many records at once, whose followers then read them anew."""
    return shape(action=TEXT, count=NUMBER, updatedBy=OPTIONAL_ID, **properties)
