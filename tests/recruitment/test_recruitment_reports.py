"""Figures from events: true, the same as JSON, CSV and PDF, and unmoved when a person is erased."""

import pytest
from django.db import connection

from recruitment.services.reports import REPORTS
from tests.factories import Person
from tests.recruitment.hiring import apply, make_applicant, make_job, make_reason, move
from vocelio.organizations.scope import organization_scope


def test_figures_agree_with_an_independent_count_and_outlive_the_people(admin: Person):
    job, reason = make_job(admin, openings=5), make_reason(admin)
    stages, people = job["stages"], [make_applicant(admin) for _ in range(4)]
    first, second, third, fourth = (
        apply(admin, job, contact=person, source="LinkedIn" if index else "Referral")
        for index, person in enumerate(people)
    )
    for application in (first, second, third):
        move(admin, application, stages["Interview"])
    move(admin, first, stages["Hired"])
    move(admin, second, stages["Rejected"], rejectionReasonId=reason)
    move(admin, third, stages["Rejected"], rejectionReasonId=reason)
    move(admin, third, stages["Interview"])
    move(admin, fourth, stages["Withdrawn"])
    before = {name: admin.get(f"/v1/recruitment-analytics/{name}").data for name in REPORTS}
    assert before["applications"]["totals"] == {"applied": 4, "hired": 1, "rejected": 1, "withdrawn": 1}
    sources = {row["source"]: row for row in before["sources"]["rows"]}
    assert (sources["Referral"]["hired"], sources["Referral"]["hireRate"]) == (1, 100.0)
    assert (sources["LinkedIn"]["applied"], sources["LinkedIn"]["rejected"]) == (3, 1)
    interview = next(row for row in before["funnel"]["rows"] if row["stage"] == "Interview")
    assert [interview[name] for name in ("entered", "advanced", "rejected", "conversion")] == [4, 1, 2, 33.3]
    assert before["time-to-fill"]["totals"]["hires"] == 1
    assert before["recruiters"]["totals"]["hired"] == 1
    with organization_scope(admin.organization.pk), connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM event.moved_at - jobs.opened_at) / 86400 FROM application_stage_events event"
            " JOIN jobs ON jobs.id = event.job_id WHERE to_outcome = 'hired'"
        )
        days = float(cursor.fetchone()[0])
    assert before["time-to-fill"]["totals"]["daysToFill"] == round(days, 1)
    for person in people:
        assert admin.post(f"/v1/contacts/{person}/erase", {"confirm": True}).status == 200
    after = {name: admin.get(f"/v1/recruitment-analytics/{name}").data for name in REPORTS}
    for name in REPORTS:
        assert after[name]["rows"] == before[name]["rows"]
        assert after[name]["totals"] == before[name]["totals"]


@pytest.mark.parametrize("report", REPORTS)
def test_every_recruitment_report_comes_as_json_csv_and_pdf(report: str, agent: Person):
    job = make_job(agent)
    move(agent, apply(agent, job), job["stages"]["Hired"])
    shown = agent.get(f"/v1/recruitment-analytics/{report}").data
    text = agent.get(f"/v1/recruitment-analytics/{report}?format=csv").response.content.decode()
    assert text.splitlines()[0] == ",".join(
        f'"{c["label"]}"' if "," in c["label"] else c["label"] for c in shown["columns"]
    )
    assert len(text.splitlines()) == len(shown["rows"]) + 1
    printed = agent.get(f"/v1/recruitment-analytics/{report}?format=pdf").response.content
    assert printed.startswith(b"%PDF-")
    assert agent.get(f"/v1/recruitment-analytics/{report}?nonsense=1").status == 422
