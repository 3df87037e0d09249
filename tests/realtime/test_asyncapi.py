"""The description of the WebSocket is valid, whole and true."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema_rs
from django.test import Client

from tests.factories import Person, phone_number, run_jobs, unique
from tests.realtime.server import Client as Socket
from tests.realtime.server import Server
from tests.sales.selling import make_deal, make_pipeline
from vocelio.realtime.topics import all_topics

HERE = Path(__file__).parent
LIVE = HERE.parent.parent / "docs" / "live.md"


def document() -> Any:
    answer = Client(SERVER_NAME="localhost").get("/v1/asyncapi")
    assert answer.status_code == 200
    return answer.json()


def test_it_is_valid_asyncapi_3():
    schema = json.loads((HERE / "asyncapi" / "3.0.0.json").read_text())
    jsonschema_rs.validator_for(schema).validate(document())


def test_every_reference_leads_somewhere_and_every_payload_is_a_schema():
    described = document()
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(described)):
        there = described
        for part in reference.split("/"):
            there = there[part]
    for channel in described["channels"].values():
        for message in channel["messages"].values():
            jsonschema_rs.validator_for(message["payload"])


def test_every_channel_is_described_and_stands_in_the_guide():
    names = {topic.name for topic in all_topics()}
    assert set(document()["channels"]) == names | {"socket"}
    rows = re.findall(r"^\| `(\w+)` \|", LIVE.read_text(), re.MULTILINE)
    assert set(rows) == names


@contextmanager
def following_all(server: Server, person: Person) -> Iterator[Socket]:
    with server.sign_in(person) as client:
        for topic in all_topics():
            if not topic.key:
                assert client.subscribe(topic.name)["type"] == "subscribed"
        yield client


def test_what_a_day_of_work_announces_is_as_described(server: Server, admin: Person, agent: Person):
    with following_all(server, admin) as client:
        contact = admin.post("/v1/contacts", {"firstName": "Ada", "phone": phone_number()}).data["id"]
        other = admin.post("/v1/contacts", {"firstName": "Bob", "phone": phone_number()}).data["id"]
        admin.patch(f"/v1/contacts/{contact}", {"company": "Looms"})
        admin.post("/v1/contacts/merge", {"contactId": contact, "mergeIds": [other]})
        bulk = {"operation": "add-tags", "contactIds": [contact], "data": {"tags": ["met"]}}
        admin.post("/v1/contacts/bulk-operations", bulk)
        company = admin.post("/v1/clients", {"name": unique("Looms")}).data["id"]
        admin.patch(f"/v1/clients/{company}", {"industry": "Textiles"})
        _, stages = make_pipeline(admin)
        deal = make_deal(admin, stages["New"], amount="10")["id"]
        admin.patch(f"/v1/deals/{deal}", {"name": "More looms"})
        admin.post(f"/v1/deals/{deal}/move-stage", {"stageId": stages["Offer"]})
        activity = admin.post("/v1/sales-activities", {"kind": "call", "subject": "Hello", "dealId": deal}).data["id"]
        admin.post(f"/v1/sales-activities/{activity}/complete", {})
        admin.post("/v1/dnc/opt-outs", {"phoneNumbers": [phone_number()]})
        admin.patch(f"/v1/members/{agent.user.memberships.get().pk}", {"team": "north"})
        admin.delete(f"/v1/deals/{deal}")
        admin.post(f"/v1/contacts/{contact}/erase", {"confirm": True})
        run_jobs(admin.organization)
        heard = set()
        client.say(type="ping")
        # Each frame is held against its description as it is heard (tests/realtime/server.py).
        while (frame := client.hear())["type"] != "pong" or "contact_erased" not in heard:
            heard.add(frame["type"])
            if frame["type"] == "pong":
                client.say(type="ping")
    expected = {
        "contact_created",
        "contact_updated",
        "contacts_changed",
        "contact_erased",
        "client_created",
        "client_updated",
    }
    expected |= {"deal_created", "deal_updated", "deal_moved", "deal_deleted", "activity_created", "activity_completed"}
    expected |= {"feed_entry", "dnc_list_changed", "opted_out", "member_updated"}
    assert expected - heard == set()
