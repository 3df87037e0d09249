"""Reports that people keep: their own and shared ones, as JSON and as files."""

import csv
import io
from typing import Any

import openpyxl
import pytest

from contacts.models import Contact
from tests.factories import Person, make_person, phone_number, unique
from tests.reports.asking import seed
from vocelio.organizations.models import Role

BY_SOURCE = {"metrics": ["contacts.created"], "dimensions": ["source"], "range": {"preset": "today"}}


def save(person: Person, **fields: Any) -> dict[str, Any]:
    answer = person.post("/v1/reports", {"name": unique("report"), "definition": BY_SOURCE, **fields})
    assert answer.status == 201, answer
    kept: dict[str, Any] = answer.data
    return kept


def test_a_report_is_kept_changed_run_and_deleted(agent: Person):
    seed(agent, Contact, [{"phone": phone_number(), "source": "Fair"}])
    report = save(agent, description="Where they come from", chart="bar")
    assert report["definition"] == BY_SOURCE
    assert report["owner"]["id"] == str(agent.user.pk)
    changed = agent.patch(f"/v1/reports/{report['id']}", {"name": "Sources"}).data
    assert (changed["name"], changed["definition"]) == ("Sources", BY_SOURCE)
    answer = agent.get(f"/v1/reports/{report['id']}/run").data
    assert (answer["title"], answer["labels"], answer["series"][0]["data"]) == ("Sources", ["Fair"], [1])
    assert agent.delete(f"/v1/reports/{report['id']}").status == 200
    assert agent.get(f"/v1/reports/{report['id']}").status == 404


def test_a_definition_is_judged_when_it_is_saved(agent: Person):
    wrong = agent.post("/v1/reports", {"name": "x", "definition": {"metrics": ["contacts.nope"]}})
    assert (wrong.status, wrong.error["details"]["field"]) == (422, "metrics.0")
    assert agent.post("/v1/reports", {"name": "x", "definition": {"metrics": ["crm.runs"]}}).status == 403
    kept = save(agent)
    again = agent.post("/v1/reports", {"name": kept["name"], "definition": BY_SOURCE})
    assert (again.status, again.error["code"]) == (409, "REPORT_EXISTS")


def test_private_reports_are_ones_own_and_shared_ones_everybodys_to_run(manager: Person, agent: Person):
    private, shared = save(manager), save(manager, isShared=True)
    assert agent.get(f"/v1/reports/{private['id']}").status == 404
    assert agent.get(f"/v1/reports/{shared['id']}/run").status == 200
    assert agent.patch(f"/v1/reports/{shared['id']}", {"name": "x"}).status == 403
    assert agent.post("/v1/reports", {"name": "x", "definition": BY_SOURCE, "isShared": True}).status == 403
    colleague = make_person(manager.organization, Role.MANAGER)
    assert colleague.patch(f"/v1/reports/{shared['id']}", {"description": "Ours"}).status == 200
    assert [each["id"] for each in agent.get("/v1/reports").data] == [shared["id"]]


def test_a_shared_report_shows_each_reader_what_their_role_shows(admin: Person, agent: Person):
    report = save(admin, isShared=True, definition={"metrics": ["crm.runs"]})
    assert admin.get(f"/v1/reports/{report['id']}/run").status == 200
    assert agent.get(f"/v1/reports/{report['id']}/run").status == 403


@pytest.mark.parametrize("chart", ["bar", "line", "donut"])
def test_files_hold_the_figures_and_no_formula(chart: str, manager: Person):
    seed(manager, Contact, [{"phone": phone_number(), "source": source} for source in ("=1+1", "Fair", "Fair")])
    report = save(manager, chart=chart, name=f"Sources {chart}")
    address = f"/v1/reports/{report['id']}/run?format="
    table = list(csv.reader(io.StringIO(manager.get(f"{address}csv").response.content.decode())))
    assert table == [["Source", "Contacts added"], ["Fair", "2"], ["'=1+1", "1"]]
    book = openpyxl.load_workbook(io.BytesIO(manager.get(f"{address}xlsx").response.content))
    sheet: Any = book.active
    assert [[cell.value for cell in row] for row in sheet.iter_rows()][1:] == [["Fair", 2], ["=1+1", 1]]
    assert [cell.data_type for cell in sheet[3]] == ["s", "n"]
    assert len(sheet._charts) == 1
    printed = manager.get(f"{address}pdf")
    assert printed.response.content.startswith(b"%PDF-")
    assert manager.get(f"{address}doc").status == 422
