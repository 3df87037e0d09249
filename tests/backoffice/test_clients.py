"""Clients and profiles in the back office: written by the services of the API, shown with what belongs to them."""

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from contacts.models import Client, ClientContact, Contact, ProfileChange
from recruitment.models import CandidateProfile
from sales.models import SalesProfile
from tests.factories import Person, run_jobs, unique
from tests.rows import make_row
from vocelio.audit.models import AuditEntry
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope

CLIENTS = "/admin/contacts/client/"
RELATIONS = "/admin/contacts/clientcontact/"
SALES = "/admin/sales/salesprofile/"
CANDIDATES = "/admin/recruitment/candidateprofile/"


def client_form(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "status": "prospect", "custom_fields": "{}", "tags": "", **fields}


def actions(organization: Organization) -> list[str]:
    with organization_scope(organization.pk):
        return list(AuditEntry.objects.order_by("created_at", "id").values_list("action", flat=True))


def test_a_client_is_added_changed_and_trashed_by_the_services(manager: Person, organization: Organization):
    name = unique("Company")
    form = client_form(name, website="www.made.example", phone="+44 20 7946 0958", tags="a, b")
    assert manager.client.post(f"{CLIENTS}add/", form).status_code == 302
    with organization_scope(organization.pk):
        client = Client.objects.get(name=name)
    assert (client.domain, client.phone, client.tags) == ("made.example", "+442079460958", ["a", "b"])
    page = f"{CLIENTS}{client.pk}/change/"
    changed = client_form(
        name, website=client.website, domain="made.example", phone=client.phone, tags="a, b", city="Bath"
    )
    assert manager.client.post(page, changed).status_code == 302
    assert manager.client.post(f"{CLIENTS}{client.pk}/delete/", {"post": "yes"}).status_code == 302
    assert actions(organization)[-3:] == ["client.created", "client.updated", "client.deleted"]
    with organization_scope(organization.pk):
        assert Client.objects.in_trash().get(pk=client.pk).city == "Bath"


