"""Files of deals: recognised, held against the gates, previewed, imported, taken back."""

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from tests.contacts.test_clients import make_client
from tests.contacts.test_contacts import make_contact
from tests.factories import Answer, Person, run_jobs
from tests.sales.selling import make_pipeline

HEADER = (
    "Deal name,Account name,Pipeline,Deal stage,Amount,Currency,Close date,Deal owner,Contact email,Lost reason,PO\n"
)


def send(person: Person, content: str | bytes, name: str = "deals.csv", **fields: Any) -> Answer:
    content = content.encode() if isinstance(content, str) else content
    return person.post("/v1/uploads/deals", {"file": SimpleUploadedFile(name, content), **fields})


def take_in(person: Person, content: str | bytes, name: str = "deals.csv", **fields: Any) -> Any:
    """Upload a file of deals, let the job run, return what its address answers then."""
    answer = send(person, content, name, **fields)
    assert answer.status == 202, answer
    run_jobs(person.organization)
    return person.get(f"/v1/uploads/deals/{answer.data['jobId']}").data


def counts(job: Any) -> tuple[int, int, int, int]:
    """Return imported, updated, duplicates, invalid."""
    results = job["results"]
    return results["imported"], results["updated"], results["duplicates"], results["invalidContacts"]


def test_rows_find_stage_client_owner_and_contact_by_name(manager: Person):
    pipeline, _ = make_pipeline(manager)
    client = make_client(manager, name="Müller GmbH", domain="mueller.de")
    contact = make_contact(manager, email="ada@mueller.de")
    rows = (
        f'Ten looms,MULLER gmbh,{pipeline["name"].upper()},new,"$12,500.00",,31.03.2027,'
        f"{manager.user.email},Ada@mueller.de,,77\n"
        "Spare parts,mueller.de,,,,,,,,,\n"
    )
    job = take_in(manager, HEADER + rows)
    assert (job["status"], job["recordType"], counts(job)) == ("completed", "deal", (2, 0, 0, 0)), job
    parts, looms = sorted(manager.get("/v1/deals").data, key=lambda deal: str(deal["name"]))
    full = manager.get(f"/v1/deals/{looms['id']}").data
    assert (full["amount"], full["currency"], full["expectedCloseOn"]) == ("12500.00", "USD", "2027-03-31")
    assert (full["client"]["id"], full["assignedTo"]["id"]) == (client["id"], str(manager.user.id))
    assert full["pipeline"]["id"] == pipeline["id"]
    assert [each["contactId"] for each in full["contacts"]] == [contact["id"]]
    assert full["customFields"] == {"PO": "77"}
    assert (parts["client"]["id"], parts["status"]) == (client["id"], "open")
    # The same file again repeats both.
    assert counts(take_in(manager, HEADER + rows)) == (0, 0, 2, 0)


def test_a_workbook_of_deals_is_imported(manager: Person):
    workbook, content = Workbook(), io.BytesIO()
    sheet: Any = workbook.active
    for row in (["Opportunity name", "Amount"], ["Hooli", 20_000], ["Initech", 500.5]):
        sheet.append(row)
    workbook.save(content)
    assert counts(take_in(manager, content.getvalue(), name="deals.xlsx")) == (2, 0, 0, 0)
    assert {(deal["name"], deal["amount"]) for deal in manager.get("/v1/deals").data} == {
        ("Hooli", "20000.00"),
        ("Initech", "500.50"),
    }


