"""What staff do in the back office goes through the services of the API."""

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from contacts.models import Contact, ContactExport, ContactImport, ContactList, ImportPreset
from tests.factories import Person, make_organization, make_person, run_jobs, unique
from tests.rows import make_row
from tests.webhooks.conftest import receiver
from tests.webhooks.receiver import Receiver
from vocelio.audit.models import AuditEntry
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope
from vocelio.users.models import ApiToken, Session

__all__ = ["receiver"]

CONTACTS = "/admin/contacts/contact/"
LISTS = "/admin/contacts/contactlist/"


def list_form(name: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "description": "", "status": "active", "tags": "a, b", "settings": "{}", **fields}


def test_a_list_is_made_changed_and_deleted_on_record(manager: Person, organization: Organization):
    assert manager.client.post(f"{LISTS}add/", list_form("Autumn")).status_code == 302
    with organization_scope(organization.pk):
        made = ContactList.objects.get(name="Autumn")
    assert made.tags == ["a", "b"]
    assert made.created_by_id == manager.user.pk
    assert manager.client.post(f"{LISTS}{made.pk}/change/", list_form("Winter")).status_code == 302
    assert manager.client.post(f"{LISTS}{made.pk}/delete/", {"post": "yes"}).status_code == 302
    with organization_scope(organization.pk):
        entries = AuditEntry.objects.filter(resource="contactlist").order_by("created_at", "id")
        assert [(entry.action, entry.door, entry.user_id) for entry in entries] == [
            (action, "admin", manager.user.pk) for action in ("list.created", "list.updated", "list.deleted")
        ]
        assert entries[1].details == {"fields": ["name"]}
        assert not ContactList.objects.filter(pk=made.pk).exists()


