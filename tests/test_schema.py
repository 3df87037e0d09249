"""The OpenAPI description is true: what it generates finds no 5xx and no undocumented answer."""

import os
from collections import Counter
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.factories import Person, make_organization, make_person
from vocelio.wsgi import application

schema = schemathesis.openapi.from_wsgi("/v1/schema?format=json", application)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer("message/rfc822")
def as_mail(ctx: Any, value: Any) -> bytes:
    """A report of a mail server goes out as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


# Few in the suite; FUZZ_EXAMPLES=200 bin/test tests/test_schema.py looks longer, and sends every case there is.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 5)
# Of the cases made from an operation's description, field by field and in order, each eighth is sent.
STEP = 1 if "FUZZ_EXAMPLES" in os.environ else 8
_seen: Counter[str] = Counter()
# One admin an operation: some operations end the caller's own session.
_people: dict[str, Person] = {}


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_answers_are_what_the_schema_says(case: schemathesis.Case[Any]):
    if getattr(case.meta and case.meta.phase.data, "scenario", None):
        _seen[case.operation.label] += 1
        if _seen[case.operation.label] % STEP:
            return
    person = _people.get(case.operation.label)
    if person is None:
        person = _people[case.operation.label] = make_person(make_organization())
    case.call_and_validate(headers={"Authorization": f"Bearer {person.token}"}, checks=CHECKS)


def test_a_delete_answers_200_with_a_message():
    deletes = [operation.ok() for operation in schema.get_all_operations() if operation.ok().method == "delete"]
    assert deletes
    assert [str(each.label) for each in deletes if "200" not in each.definition.raw["responses"]] == []
