"""What the documentation points to exists."""

import re
from pathlib import Path

TESTS = Path(__file__).parent
COVERAGE = TESTS.parent / "docs" / "api-coverage.md"


def test_every_test_named_by_the_coverage_page_exists():
    there = set()
    for path in TESTS.rglob("*.py"):
        there |= {path.stem, *re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)}
    named = set(re.findall(r"\btest_\w+", COVERAGE.read_text()))
    assert named - there == set()
