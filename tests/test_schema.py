"""The OpenAPI description is true: what it generates finds no 5xx and no undocumented answer."""

import os
from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.pytest._test_builder import build_operation_test

from tests.factories import make_organization, make_person
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
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 2)
# Of the cases made from an operation's description, field by field and in order, each twentieth is sent.
STEP = 1 if "FUZZ_EXAMPLES" in os.environ else 20

OPERATIONS: list[str] = [each.ok().label for each in schema.get_all_operations()]  # type: ignore[union-attr]
described: dict[str, int] = Counter()


@schema.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    if not getattr(case.meta and case.meta.phase.data, "scenario", None):
        return True
    described[case.operation.label] += 1
    return described[case.operation.label] % STEP == 0


# schema.parametrize() would make the cases of all operations while tests are gathered, in each worker.
@pytest.mark.parametrize("label", OPERATIONS)
def test_answers_are_what_the_schema_says(label: str):
    # Nobody else's: some operations end the caller's own session.
    person = make_person(make_organization())

    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    def answers(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {person.token}"}, checks=CHECKS)

    operation = schema.find_operation_by_label(label)
    assert operation is not None
    build_operation_test(
        config=schema.config, operation=operation, test_func=answers, given_kwargs={}, feedback=NO_FEEDBACK
    )()


def test_a_delete_answers_200_with_a_message():
    deletes = [operation.ok() for operation in schema.get_all_operations() if operation.ok().method == "delete"]
    assert deletes
    assert [str(each.label) for each in deletes if "200" not in each.definition.raw["responses"]] == []
