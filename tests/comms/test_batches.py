"""Messages to many: queued once, sent once, whoever dies and whoever says no meanwhile."""

import os
import random
import threading
import time
import uuid
from collections import Counter

from django.db import connection
from django.db.models.functions import Now

from comms.models import ChannelAccount, Communication
from contacts.models import Contact
from tests.comms.dying_sender import send
from tests.factories import unique
from tests.mortal import run_mortal
from vocelio.db.ids import uuid7_series
from vocelio.jobs.services import LEASE
from vocelio.organizations.scope import organization_scope

# FUZZ_KILLS=50 FUZZ_MESSAGES=1000 looks as long as a release wants.
KILLS = int(os.environ.get("FUZZ_KILLS") or 2)
MESSAGES = int(os.environ.get("FUZZ_MESSAGES") or 40)
# Mails that are handed over at once.
CONNECTIONS = 3
OPT_OUTS = int(os.environ.get("FUZZ_OPT_OUTS") or 30)


def people(desk, number, tag):
    with organization_scope(desk.person.organization.id):
        Contact.objects.bulk_create(
            Contact(id=pk, first_name=f"P{index}", email=f"{unique('p')}@example.test", tags=[tag])
            for index, pk in enumerate(uuid7_series(number))
        )
        return list(Contact.objects.filter(tags=[tag]).order_by("id").values_list("email", flat=True))


def start(desk, tag, **fields):
    body = {"filter": {"tags": tag}, "templateId": desk.template()["id"], "inWindow": False} | fields
    answer = desk.person.post("/v1/communications", body)
    assert answer.status == 202, answer
    desk.jobs()
    return answer.data["id"]


def show(desk, batch_id):
    return desk.person.get(f"/v1/communications/batches/{batch_id}").data


def test_a_batch_is_previewed_queued_and_sent_to_each_address_once(desk):
    tag = unique("tag")
    emails = people(desk, 5, tag)
    with organization_scope(desk.person.organization.id):
        Contact.objects.create(email=emails[0], tags=[tag])
        Contact.objects.create(phone="+12125550177", tags=[tag])
    desk.person.put(f"/v1/communications/accounts/{desk.account_id}", {"price": "0.01"})
    template = desk.template()
    body = {"filter": {"tags": tag}, "templateId": template["id"], "inWindow": False}
    preview = desk.person.post("/v1/communications/preview-batch", body).data
    assert (preview["total"], preview["withAddress"], preview["withoutAddress"]) == (7, 6, 1)
    assert preview["cost"] == "0.06"
    batch_id = start(desk, tag)
    shown = show(desk, batch_id)
    assert (shown["queued"], shown["skipped"], shown["state"]) == (5, 2, "sending")
    assert desk.send() == 5
    assert sorted(desk.mailbox.recipients) == sorted(emails)
    shown = show(desk, batch_id)
    assert (shown["state"], shown["messages"]) == ("finished", {"sent": 5})


def test_a_batch_is_paused_resumed_and_called_off(desk):
    tag = unique("tag")
    people(desk, 6, tag)
    batch_id = start(desk, tag)
    path = f"/v1/communications/batches/{batch_id}"
    assert desk.person.post(f"{path}/pause").data["state"] == "paused"
    assert desk.send() == 0
    assert desk.person.post(f"{path}/resume").data["state"] == "sending"
    desk.mailbox.answer = lambda address: "250 OK" if len(desk.mailbox.mails) < 2 else "451 4.3.0 Busy"
    desk.send()
    assert desk.person.post(f"{path}/cancel").data["state"] == "cancelled"
    desk.jobs()
    shown = show(desk, batch_id)
    assert shown["messages"] == {"sent": 2, "cancelled": 4}
    assert desk.person.post(f"{path}/resume").status == 409


def test_agents_write_to_one_and_not_to_many(desk, agent):
    tag = unique("tag")
    body = {"filter": {"tags": tag}, "templateId": desk.template()["id"]}
    assert agent.post("/v1/communications", body).status == 403
    contact = desk.contact()
    mail = {"contactId": contact["id"], "channel": "email", "subject": "Hi", "bodyText": "Hi"}
    assert agent.post("/v1/communications", mail).status == 201


def run_worker(desk, what, number):
    trusted = f"127.0.0.1:{desk.mailbox.port}"
    return run_mortal(send, desk.person.organization.id, uuid.UUID(desk.account_id), what, number, trusted)


def bury(desk):
    """Let the time pass after which a dead worker's work is taken over."""
    with organization_scope(desk.person.organization.id):
        Communication.objects.filter(status="sending").update(claimed_until=Now() - LEASE)
        ChannelAccount.objects.update(lease_until=None)


def open_connections(desk):
    path = f"/v1/communications/accounts/{desk.account_id}"
    settings = desk.person.get(path).data["settings"] | {"connections": str(CONNECTIONS)}
    assert desk.person.put(path, {"settings": settings}).status == 200


def test_whatever_dies_nobody_gets_two_and_the_counts_add_up(desk):
    open_connections(desk)
    draw = random.Random(11)  # noqa: S311
    tag = unique("tag")
    emails = people(desk, MESSAGES, tag)
    batch_id = start(desk, tag)
    died = 0
    for turn in range(KILLS):
        what = "MAIL" if turn % 2 else "SQL"
        # So that the deaths spread over the batch: a mail takes about four statements.
        moments = 2 * MESSAGES // KILLS
        died += run_worker(desk, what, draw.randrange(1, moments * 4 if what == "SQL" else moments))
        bury(desk)
    assert died >= KILLS // 2
    desk.send()
    counts = show(desk, batch_id)["messages"]
    received = Counter(desk.mailbox.recipients)
    assert max(received.values()) == 1, "Nobody gets two."
    assert sum(counts.values()) == MESSAGES
    assert set(counts) <= {"sent", "unknown"}
    assert counts.get("unknown", 0) <= died * CONNECTIONS, "Each death leaves those that were being handed over."
    sent = {row.address for row in desk.rows(batch_id=batch_id, status="sent")}
    assert sent <= set(received), "What counts as sent arrived."
    assert set(received) <= set(emails)


def test_no_message_is_handed_over_after_the_opt_out_of_its_person_committed(desk):
    open_connections(desk)
    tag = unique("tag")
    emails = people(desk, OPT_OUTS * 2, tag)
    start(desk, tag)
    leaving = random.Random(12).sample(emails, OPT_OUTS)  # noqa: S311
    committed: dict[str, float] = {}
    stop = threading.Event()

    def leave():
        for address in leaving:
            if stop.is_set():
                break
            answer = desk.person.post("/v1/dnc/opt-outs", {"emails": [address]})
            committed[address] = time.time()
            assert answer.status < 300
        connection.close()

    leaver = threading.Thread(target=leave)
    leaver.start()
    desk.send()
    leaver.join()
    desk.send()
    rows = desk.rows(address__in=leaving)
    assert len(rows) == OPT_OUTS
    for row in rows:
        if row.status == "sent":
            assert row.attempted_at.timestamp() <= committed[row.address]
        else:
            assert (row.status, row.error_code) == ("cancelled", "OPTED_OUT")
            assert row.address not in desk.mailbox.recipients
