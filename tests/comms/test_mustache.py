"""The documented subset against the mustache spec's own cases (mustache/spec 9cb20c3, MIT)."""

import json
from pathlib import Path

import pytest

from comms.services.mustache import MissingVariable, TemplateError, render, variables

CASES = [
    (file.stem, case)
    for file in sorted((Path(__file__).parent / "mustache").glob("*.json"))
    for case in json.loads(file.read_text())["tests"]
]


@pytest.mark.parametrize(("kind", "case"), CASES, ids=lambda value: value if isinstance(value, str) else value["name"])
def test_the_spec_of_mustache_holds(kind, case):
    assert render(case["template"], case["data"], is_html=True) == case["expected"]


@pytest.mark.parametrize(
    "text",
    [
        "{{7*7}}",
        "{% debug %}",
        "{x.__class__}",
        "{{x.__class__.__mro__()}}",
        "{{ request|attr('x')|list() }}",
        "${7*7} #{7*7} <%= 7*7 %>",
        "{{= | | =}} {{> partial}}",
        "{{lambda: 1}}",
        "{{{7*7}}}",
        "{{ }} {{}} }} {{",
    ],
)
def test_what_is_no_tag_stays_literal(text):
    assert render(text, {"x": object(), "request": {"a": 1}}, is_html=True) == text


def test_attributes_of_objects_are_never_read():
    assert render("{{x.__class__}}{{x.real}}{{s.upper}}", {"x": 5, "s": "a"}, is_html=False) == ""


def test_defaults_and_missing_values():
    assert render("Hi {{first_name|there}}", {"first_name": " "}, is_html=False) == "Hi there"
    assert render("Hi {{first_name|there}}", {"first_name": "<b>"}, is_html=True) == "Hi &lt;b&gt;"
    assert render("{{a}}{{{7}}}", {}, is_html=False) == "{{{7}}}"
    with pytest.raises(MissingVariable, match="city"):
        render("{{first_name|there}} of {{city}}", {}, is_html=False, is_strict=True)
    assert variables("{{a}} {{b|x}} {{#c}}{{d}}{{/c}}") == {"a": False, "b": True, "c": True, "d": True}


def test_values_are_not_templates():
    assert render("{{a}}", {"a": "{{b}}", "b": "secret"}, is_html=False) == "{{b}}"


@pytest.mark.parametrize("text", ["{{#a}}", "{{/a}}", "{{#a}}{{#b}}{{/a}}{{/b}}", "{{#a}}" * 21 + "{{/a}}" * 21])
def test_sections_that_do_not_close_are_refused(text):
    with pytest.raises(TemplateError):
        render(text, {}, is_html=False)
