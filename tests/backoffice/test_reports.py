"""Reports and dashboards in the back office."""

import re
from typing import Any

from django.core import mail
from django.urls import reverse

from contacts.models import Contact
from tests.factories import Person, phone_number, run_jobs
from tests.rows import make_row
from vocelio.dashboards.models import Dashboard
from vocelio.notifications.models import FeedEntry
from vocelio.organizations.scope import organization_scope
from vocelio.reports.models import ReportSchedule, SavedReport

ASKED = {"metric": "contacts.created", "dimension": "source", "period": "today", "chart": "donut"}


def some_contacts(person: Person) -> None:
    with organization_scope(person.organization.id):
        for source in ("Fair", "Fair", "Web"):
            make_row(Contact, phone=phone_number(), source=source)


def page(person: Person, view: str, *args: Any, **query: Any) -> str:
    answer = person.client.get(reverse(f"admin:{view}", args=args), query, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def post(person: Person, view: str, *args: Any, **fields: Any) -> str:
    answer = person.client.post(reverse(f"admin:{view}", args=args), fields, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_a_report_is_built_shown_saved_narrowed_and_exported(manager: Person):
    some_contacts(manager)
    shown = page(manager, "reports_savedreport_add", **ASKED)
    assert 'data-type="doughnut"' in shown
    assert re.search(r"<td>Fair</td>\s*<td>2</td>", shown)
    saved = post(manager, "reports_savedreport_add", **ASKED, name="Sources", is_shared="on", save="1")
    assert "Sources is saved." in saved
    with organization_scope(manager.organization.id):
        report = SavedReport.objects.get()
    assert (report.definition["dimensions"], report.chart, report.is_shared) == (["source"], "donut", True)
    narrowed = page(manager, "reports_savedreport_change", report.pk, **ASKED, filter="source", values="Web")
    assert not re.search(r"<td>Fair</td>", narrowed)
    assert '<option value="Fair"' in narrowed
    file = manager.client.get(reverse("admin:reports_savedreport_file"), {**ASKED, "format": "csv"})
    assert file.content.decode().splitlines() == ["Source,Contacts added", "Fair,2", "Web,1"]
    assert "cannot be divided" in page(manager, "reports_savedreport_add", **{**ASKED, "dimension": "pipeline"})
    post(manager, "reports_savedreport_delete", report.pk, post="yes")
    with organization_scope(manager.organization.id):
        assert not SavedReport.objects.exists()


def test_a_report_is_mailed_from_its_page(manager: Person):
    with organization_scope(manager.organization.id):
        report = make_row(SavedReport, owner=manager.user)
    address = ("reports_savedreport_schedule", report.pk)
    fields: dict[str, Any] = {
        "frequency": "daily",
        "day": 1,
        "hour": 7,
        "format": "csv",
        "recipients": [str(manager.user.pk)],
    }
    assert "It is mailed from now on." in post(manager, *address, do="add", **fields)
    with organization_scope(manager.organization.id):
        schedule = ReportSchedule.objects.get()
    assert "It is on its way." in post(manager, *address, do=f"send:{schedule.pk}")
    run_jobs(manager.organization)
    assert [each.to for each in mail.outbox] == [[manager.user.email]]
    assert "Completed" in page(manager, "reports_savedreport_change", report.pk)
    assert "It is no longer mailed." in post(manager, *address, do=f"stop:{schedule.pk}")


def test_a_dashboard_is_made_of_saved_reports_and_arranged(manager: Person, monkeypatch: Any):
    monkeypatch.setattr("vocelio.dashboards.services.figures.REST", 0)
    some_contacts(manager)
    with organization_scope(manager.organization.id):
        definition = {"metrics": ["contacts.total"], "dimensions": ["source"]}
        report = make_row(SavedReport, owner=manager.user, name="Sources", definition=definition)
    post(manager, "dashboards_dashboard_add", name="Morning", description="", _save="1")
    with organization_scope(manager.organization.id):
        dashboard = Dashboard.objects.get(name="Morning")
    address = ("dashboards_dashboard_edit", dashboard.pk)
    for chart in ("table", "funnel", "donut"):
        post(manager, *address, do="add", report=str(report.pk), chart=chart)
    shown = post(manager, *address, do="add", report=str(report.pk), chart="number")
    for part in ("<td>Fair</td>", "funnel-bar", 'data-type="doughnut"', "figure-value"):
        assert part in shown
    with organization_scope(manager.organization.id):
        first, *_, last = list(dashboard.tiles.all())
    for do in (f"left:{last.pk}", f"wider:{last.pk}", f"remove:{first.pk}"):
        post(manager, *address, do=do)
    with organization_scope(manager.organization.id):
        charts = [(tile.chart, tile.width) for tile in dashboard.tiles.all()]
    assert charts == [("funnel", 2), ("number", 2), ("donut", 1)]
    some_contacts(manager)
    query = {"tiles": str(last.pk), "newerThan": "2100-01-01T00:00:00+00:00"}
    part = page(manager, "dashboards_dashboard_tiles", dashboard.pk, **query)
    assert part.count('class="tile"') == 1
    assert re.search(r'figure-value text-important">6<', part)
    assert "Morning, " in post(manager, *address, do="copy")


def test_the_usual_dashboard_is_a_click_from_the_first_page(manager: Person):
    assert reverse("admin:dashboards_dashboard_usual") in page(manager, "index")
    assert "Managers at a glance" in page(manager, "dashboards_dashboard_usual")


def test_what_happened_is_found_by_its_kind_and_by_who_did_it(manager: Person):
    with organization_scope(manager.organization.id):
        make_row(FeedEntry, kind="deal.won", title="Looms for Ada", user=manager.user)
        make_row(FeedEntry, kind="job.created", title="Welder", user=None)
    view = "notifications_feedentry_changelist"
    assert "Welder" in page(manager, view)
    for term in ("deal.", manager.user.email):
        found = page(manager, view, q=term)
        assert "Looms for Ada" in found
        assert "Welder" not in found