def test_what_a_service_refuses_is_said_at_its_field(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        taken = make_row(Client)
    answer = manager.client.post(f"{CLIENTS}add/", client_form(taken.name.upper()))
    assert answer.status_code == 200
    assert "There is already a client with this name and domain." in answer.content.decode()
    bad = client_form(unique("X"), website="no site", phone="12", currency="EURO", domain="a b")
    page = manager.client.post(f"{CLIENTS}add/", bad).content.decode()
    for text in ("This is not a web address.", "Not a phone number", "This is not a domain."):
        assert text in page


def test_clients_are_verified_and_restored_by_actions(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        client = make_row(Client)
    for action, expected in (("verify", "verified"), ("reject", "rejected")):
        manager.client.post(CLIENTS, {"action": action, "_selected_action": [str(client.pk)]})
        with organization_scope(organization.pk):
            assert Client.objects.get(pk=client.pk).verification == expected
    manager.client.post(CLIENTS, {"action": "delete_selected", "_selected_action": [str(client.pk)], "post": "yes"})
    manager.client.post(f"{CLIENTS}?trash=yes", {"action": "restore", "_selected_action": [str(client.pk)]})
    with organization_scope(organization.pk):
        assert Client.objects.alive().filter(pk=client.pk).exists()


def test_people_are_added_to_a_client_and_stand_on_both_pages(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        client, contact = make_row(Client), make_row(Contact, first_name="Ada", last_name="Lovelace")
    form = {"client": str(client.pk), "contact": str(contact.pk), "role": "buyer", "title": "Buyer", "is_primary": "on"}
    assert manager.client.post(f"{RELATIONS}add/", form).status_code == 302
    assert "Ada Lovelace" in manager.client.get(f"{CLIENTS}{client.pk}/change/").content.decode()
    assert client.name in manager.client.get(f"/admin/contacts/contact/{contact.pk}/change/").content.decode()
    again = manager.client.post(f"{RELATIONS}add/", form)
    assert again.status_code == 200
    assert "has this role at this client already" in again.content.decode()
    with organization_scope(organization.pk):
        relation = ClientContact.objects.get()
    page = f"{RELATIONS}{relation.pk}/"
    assert manager.client.post(f"{page}change/", {"role": "billing", "title": "Buyer"}).status_code == 302
    assert manager.client.post(f"{page}delete/", {"post": "yes"}).status_code == 302
    assert actions(organization)[-3:] == ["client.contact_added", "client.contact_changed", "client.contact_removed"]


def test_profiles_are_added_and_made_primary_and_stand_on_the_contacts_page(
    manager: Person, organization: Organization
):
    with organization_scope(organization.pk):
        contact = make_row(Contact)
    for page, extra in (
        (SALES, {"lead_status": "new"}),
        (CANDIDATES, {"job_search": "open", "remote_preference": "any"}),
    ):
        for headline in ("first line", "second line"):
            form = {"contact": str(contact.pk), "headline": headline, **extra}
            assert manager.client.post(f"{page}add/", form).status_code == 302
    shown = manager.client.get(f"/admin/contacts/contact/{contact.pk}/change/").content.decode()
    assert "second line" in shown
    assert "has an open sales profile and looks for work" in shown
    for page, model in ((SALES, SalesProfile), (CANDIDATES, CandidateProfile)):
        with organization_scope(organization.pk):
            second = model.objects.get(headline="second line")
        manager.client.post(page, {"action": "make_primary", "_selected_action": [str(second.pk)]})
        with organization_scope(organization.pk):
            assert model.objects.get(is_primary=True).pk == second.pk
        assert manager.client.post(f"{page}{second.pk}/delete/", {"post": "yes"}).status_code == 302
        with organization_scope(organization.pk):
            assert model.objects.get().is_primary
            assert ProfileChange.objects.filter(profile_id=second.pk, action="deleted").exists()


def test_two_clients_are_merged_side_by_side_and_taken_apart(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        one = make_row(Client, name=unique("Alpha"), city="Rome")
        two = make_row(Client, name=unique("Beta"))
    chosen: dict[str, Any] = {"action": "merge", "_selected_action": [str(one.pk)]}
    page = manager.client.post(CLIENTS, chosen, follow=True)
    assert "Select two clients" in page.content.decode()
    page = manager.client.post(CLIENTS, chosen | {"_selected_action": [str(one.pk), str(two.pk)]}, follow=True)
    address = page.redirect_chain[-1][0]
    assert two.name in page.content.decode()
    form = {"survivor": str(two.pk), "choice-name": str(one.pk)}
    done = manager.client.post(address, form, follow=True)
    assert f"Take the merge of {one.name} back" in done.content.decode()
    with organization_scope(organization.pk):
        merged = Client.objects.alive().get()
        assert (merged.pk, merged.name, merged.city) == (two.pk, one.name, "Rome")
    manager.client.post(f"{CLIENTS}{two.pk}/unmerge/")
    with organization_scope(organization.pk):
        assert set(Client.objects.alive().values_list("name", "city")) == {(one.name, "Rome"), (two.name, "")}


def test_a_file_of_clients_is_looked_at_and_imported(manager: Person, organization: Organization):
    name = unique("Company")
    file = SimpleUploadedFile("clients.csv", f"Firm,Web\n{name},made.example\n".encode())
    form = {"file": file, "record_type": "client", "skip_duplicates": "on", "validate_phones": "on", "look": ""}
    # The page proposes the name of the file for a list, whatever its rows are.
    form["list_name"] = "clients.csv"
    page = manager.client.post("/admin/contacts/contactimport/add/", form, follow=True)
    assert page.status_code == 200
    address = page.redirect_chain[-1][0]
    run_jobs(organization)
    shown = manager.client.get(address).content.decode()
    assert "Legal name" in shown
    assert "Add to the list" not in shown
    choices = {"column-0": "name", "column-1": "website", "policy": "skip", "validate_phones": "on", "start": ""}
    assert manager.client.post(address, choices).status_code == 302
    run_jobs(organization)
    with organization_scope(organization.pk):
        assert Client.objects.alive().get().domain == "made.example"
