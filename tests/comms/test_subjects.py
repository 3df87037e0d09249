"""A message may belong to a deal or an application besides its contact."""

import uuid

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.comms.conftest import Desk
from tests.factories import make_organization, make_person
from tests.recruitment.hiring import apply, make_job
from tests.sales.selling import make_deal, make_pipeline


def test_messages_show_the_deal_and_the_application_they_belong_to(desk: Desk):
    contact = desk.contact()
    _, stages = make_pipeline(desk.person)
    deal = make_deal(desk.person, stages["New"], name="Paper")
    job = make_job(desk.person, title="Printer")
    application = apply(desk.person, job, contact=contact["id"])
    about_deal = desk.write(contact, subjectType="deal", subjectId=deal["id"])
    about_job = desk.write(contact, subjectType="application", subjectId=application["id"])
    assert desk.show(about_deal)["about"] == {"type": "deal", "id": deal["id"], "name": "Paper"}
    assert desk.show(about_job)["about"]["name"] == "Ada, Printer"


def test_a_list_of_messages_names_what_they_belong_to_in_as_many_queries_for_many(desk: Desk):
    job = make_job(desk.person)

    def add(number: int) -> None:
        for _ in range(number):
            contact = desk.contact()
            desk.write(
                contact, subjectType="application", subjectId=apply(desk.person, job, contact=contact["id"])["id"]
            )

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert desk.person.get("/v1/communications").status == 200
        return len(captured)

    add(2)
    queries()
    few = queries()
    add(4)
    assert queries() == few


def test_what_one_cannot_see_is_no_subject(desk: Desk):
    stranger = make_person(make_organization(), "admin")
    foreign = make_deal(stranger, make_pipeline(stranger)[1]["New"])
    body = {"contactId": desk.contact()["id"], "channel": "email", "subject": "Hi", "bodyText": "Hi"}
    for kind, row_id in (("deal", foreign["id"]), ("deal", str(uuid.uuid4())), ("planet", foreign["id"])):
        answer = desk.person.post("/v1/communications", {**body, "subjectType": kind, "subjectId": row_id})
        assert answer.status == 422, answer