def test_gates_hold_for_files_and_unknown_names_are_rejected_with_advice(manager: Person):
    stages: list[dict[str, Any]] = [
        {"name": "In", "probability": 10},
        {"name": "Offer", "probability": 50, "requiredFields": ["amount", "client"]},
        {"name": "Won", "kind": "won"},
        {"name": "Lost", "kind": "lost", "requiredFields": ["lostReason"]},
    ]
    pipeline, _ = make_pipeline(manager, stages)
    make_client(manager, name="Acme")
    rows = (
        "A,,Gated,Offer,,,,,,,\n"
        "B,Acme,Gated,Offer,100,,,,,,\n"
        "C,Nobody Ltd,Gated,In,,,,,,,\n"
        "D,,Gated,Lost,,,,,,,\n"
        "E,,Gated,Nowhere,,,,,,,\n"
        "F,,Gated,In,lots,,,,,,\n"
        "G,,Gated,In,,CHF,,,,,\n"
        "H,,Gated,In,,,soon,,,,\n"
        "I,,Gated,In,,,,stranger@x.test,,,\n"
        ",,,,5,,,,,,\n"
    )
    job = take_in(manager, HEADER + rows.replace("Gated", pipeline["name"]))
    assert counts(job) == (1, 0, 0, 9), job
    reasons = {each["row"]: each["error"] for each in job["validationErrors"]}
    assert reasons[2] == "Offer needs: amount, client"
    assert "no client of this name" in reasons[4]
    assert "Lost needs" in reasons[5]
    assert "no stage of this name" in reasons[6]
    assert reasons[7] == "Not an amount"
    assert "exchange rate for CHF" in reasons[8]
    assert reasons[9] == "Not a date"
    assert "no member" in reasons[10]
    assert [deal["name"] for deal in manager.get("/v1/deals").data] == ["B"]
    # A row that would move a known deal past its gate is rejected as well, and changes nothing of it.
    take_in(manager, f"name,pipeline,stage,amount\nJ,{pipeline['name']},In,5\n")
    job = take_in(manager, f"name,pipeline,stage,amount\nJ,{pipeline['name']},Offer,6\n", policy="overwrite")
    assert counts(job) == (0, 0, 0, 1)
    assert {deal["amount"] for deal in manager.get("/v1/deals").data if deal["name"] == "J"} == {"5.00"}


def test_a_dry_run_counts_what_the_import_then_does_and_an_undo_takes_it_back(manager: Person):
    take_in(manager, "name,amount,source\nOld,10,Fair\n")
    (old,) = manager.get("/v1/deals").data
    contact = make_contact(manager, email="ada@example.test")
    rows = "name,amount,contact\nOld,20,ada@example.test\nNew,5,\nUsed,7,ada@example.test\n"
    answer = send(manager, rows, policy="overwrite", preview="true")
    path = f"/v1/uploads/deals/{answer.data['jobId']}"
    run_jobs(manager.organization)
    dry_run = manager.get(f"{path}/preview").data["dryRun"]
    assert len(manager.get("/v1/deals").data) == 1
    assert manager.post(f"{path}/start", {}).status == 202
    run_jobs(manager.organization)
    assert counts(manager.get(path).data) == (2, 1, 0, 0)
    assert (dry_run["results"]["created"], dry_run["results"]["updated"]) == (2, 1)
    deals = {deal["name"]: deal for deal in manager.get("/v1/deals").data}
    assert (deals["Old"]["amount"], deals["Old"]["version"]) == ("20.00", old["version"] + 1)
    assert manager.get(f"/v1/deals/{old['id']}").data["contacts"][0]["contactId"] == contact["id"]
    manager.post("/v1/sales-activities", {"kind": "call", "subject": "Ring", "dealId": deals["Used"]["id"]})
    assert manager.post(f"{path}/undo", {}).status == 202
    run_jobs(manager.organization)
    undo = manager.get(f"{path}/undo").data
    assert (undo["results"]["removed"], undo["results"]["kept"], undo["results"]["restored"]) == (1, 1, 1), undo
    deals = {deal["name"]: deal for deal in manager.get("/v1/deals").data}
    assert (set(deals), deals["Old"]["amount"]) == ({"Old", "Used"}, "10.00")
    people = {name: manager.get(f"/v1/deals/{deal['id']}").data["contacts"] for name, deal in deals.items()}
    assert (len(people["Old"]), len(people["Used"])) == (0, 1)


def test_a_row_with_an_id_changes_that_deal_and_moves_it_through_the_history(manager: Person):
    take_in(manager, "name,amount\nOld,10\n")
    (old,) = manager.get("/v1/deals").data
    goal = manager.get("/v1/pipelines").data[0]["stages"][2]["name"]
    rows = f"vocelio id,deal name,stage,amount,close date\n{old['id']},Renamed,{goal},20,2027-01-31\n"
    job = take_in(manager, rows, policy="overwrite")
    assert counts(job) == (0, 1, 0, 0), job
    deal = manager.get(f"/v1/deals/{old['id']}").data
    assert (deal["name"], deal["stage"]["name"]) == ("Renamed", goal)
    assert len(manager.get(f"/v1/deals/{old['id']}/history").data) == 2


def test_files_of_deals_keep_to_their_address_and_their_permission(manager: Person, agent: Person):
    assert send(agent, "name\nA\n").status == 403
    job = take_in(manager, "name\nA\n")
    assert manager.get(f"/v1/uploads/clients/{job['id']}").status == 404
    assert send(manager, "colour\nred\n").status == 202
    assert manager.get("/v1/uploads/deals/template?format=odd").status == 422
