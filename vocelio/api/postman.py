"""A Postman collection (format 2.1) of the whole API, made from its OpenAPI description."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from vocelio.api.examples import example

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
METHODS = ("get", "post", "put", "patch", "delete")
VARIABLES = {
    "baseUrl": "http://127.0.0.1:8000",
    "email": "admin@acme.test",
    "password": "vocelio-demo",
    "accessToken": "",
    "jobId": "",
    "listId": "",
    "scrubId": "",
}
KEEP_TOKEN = [
    "pm.test('signed in', () => pm.response.to.have.status(200));",
    "pm.collectionVariables.set('accessToken', pm.response.json().data.accessToken);",
]
# Asks again until the job is over: newman and the collection runner follow setNextRequest.
WAIT = """\
const job = pm.response.json().data;
pm.test('{name} has not failed', () => pm.expect(['failed', 'cancelled']).to.not.include(job.status));
if (job.status !== 'completed') {{
    setTimeout(() => {{}}, 500);
    pm.execution.setNextRequest('{name}');
}}"""


def collection(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return the collection: the main job first, then a folder for each tag."""
    folders: dict[str, list[dict[str, Any]]] = {}
    for path, operations in description["paths"].items():
        for method in METHODS:
            if method in operations:
                operation = operations[method]
                item = _request(description, path, method, operation)
                folders.setdefault(operation["tags"][0], []).append(item)
    return {
        "info": {
            "name": description["info"]["title"],
            "description": description["info"]["description"],
            "schema": SCHEMA,
        },
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{accessToken}}", "type": "string"}]},
        "variable": [{"key": key, "value": value} for key, value in VARIABLES.items()],
        "item": [
            {
                "name": "Main job",
                "description": "Upload, look, scrub: run this folder from top to bottom.",
                "item": main_job(),
            },
            *({"name": tag, "item": items} for tag, items in sorted(folders.items())),
        ],
    }


def main_job() -> list[dict[str, Any]]:
    """Return the requests that import twenty contacts, list them, scrub them, and read the result."""
    file = {"key": "file", "type": "file", "src": "contacts.csv"}
    form = [file, {"key": "listName", "type": "text", "value": "Postman {{$timestamp}}"}]
    started = ["pm.test('accepted', () => pm.response.to.have.status(202));"]
    return [
        _sign_in("Log in"),
        _item(
            "Upload contacts.csv",
            "POST",
            "/v1/uploads/contacts",
            {"mode": "formdata", "formdata": form},
            [*started, "pm.collectionVariables.set('jobId', pm.response.json().data.jobId);"],
        ),
        _item(
            "Wait for the import",
            "GET",
            "/v1/uploads/contacts/{{jobId}}",
            None,
            WAIT.format(name="Wait for the import").split("\n"),
        ),
        _item(
            "Find the list",
            "GET",
            "/v1/contact-lists?sort=-createdAt&limit=1",
            None,
            ["pm.collectionVariables.set('listId', pm.response.json().data[0].id);"],
        ),
        _item(
            "List its contacts",
            "GET",
            "/v1/contacts?listId={{listId}}&limit=50",
            None,
            ["pm.test('all twenty', () => pm.expect(pm.response.json().data.length).to.eql(20));"],
        ),
        _item(
            "Scrub them",
            "POST",
            "/v1/dnc/scrub-campaign",
            _json('{\n  "contactListIds": ["{{listId}}"],\n  "options": {"createCleanList": false}\n}'),
            [*started, "pm.collectionVariables.set('scrubId', pm.response.json().data.scrubJobId);"],
        ),
        _item(
            "Wait for the scrub",
            "GET",
            "/v1/dnc/scrub-results/{{scrubId}}",
            None,
            WAIT.format(name="Wait for the scrub").split("\n"),
        ),
        _item(
            "Read each number's result",
            "GET",
            "/v1/dnc/scrub-results/{{scrubId}}/numbers",
            None,
            ["pm.test('a result each', () => pm.expect(pm.response.json().data.length).to.eql(20));"],
        ),
    ]


def _request(description: Mapping[str, Any], path: str, method: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    if operation["operationId"] == "auth_login":
        return _sign_in(operation["operationId"])
    components = description["components"]["schemas"]
    query: list[dict[str, Any]] = []
    headers: list[dict[str, Any]] = []
    for parameter in operation.get("parameters", []):
        entry = {
            "key": parameter["name"],
            "value": "",
            "description": parameter.get("description", ""),
            "disabled": True,
        }
        {"query": query, "header": headers}.get(parameter["in"], []).append(entry)
    item = _item(operation["operationId"], method.upper(), path, _body(operation, components), None)
    item["request"]["description"] = operation.get("description", "")
    item["request"]["header"] += headers
    item["request"]["url"] = _url(path, query)
    return item


def _body(operation: Mapping[str, Any], components: Mapping[str, Any]) -> dict[str, Any] | None:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        return _json(json.dumps(example(content["application/json"]["schema"], components), indent=2))
    if "multipart/form-data" in content:
        schema = content["multipart/form-data"]["schema"]
        schema = components[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        return {
            "mode": "formdata",
            "formdata": [
                {"key": name, "type": "file", "src": ""}
                if each.get("format") == "binary"
                else {"key": name, "type": "text", "value": str(example(each, components)), "disabled": True}
                for name, each in schema.get("properties", {}).items()
            ],
        }
    return None


def _sign_in(name: str) -> dict[str, Any]:
    body = _json('{\n  "email": "{{email}}",\n  "password": "{{password}}"\n}')
    item = _item(name, "POST", "/v1/auth/login", body, KEEP_TOKEN)
    item["request"]["auth"] = {"type": "noauth"}
    return item


def _item(
    name: str, method: str, path: str, body: dict[str, Any] | None, tests: Iterable[str] | None
) -> dict[str, Any]:
    request: dict[str, Any] = {"method": method, "header": [], "url": _url(path, [])}
    if body is not None:
        request["body"] = body
    item: dict[str, Any] = {"name": name, "request": request, "response": []}
    if tests is not None:
        item["event"] = [{"listen": "test", "script": {"type": "text/javascript", "exec": list(tests)}}]
    return item


def _url(path: str, query: list[dict[str, Any]]) -> dict[str, Any]:
    bare, _, asked = path.partition("?")
    parts = [
        f":{part[1:-1]}" if part.startswith("{") and not part.startswith("{{") else part
        for part in bare.strip("/").split("/")
    ]
    given = [dict(zip(("key", "value"), pair.split("=", 1), strict=True)) for pair in asked.split("&") if pair]
    url: dict[str, Any] = {
        "raw": "{{baseUrl}}/" + "/".join(parts) + (f"?{asked}" if asked else ""),
        "host": ["{{baseUrl}}"],
        "path": parts,
    }
    if given or query:
        url["query"] = [*given, *query]
    if names := [part[1:] for part in parts if part.startswith(":")]:
        url["variable"] = [{"key": name, "value": ""} for name in names]
    return url


def _json(text: str) -> dict[str, Any]:
    return {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
