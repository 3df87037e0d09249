"""Rules and dashboard name metrics that /metrics tells; every alert has its runbook, and every runbook its alert."""

import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from django.test import Client

PROJECT = Path(__file__).resolve().parent.parent.parent
MONITORING = PROJECT / "deploy/monitoring"
RULES: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((MONITORING / "rules.yml").read_text())["groups"] for rule in group["rules"]
]
DASHBOARD = json.loads((MONITORING / "dashboard.json").read_text())
ALERTS = [rule["alert"] for rule in RULES if "alert" in rule]
RUNBOOKS = (PROJECT / "docs/operations.md").read_text()
SUFFIX = re.compile(r"_(bucket|count|sum|total|created)$")
# Of Prometheus itself.
PROMETHEUS = {"up"}
# Labels that Prometheus or an aggregation adds.
ADDED = {"job", "instance", "le"}


def expressions() -> list[tuple[str, str]]:
    found = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in RULES]
    return found + [
        (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel.get("targets", [])
    ]


def selectors(node: Any) -> list[Any]:
    """Return every series that an expression reads."""
    if isinstance(node, promql_parser.VectorSelector):
        return [node]
    parts = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector", "param")]
    parts += list(getattr(node, "args", None) or [])
    return [found for part in parts if part is not None for found in selectors(part)]


@pytest.fixture(scope="module")
def exposed() -> dict[str, set[str]]:
    """Return {metric: its labels} of what /metrics tells here, with families that have no samples yet."""
    import vocelio.operations.slow_queries
    from comms.services import outbox
    from crm_sync.services import limits
    from vocelio import outbound
    from vocelio.health import figures as _figures  # noqa: F401 - registers them
    from vocelio.health import metrics
    from vocelio.jobs import services
    from vocelio.realtime import hub

    own = [
        *(metrics.REQUESTS, metrics.LATENCY, metrics.TASKS, services.SECONDS, outbound.CALLS, limits.LEFT),
        *(outbox.HANDED_OVER, hub.SOCKETS, hub.FRAMES, vocelio.operations.slow_queries.SLOW),
    ]
    told = {metric._name: set(metric._labelnames) for metric in own}
    return told | {figure.name: set(figure.labels) for figure in metrics._gauges.values()}


@pytest.mark.parametrize(("where", "expression"), expressions())
def test_every_expression_parses_and_reads_what_is_told(where: str, expression: str, exposed: dict[str, set[str]]):
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    read = selectors(promql_parser.parse(expression))
    assert read
    for selector in read:
        if selector.name in recorded | PROMETHEUS:
            continue
        name = selector.name if selector.name in exposed else SUFFIX.sub("", selector.name)
        assert name in exposed, f"{where} reads {selector.name}"
        assert {matcher.name for matcher in selector.matchers.matchers} <= exposed[name] | ADDED


def test_everything_that_is_registered_is_told():
    text = Client(SERVER_NAME="localhost").get("/metrics").content.decode()
    from vocelio.health.metrics import _gauges

    untold = [name for name in _gauges if f"# TYPE {name}" not in text]
    assert untold == []


def test_every_alert_has_its_runbook_and_every_runbook_its_alert():
    headings = re.findall(r"^### (Vocelio\w+)$", RUNBOOKS, re.MULTILINE)
    assert headings == ALERTS
    for rule in RULES:
        if "alert" in rule:
            assert rule["annotations"]["runbook"] == f"docs/operations.md#{rule['alert'].lower()}"
            assert rule["labels"]["severity"] in {"page", "ticket"}


def test_every_alert_is_unit_tested():
    tests = yaml.safe_load((MONITORING / "rules_test.yml").read_text())["tests"]
    assert {test["name"] for test in tests} >= {
        f"{alert} {does}" for alert in ALERTS for does in ("fires", "is silent")
    }


@pytest.mark.parametrize(
    "metric",
    [
        # The first document, Monitoring & Analytics: its names, here with the unit in the name where Prometheus asks.
        *("vocelio:contacts_create_avg_seconds", "vocelio:contacts_list_avg_seconds"),
        *("vocelio:import_processing_avg_seconds", "vocelio:crm_sync_avg_seconds"),
        *("vocelio:contacts_created_per_minute", "vocelio:api_requests_per_second", "vocelio:concurrent_imports"),
        *("vocelio_total_contacts", "vocelio_active_organizations", "vocelio_contacts_imported_today"),
        *("vocelio_crm_syncs_completed", "vocelio_dnc_compliance_rate"),
    ],
)
def test_every_figure_of_the_document_is_on_the_dashboard(metric: str):
    assert any(metric in target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", []))
