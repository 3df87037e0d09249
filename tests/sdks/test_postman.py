"""The Postman collection holds every operation, and its main job uses addresses there are."""

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from tests.test_routes import ROUTES

PLACE = re.compile(r"<(?:\w+:)?(\w+)>")


@pytest.fixture(scope="module")
def collection() -> Any:
    written = StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", written)
        call_command("postman")
    return json.loads(written.getvalue())


def requests(item: Any) -> list[Any]:
    return [item] if "request" in item else [each for child in item["item"] for each in requests(child)]


def test_every_route_stands_in_its_folder(collection: Any):
    main, *folders = collection["item"]
    held = {
        (each["request"]["method"], "/".join(re.sub("^:.*", "*", part) for part in each["request"]["url"]["path"]))
        for folder in folders
        for each in requests(folder)
    }
    routes = {(route.method.upper(), PLACE.sub("*", route.path).strip("/").removesuffix(".ics")) for route in ROUTES}
    assert {path for path in routes if ".ics" not in path[1] and "calendar/" not in path[1]} - held == set()
    assert requests(main)[0]["name"] == "Log in"


def test_bodies_are_examples_and_secrets_are_variables(collection: Any):
    by_name = {each["name"]: each["request"] for each in requests(collection)}
    assert json.loads(by_name["contacts_create"]["body"]["raw"])["firstName"]
    assert "{{password}}" in by_name["auth_login"]["body"]["raw"]
    assert collection["auth"]["bearer"][0]["value"] == "{{accessToken}}"


def test_the_main_job_asks_where_there_is_an_answer(collection: Any):
    known = {PLACE.sub("*", route.path).strip("/") for route in ROUTES}
    for each in requests(collection["item"][0]):
        path = "/".join("*" if part.startswith("{{") else part for part in each["request"]["url"]["path"])
        assert path in known
