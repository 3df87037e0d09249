"""The salesperson's steps in the back office: convert a lead, win a deal, make its project, complete a call."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from sales.models import Activity, Deal, Project
from tests.factories import Person, run_jobs
from tests.sales.selling import make_contact, make_deal, make_pipeline
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

CONVERT = {"client_name": "Acme", "role": "buyer", "deal_name": "Looms", "amount": "900"}


def lead_page(person: Person) -> str:
    path = f"/v1/contacts/{make_contact(person)}/sales-profile"
    return f"/admin/sales/salesprofile/{person.post(path, {'headline': 'Buys looms'}).data['id']}/"


def test_a_lead_is_converted_into_a_client_and_a_deal_or_into_nothing(manager: Person, organization: Organization):
    page = lead_page(manager)
    assert "Convert into a client and a deal" in manager.client.get(f"{page}change/").content.decode()
    _, stages = make_pipeline(manager, [{"name": "New"}, {"name": "Offer", "requiredFields": ["expectedCloseOn"]}])
    refused = manager.client.post(f"{page}convert/", {**CONVERT, "stage": stages["Offer"]})
    assert "Offer needs this." in refused.content.decode()
    assert manager.get("/v1/clients").data == manager.get("/v1/deals").data == []
    assert manager.client.post(f"{page}convert/", {**CONVERT, "stage": stages["New"]}).status_code == 302
    with organization_scope(organization.pk):
        deal = Deal.objects.select_related("client").get()
        assert (deal.name, str(deal.amount), deal.client.name) == ("Looms", "900.00", "Acme")


def test_a_won_deal_gets_one_project(manager: Person, organization: Organization):
    _, stages = make_pipeline(manager)
    deal = make_deal(manager, stages["New"])
    page = f"/admin/sales/deal/{deal['id']}/"
    assert "Make its project" not in manager.client.get(f"{page}change/").content.decode()
    refused = manager.client.post(f"{page}project/", follow=True)
    assert "win the deal first" in refused.content.decode()
    manager.post(f"/v1/deals/{deal['id']}/move-stage", {"stageId": stages["Won"]})
    assert "Make its project" in manager.client.get(f"{page}change/").content.decode()
    assert manager.client.post(f"{page}project/").status_code == 302
    assert "Open its project" in manager.client.get(f"{page}change/").content.decode()
    with organization_scope(organization.pk):
        assert Project.objects.get().name == deal["name"]


def test_a_call_is_completed_with_how_it_ended(manager: Person, organization: Organization):
    call = manager.post("/v1/sales-activities", {"kind": "call", "subject": "Ring"}).data
    page = f"/admin/sales/activity/{call['id']}/"
    assert "complete/" in manager.client.get(f"{page}change/").content.decode()
    refused = manager.client.post(f"{page}complete/", {"disposition": "do_not_call"})
    assert refused.status_code == 200
    form: dict[str, Any] = {"disposition": "callback", "outcome": "Later", "callback_at": "2030-01-02T10:00"}
    assert manager.client.post(f"{page}complete/", form).status_code == 302
    with organization_scope(organization.pk):
        done, following = Activity.objects.order_by("created_at")
        assert (done.disposition, done.outcome, done.completed_by_id) == ("callback", "Later", manager.user.pk)
        assert following.due_at.isoformat() == "2030-01-02T10:00:00+00:00"


def test_a_file_of_deals_is_looked_at_and_imported(manager: Person, organization: Organization):
    file = SimpleUploadedFile("deals.csv", b"Deal name,Amount\nLooms,100\n")
    form = {"file": file, "record_type": "deal", "skip_duplicates": "on", "validate_phones": "on", "look": ""}
    address = manager.client.post("/admin/contacts/contactimport/add/", form, follow=True).redirect_chain[-1][0]
    run_jobs(organization)
    assert "Expected close on" in manager.client.get(address).content.decode()
    choices = {"column-0": "name", "column-1": "amount", "policy": "skip", "start": ""}
    assert manager.client.post(address, choices).status_code == 302
    run_jobs(organization)
    with organization_scope(organization.pk):
        assert str(Deal.objects.get().amount) == "100.00"
