"""A number put on a company list by a request that committed before a claim is never claimed."""

import threading
import time

import pytest
from django.db import connection

from comms.services import outbox
from tests.comms.fakes import SmsFake
from tests.comms.lines import Line
from tests.dnc.registries import company_list
from tests.factories import unique

NUMBERS = 24


@pytest.fixture
def line(admin, settings, any_hour):
    fake = SmsFake()
    settings.OUTBOUND_TRUSTED = [*settings.OUTBOUND_TRUSTED, f"127.0.0.1:{fake.server_port}"]
    values = {"url": f"{fake.url}/send", "from": "+12125550000"}
    yield Line(admin, "sms_http", values, {"token": "sms-token"})
    fake.stop()


def test_a_number_listed_before_the_claim_is_refused_however_close_the_race(line: Line, monkeypatch):
    numbers, messages = [], {}
    for index in range(NUMBERS):
        number = f"{line.number[:-4]}{2000 + index}"
        contact = line.person.post("/v1/contacts", {"firstName": unique("p"), "phone": number}).data
        line.consent(phoneNumber=number, channel="sms")
        body = {"contactId": contact["id"], "channel": "sms", "bodyText": "Hello"}
        messages[number] = line.person.post("/v1/communications", body).data
        numbers.append(number)
    stop_list = company_list(line.person)
    listed: dict[str, float] = {}
    claims: list[tuple[float, list[str]]] = []
    claim = outbox.claim

    def watched(*args, **kwargs):
        began = time.monotonic()
        found = claim(*args, **kwargs)
        claims.append((began, [message.address for message, _ in found.ready]))
        return found

    def keep_listing():
        for number in reversed(numbers):
            answer = line.person.post("/v1/dnc-entries", {"listId": stop_list, "phoneNumber": number})
            assert answer.status == 201, answer
            # The request's transaction has committed by now.
            listed[number] = time.monotonic()
        connection.close()

    monkeypatch.setattr(outbox, "claim", watched)
    monkeypatch.setattr(outbox, "FIRST_CLAIM", 2)
    monkeypatch.setattr(outbox, "LARGEST_CLAIM", 2)
    racer = threading.Thread(target=keep_listing)
    racer.start()
    line.send()
    racer.join()
    line.send()
    claimed = {number: began for began, found in claims for number in found}
    assert set(listed) == set(numbers)
    for number, message in messages.items():
        shown = line.show(message)
        if number in claimed:
            assert claimed[number] < listed[number], "It was claimed before it was listed."
        else:
            assert (shown["status"], shown["errorCode"]) == ("cancelled", "DNC")
