"""What the documentation points to exists."""

import re
from pathlib import Path

from django.db import connection

from vocelio.db.schema_reference import PAGE, schema_reference

TESTS = Path(__file__).parent
DATA_MAP = TESTS.parent / "docs" / "data-map.md"
COVERAGE = TESTS.parent / "docs" / "api-coverage.md"


def test_every_test_and_file_named_by_the_coverage_page_exists():
    there = set()
    for path in TESTS.rglob("*.py"):
        there |= {path.stem, *re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE)}
    page = COVERAGE.read_text()
    assert set(re.findall(r"\btest_\w+", page)) - there == set()
    files = set(re.findall(r"`((?:docs|deploy|benchmarks|tests|vocelio|\.ci)/[\w./-]*)`", page))
    assert [name for name in files if not (TESTS.parent / name).exists()] == []
    modules = set(re.findall(r"\b((?:\w+/)?test_\w+\.py)", page))
    assert [name for name in modules if not list(TESTS.rglob(name.removeprefix("tests/")))] == []


def test_the_schema_reference_is_what_the_models_say():
    # Among the CRM providers may be the one of tests/crm_sync.
    said = schema_reference().replace("`memory`, ", "")
    assert PAGE.read_text() == said, "Run: python manage.py write_schema"


def test_the_data_map_names_every_table_and_no_other():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
        )
        there = {name for (name,) in cursor.fetchall()}
    assert set(re.findall(r"`([a-z0-9_]+)`", DATA_MAP.read_text())) == there