def test_a_refusal_of_the_service_is_shown_in_the_form(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        make_row(ContactList, name="Autumn")
    answer = manager.client.post(f"{LISTS}add/", list_form("Autumn"))
    assert answer.status_code == 200
    assert "There is already a list of this name." in answer.content.decode()
    assert 'value="Autumn"' in answer.content.decode()


def contact_form(**fields: Any) -> dict[str, Any]:
    empty = dict.fromkeys(("first_name", "last_name", "phone", "phone_extension", "email", "company", "title"), "")
    empty |= dict.fromkeys(("assigned_to", "source", "tags", "address", "city", "state", "zip", "country"), "")
    return {**empty, "notes": "", "private_notes": "", "custom_fields": "{}", "status": "active", **fields}


def test_a_contact_is_typed_in_changed_deleted_and_restored(manager: Person, organization: Organization):
    form = contact_form(first_name="Ada", phone="(212) 555-0147", email="Ada@Example.test")
    assert manager.client.post(f"{CONTACTS}add/", form).status_code == 302
    with organization_scope(organization.pk):
        contact = Contact.objects.get()
    assert (contact.phone, contact.email) == ("+12125550147", "ada@example.test")
    page = f"{CONTACTS}{contact.pk}/"
    form |= {"private_notes": "between us", "assigned_to": str(manager.user.pk)}
    assert manager.client.post(f"{page}change/", form).status_code == 302
    assert "between us" in manager.client.get(f"{page}change/").content.decode()
    assert manager.client.post(f"{page}delete/", {"post": "yes"}).status_code == 302
    assert str(contact.pk) not in manager.client.get(CONTACTS).content.decode()
    trash = manager.client.get(f"{CONTACTS}?trash=yes&q=ada").content.decode()
    assert str(contact.pk) in trash
    assert manager.client.post(f"{page}change/", form).status_code == 403
    manager.client.post(f"{CONTACTS}?trash=yes", {"action": "restore", "_selected_action": [str(contact.pk)]})
    assert str(contact.pk) in manager.client.get(CONTACTS).content.decode()
    with organization_scope(organization.pk):
        contact = Contact.objects.get()
        entries = AuditEntry.objects.filter(resource="contact", door="admin").values_list("action", flat=True)
        assert set(entries) == {"contact.created", "contact.updated", "contact.deleted", "contact.bulk_changed"}
    assert contact.assigned_to_id == manager.user.pk


def test_a_taken_or_wrong_number_is_said_at_the_field(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        make_row(Contact, phone="+12125550147")
    for phone, reason in (("212.555.0147", "already"), ("555", "Not a phone number"), ("", "needs a phone number")):
        answer = manager.client.post(f"{CONTACTS}add/", contact_form(first_name="Ada", phone=phone))
        assert answer.status_code == 200
        assert reason in answer.content.decode()


def test_many_contacts_go_to_the_trash_at_once(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        ids = [str(make_row(Contact).pk) for _ in range(3)]
    chosen = {"action": "delete_selected", "_selected_action": ids[:2], "post": "yes"}
    assert manager.client.post(CONTACTS, chosen).status_code == 302
    with organization_scope(organization.pk):
        assert Contact.objects.in_trash().count() == 2


def test_search_finds_words_and_the_end_of_a_number(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        ada = make_row(Contact, first_name="Ada", last_name="Lovelace", phone="+12125550147")
        bob = make_row(Contact, first_name="Bob")
    for query in ("love", "550147", "ada lovel", "love&status__exact=active"):
        page = manager.client.get(f"{CONTACTS}?q={query}").content.decode()
        assert str(ada.pk) in page, query
        assert str(bob.pk) not in page, query


def test_people_of_other_organizations_cannot_be_made_responsible(manager: Person, outsider: Person):
    page = manager.client.get(f"{CONTACTS}add/").content.decode()
    assert manager.user.name in page
    assert outsider.user.name not in page


def test_a_file_is_taken_in_and_its_progress_told(manager: Person, organization: Organization):
    file = SimpleUploadedFile("leads.csv", b"phone,email\n+12125550123,a@b.example\n")
    answer = manager.client.post("/admin/contacts/contactimport/add/", {"file": file, "list_name": "Leads"})
    with organization_scope(organization.pk):
        job = ContactImport.objects.get()
        foreign_free = str(job.pk)
    assert answer.headers["Location"] == reverse("admin:contacts_contactimport_change", args=[job.pk])
    assert f'data-job="{job.pk}"' in manager.client.get(answer.headers["Location"]).content.decode()
    told = manager.client.get(reverse("admin:job_progress"), {"ids": foreign_free}).json()
    assert [(row["id"], row["status"]) for row in told["jobs"]] == [(str(job.pk), "pending")]


def test_a_file_is_looked_at_mapped_started_and_taken_back(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        known = make_row(Contact, phone="+12125550123", company="Acme")
    rows = b"Nummer;Firma;Fach\n+12125550123;Globex;7\n+12125550124;Globex;8\n12;;\n"
    file = SimpleUploadedFile("leads.csv", rows)
    answer = manager.client.post(
        "/admin/contacts/contactimport/add/", {"file": file, "list_name": "Leads", "look": "1"}
    )
    draft = answer.headers["Location"]
    page = manager.client.get(draft).content.decode()
    assert "Say first which column holds phone numbers" in page or "data-job=" in page
    choices = {"column-0": "phone", "column-1": "company", "column-2": "custom:Fach", "policy": "overwrite"}
    again = manager.client.post(draft, {**choices, "save_as": "Leads", "again": "1", "validate_phones": "on"})
    assert again.headers["Location"] == draft
    run_jobs(organization)
    page = manager.client.get(draft).content.decode()
    assert "<del>Acme</del>" in page
    assert "<ins>Globex</ins>" in page
    assert "Invalid phone number format" in page
    with organization_scope(organization.pk):
        assert Contact.objects.get(pk=known.pk).company == "Acme"
        assert ImportPreset.objects.get(name="Leads").options["mapping"]["Firma"] == "company"
    started = manager.client.post(draft, {**choices, "list_name": "Leads", "start": "1", "validate_phones": "on"})
    run_jobs(organization)
    page = manager.client.get(started.headers["Location"]).content.decode()
    assert "Undo the import" in page
    with organization_scope(organization.pk):
        assert Contact.objects.get(pk=known.pk).company == "Globex"
        job = ContactImport.objects.get()
    undo = reverse("admin:contacts_contactimport_undo", args=[job.pk])
    assert manager.client.get(undo).status_code == 403
    assert manager.client.post(undo).status_code == 302
    run_jobs(organization)
    page = manager.client.get(started.headers["Location"]).content.decode()
    assert "Undo the import" not in page
    assert "restored" in page
    with organization_scope(organization.pk):
        assert Contact.objects.alive().count() == 1
        assert Contact.objects.get(pk=known.pk).company == "Acme"


def test_what_the_list_shows_is_exported(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        make_row(Contact, first_name="Ann")
        make_row(Contact, first_name="Bob", status="inactive")
    page = manager.client.get(f"{CONTACTS}?status__exact=active").content.decode()
    address = reverse("admin:contacts_contactexport_add")
    assert f"{address}?status__exact=active" in page
    answer = manager.client.post(f"{address}?status__exact=active", {"format": "csv"})
    run_jobs(organization)
    with organization_scope(organization.pk):
        job = ContactExport.objects.get()
    download = reverse("admin:contacts_contactexport_download", args=[job.pk])
    assert download in manager.client.get(answer.headers["Location"]).content.decode()
    file: Any = manager.client.get(download)
    content = b"".join(file.streaming_content).decode("utf-8-sig")
    assert ("Ann" in content, "Bob" in content) == (True, False)


def test_progress_of_a_foreign_job_is_not_told(manager: Person):
    with organization_scope(make_organization().pk):
        job = make_row(ContactImport)
    assert manager.client.get(reverse("admin:job_progress"), {"ids": str(job.pk)}).json() == {"jobs": []}
    assert manager.client.get(reverse("admin:job_progress"), {"ids": "nonsense"}).status_code == 400


def test_a_file_that_is_no_table_is_refused_in_the_form(manager: Person):
    file = SimpleUploadedFile("leads.csv", b"%PDF-1.7 nothing to see")
    answer = manager.client.post("/admin/contacts/contactimport/add/", {"file": file})
    assert answer.status_code == 200
    assert b"text-red-600" in answer.content


def test_a_waiting_import_is_cancelled(manager: Person, organization: Organization):
    with organization_scope(organization.pk):
        job = make_row(ContactImport)
    page = reverse("admin:contacts_contactimport_cancel", args=[job.pk])
    assert manager.client.get(page).status_code == 403
    assert manager.client.post(page).status_code == 302
    with organization_scope(organization.pk):
        job.refresh_from_db()
    assert job.status == "cancelled"


def test_an_admin_invites_and_changes_members_and_a_manager_does_not(admin: Person, manager: Person, organization: Any):
    form = {"email": f"{unique('new')}@example.test", "name": "New", "role": "agent", "team": ""}
    assert manager.client.post("/admin/members/invitation/add/", form).status_code == 403
    assert admin.client.post("/admin/members/invitation/add/", form).status_code == 302
    agent = make_person(organization, Role.AGENT)
    page = reverse("admin:organizations_membership_change", args=[agent.user.memberships.get().pk])
    manager.client.post(page, {"role": "admin", "team": "", "is_active": "on"})
    assert agent.user.memberships.get().role == Role.AGENT
    assert admin.client.post(page, {"role": "manager", "team": "", "is_active": "on"}).status_code == 302
    assert agent.user.memberships.get().role == Role.MANAGER


def test_the_last_admin_stays_admin(admin: Person):
    membership = Membership.objects.get(user=admin.user)
    page = reverse("admin:organizations_membership_change", args=[membership.pk])
    answer = admin.client.post(page, {"role": "agent", "team": "", "is_active": "on"})
    assert "at least one active admin" in answer.content.decode()
    membership.refresh_from_db()
    assert membership.role == Role.ADMIN


def test_an_admin_ends_a_members_sessions(admin: Person, organization: Organization):
    agent = make_person(organization, Role.AGENT)
    admin.client.post("/admin/users/session/", {"action": "end", "_selected_action": [str(agent.session.pk)]})
    assert Session.objects.get(pk=agent.session.pk).end_reason == "ended_by_admin"
    assert agent.get("/v1/contact-lists").status == 401


def test_the_operator_makes_an_organization_and_an_admin_cannot(operator: Person, admin: Person):
    slug = unique("made")
    form = {"name": "Made", "slug": slug, "subscription_tier": "free", "default_region": "US", "settings": "{}"}
    form |= {"visibility": "organization", "time_zone": "UTC", "is_active": "on"}
    assert admin.client.post("/admin/organizations/organization/add/", form).status_code == 403
    assert operator.client.post("/admin/organizations/organization/add/", form).status_code == 302
    made = Organization.objects.get(slug=slug)
    with organization_scope(made.pk):
        assert AuditEntry.objects.get().action == "organization.created"


def test_figures_of_contacts_are_drawn_for_staff(manager: Person, agent: Person):
    manager.post("/v1/contacts", {"phone": "+12025550147", "source": "fair"})
    page = manager.client.get(f"{CONTACTS}figures/?days=365")
    assert page.status_code == 200
    assert [value for title, value, *_ in page.context["figures"] if title in ("Contacts", "Added")] == [1, 1]
    charts = {chart["title"]: json.loads(chart["data"]) for chart in page.context["reports"][0]["charts"]}
    assert charts["Where they came from"]["labels"] == ["fair"]
    assert sum(charts["Added and deleted"]["datasets"][0]["data"]) == 1
    # The chosen year is drawn by the month.
    assert len(charts["Added and deleted"]["labels"]) in (12, 13)
    assert agent.client.get(f"{CONTACTS}figures/").status_code == 302


def test_a_token_is_shown_when_it_is_made_and_can_be_revoked(admin: Person):
    pages = "/admin/users/apitoken/"
    form = {"name": "Warehouse", "scopes": ["contacts:read"], "expires_at_0": "", "expires_at_1": ""}
    page = admin.client.post(f"{pages}add/", form, follow=True).content.decode()
    token = "voc_" + page.partition("it is not shown again: voc_")[2].split("<")[0].strip()
    program = Client(SERVER_NAME="localhost", headers={"Authorization": f"Bearer {token}"})
    assert program.get("/v1/contacts").status_code == 200
    made = ApiToken.objects.get(organization=admin.organization)
    assert admin.client.post(f"{pages}{made.pk}/delete/", {"post": "yes"}).status_code == 302
    assert program.get("/v1/contacts").status_code == 401


def test_a_webhook_is_made_tested_and_its_deliveries_sent_again(admin: Person, receiver: Receiver):
    pages = "/admin/webhooks/webhookendpoint/"
    form = {"url": receiver.url, "description": "Warehouse", "is_enabled": "on", "events": ["contact.*"]}
    page = admin.client.post(f"{pages}add/", form, follow=True).content.decode()
    secret = "whsec_" + page.partition("it is not shown again: whsec_")[2].split("<")[0].strip()
    (made,) = admin.get("/v1/webhook-endpoints").data
    for action in ("test", "replay_failed"):
        admin.client.post(pages, {"action": action, "_selected_action": [made["id"]]})
    run_jobs(admin.organization)
    assert receiver.received[0].verified(secret)["type"] == "webhook.test"
    (delivery,) = admin.get("/v1/webhook-deliveries").data
    shown = admin.client.get(f"/admin/webhooks/webhookdelivery/{delivery['id']}/change/").content.decode()
    assert "webhook.test" in shown
    assert secret not in shown
    again = {"action": "replay", "_selected_action": [delivery["id"]]}
    admin.client.post("/admin/webhooks/webhookdelivery/", again)
    run_jobs(admin.organization)
    assert len(receiver.received) == 2
    turned = admin.client.post(pages, {"action": "rotate", "_selected_action": [made["id"]]}, follow=True)
    assert "it is not shown again: whsec_" in turned.content.decode()
