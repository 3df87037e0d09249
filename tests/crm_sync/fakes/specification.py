"""Requests held against OpenAPI files: our own of the operations we use, and a vendor's where a developer has them.

Ours are written from the vendors' documentation and stand in openapi/<vendor>.yaml. VENDOR_SPEC_DIR names a folder
with the vendors' own files, <vendor>*.yaml or .json or a folder <vendor>/ of such (they may not be redistributed);
requests for which one of them has an operation are held against it too.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jsonschema_rs
import yaml

OPENAPI = Path(__file__).parent / "openapi"
METHODS = ("get", "put", "post", "delete", "patch")


@dataclass
class Parameter:
    name: str
    place: str
    required: bool
    type: str
    validator: Any


@dataclass
class Operation:
    id: str
    method: str
    pattern: re.Pattern[str]
    parameters: list[Parameter] = field(default_factory=list)
    bodies: dict[str, Any] = field(default_factory=dict)
    body_required: bool = False


class Specification:
    """One OpenAPI file, compiled."""

    def __init__(self, path: Path, *, strict: bool) -> None:
        text = path.read_text()
        self.document: Any = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        self.strict = strict
        if str(self.document.get("openapi", "")).startswith("3.0"):
            _lift(self.document)
        self.registry = jsonschema_rs.Registry([("spec:/file", self.document)])
        self.operations = list(self._operations())

    def _operations(self) -> Iterator[Operation]:
        servers = self.document.get("servers") or [{"url": ""}]
        bases = {urlsplit(re.sub(r"^https?://\{[^}]+\}", "https://x", s["url"])).path.rstrip("/") for s in servers}
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                described = item[method]
                for base in bases:
                    operation = Operation(
                        described.get("operationId", f"{method} {path}"),
                        method.upper(),
                        re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(base + path)) + r"\Z"),
                    )
                    for parameter in map(self._follow, [*item.get("parameters", []), *described.get("parameters", [])]):
                        schema = parameter.get("schema", {})
                        operation.parameters.append(
                            Parameter(
                                parameter["name"],
                                parameter["in"],
                                parameter.get("required", False),
                                str(self._follow(schema).get("type", "")),
                                self._compile(schema),
                            )
                        )
                    body = self._follow(described.get("requestBody", {}))
                    operation.body_required = body.get("required", False)
                    for kind, media in body.get("content", {}).items():
                        operation.bodies[kind] = self._compile(media.get("schema", {}))
                    yield operation

    def _follow(self, value: Any) -> Any:
        while isinstance(value, dict) and str(value.get("$ref", "")).startswith("#/"):
            found: Any = self.document
            for step in value["$ref"][2:].split("/"):
                found = found[unquote(step).replace("~1", "/").replace("~0", "~")]
            value = found
        return value

    def _compile(self, schema: Any) -> Any:
        local = json.loads(json.dumps(schema, default=str).replace('"$ref": "#/', '"$ref": "spec:/file#/'))
        return jsonschema_rs.Draft202012Validator(local, registry=self.registry)

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation of a request and what its path says; a path without variables goes first."""
        found = [
            (operation, match.groupdict())
            for operation in self.operations
            if operation.method == method and (match := operation.pattern.match(path))
        ]
        return min(found, key=lambda pair: len(pair[1])) if found else None

    def problems(
        self,
        method: str,
        path: str,
        query: list[tuple[str, str]],
        headers: Mapping[str, str],
        body: Any,
        media: str,
    ) -> list[str]:
        """Return what the file does not allow in this request. `body` is read already, None for none."""
        found = self.find(method, path)
        if found is None:
            return [f"{method} {path} is no operation"] if self.strict else []
        operation, variables = found
        given = {"query": dict(query), "path": variables, "header": {k.lower(): v for k, v in headers.items()}}
        problems = []
        for parameter in operation.parameters:
            if parameter.place not in given or parameter.name.lower() == "authorization":
                continue
            name = parameter.name.lower() if parameter.place == "header" else parameter.name
            value = given[parameter.place].get(name)
            if value is None:
                if parameter.required:
                    problems.append(f"{operation.id}: {parameter.place} {name} is missing")
                continue
            problems += [
                f"{operation.id}: {name}: {e.message}" for e in parameter.validator.iter_errors(_read(value, parameter))
            ]
        if self.strict:
            known = {parameter.name for parameter in operation.parameters if parameter.place == "query"}
            problems += [f"{operation.id}: unknown query {name}" for name in given["query"] if name not in known]
        if body is None:
            if operation.body_required:
                problems.append(f"{operation.id}: the body is missing")
        elif media not in operation.bodies:
            problems.append(f"{operation.id}: takes no {media}")
        else:
            problems += [
                f"{operation.id}: body {'/'.join(map(str, e.instance_path))}: {e.message[:300]}"
                for e in operation.bodies[media].iter_errors(body)
            ]
        return problems


@cache
def load(vendor: str) -> list[Specification]:
    """Return our own file of a vendor first, then those of VENDOR_SPEC_DIR."""
    found = [Specification(OPENAPI / f"{vendor}.yaml", strict=True)]
    folder = os.environ.get("VENDOR_SPEC_DIR")
    if folder:
        for path in sorted([*Path(folder).glob(f"{vendor}*.*"), *Path(folder).glob(f"{vendor}/**/*.*")]):
            if path.suffix in (".yaml", ".yml", ".json"):
                found.append(Specification(path, strict=False))
    return found


def _read(value: str, parameter: Parameter) -> Any:
    if parameter.type == "integer" and value.lstrip("-").isdigit():
        return int(value)
    if parameter.type == "number":
        return float(value)
    if parameter.type == "boolean" and value in ("true", "false"):
        return value == "true"
    if parameter.type == "array":
        return value.split(",")
    return value


def _lift(node: Any) -> None:
    """Say `nullable` of OpenAPI 3.0 in the words of 3.1."""
    if isinstance(node, list):
        for value in node:
            _lift(value)
    elif isinstance(node, dict):
        if node.pop("nullable", False) and isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
            if "enum" in node:
                node["enum"] = [*node["enum"], None]
        for value in node.values():
            _lift(value)
