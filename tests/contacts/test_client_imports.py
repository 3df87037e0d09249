"""Files of companies: recognised, matched by domain and name, previewed, imported, taken back."""

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook

from contacts.models import Client, ImportPreset
from contacts.services import import_files
from tests.contacts.uploads import import_file
from tests.factories import Answer, Person, make_person, run_jobs
from vocelio.organizations.scope import organization_scope
from vocelio.realtime.models import Event

HEADER = "Company name,Website,Industry,Employees,Annual revenue,Phone,E-mail,City,Country,Tags,ERP\n"
ACME = (
    'Acme Inc,https://www.acme.com/about,Machinery,"1,200",$1.2M,212-555-0101,Office@acme.com,Boston,USA,key; old,SAP\n'
)
GLOBEX = "Globex,,Energy,11-50,,,,,Germany,,\n"


def send(person: Person, content: str | bytes, name: str = "clients.csv", **fields: Any) -> Answer:
    content = content.encode() if isinstance(content, str) else content
    return person.post("/v1/uploads/clients", {"file": SimpleUploadedFile(name, content), **fields})


def take_in(person: Person, content: str | bytes, name: str = "clients.csv", **fields: Any) -> Any:
    """Upload a file of clients, let the job run, return what its address answers then."""
    answer = send(person, content, name, **fields)
    assert answer.status == 202, answer
    run_jobs(person.organization)
    return person.get(f"/v1/uploads/clients/{answer.data['jobId']}").data


def clients_of(person: Person) -> list[Any]:
    with organization_scope(person.organization.id):
        return list(Client.objects.alive().order_by("id"))


def counts(job: Any) -> tuple[int, int, int, int]:
    """Return imported, updated, duplicates, invalid."""
    results = job["results"]
    return results["imported"], results["updated"], results["duplicates"], results["invalidContacts"]


def test_columns_of_a_company_file_are_recognised_and_kept_as_people_mean_them(manager: Person):
    job = take_in(manager, HEADER + ACME + GLOBEX)
    assert (job["status"], job["recordType"], counts(job)) == ("completed", "client", (2, 0, 0, 0)), job
    acme, globex = manager.get("/v1/clients?sort=name").data
    assert (acme["name"], acme["domain"], acme["website"]) == ("Acme Inc", "acme.com", "https://www.acme.com/about")
    assert (acme["industry"], acme["size"], acme["annualRevenue"], acme["currency"]) == (
        "Machinery",
        "1001-5000",
        "1200000.00",
        "USD",
    )
    assert (acme["phone"], acme["email"], acme["country"]) == ("+12125550101", "office@acme.com", "US")
    assert (acme["tags"], acme["customFields"], acme["source"]) == (["key", "old"], {"ERP": "SAP"}, "import")
    assert (globex["size"], globex["country"], globex["annualRevenue"], globex["status"]) == (
        "11-50",
        "DE",
        None,
        "prospect",
    )
    assert [each["name"] for each in manager.get("/v1/clients?search=acme").data] == ["Acme Inc"]


def test_a_workbook_of_companies_is_imported(manager: Person):
    workbook, content = Workbook(), io.BytesIO()
    sheet: Any = workbook.active
    for row in (
        ["Account Name", "Domain", "Employees"],
        ["Initech", "initech.com", 60],
        ["Hooli", "hooli.com", 20_000],
    ):
        sheet.append(row)
    workbook.save(content)
    assert counts(take_in(manager, content.getvalue(), name="clients.xlsx")) == (2, 0, 0, 0)
    assert [(each.name, each.size) for each in clients_of(manager)] == [("Initech", "51-200"), ("Hooli", "10001+")]


def test_a_row_is_the_client_of_its_domain_else_of_its_name(manager: Person):
    take_in(manager, "name,domain\nAcme,acme.com\nMüller,\nGlobex,globex.com\n")
    rows = "Acme Corporation,www.acme.com\nMULLER,mueller.de\nGlobex,globex.de\nglobex,\n,https://acme.com/\n"
    job = take_in(manager, "name,website\n" + rows)
    # Acme by its domain, twice, Müller by its name, Globex by its name; the Globex of another domain is another.
    assert counts(job) == (1, 0, 4, 0)
    assert [(each.name, each.domain) for each in clients_of(manager)][-1] == ("Globex", "globex.de")


def test_a_file_repeats_itself_as_it_repeats_the_table(manager: Person):
    job = take_in(manager, "name,domain\nAcme,acme.com\nACME,\nAcme Europe,acme.com\nBeta,\nBéta,\n,gamma.com\n")
    assert counts(job) == (3, 0, 3, 0)
    assert [each.name for each in clients_of(manager)] == ["Acme", "Beta", "gamma.com"]


def test_policies_say_what_known_clients_get(manager: Person):
    take_in(manager, "name,domain,industry,city,tags,annual revenue,currency,Score\nAcme,acme.com,Energy,,a,5,EUR,1\n")
    (acme,) = clients_of(manager)
    header = "name,domain,industry,city,tags,annual revenue,currency,Score\n"
    row = "ACME Inc,acme.com,Machines,Boston,b,7000000,USD,2\n"
    assert counts(take_in(manager, header + row)) == (0, 0, 1, 0)
    assert counts(take_in(manager, header + row, policy="fill")) == (0, 1, 0, 0)
    shown = manager.get(f"/v1/clients/{acme.pk}").data
    assert (shown["name"], shown["industry"], shown["city"], shown["currency"]) == ("Acme", "Energy", "Boston", "EUR")
    manager.post(f"/v1/clients/{acme.pk}/verify", {"verification": "verified"})
    assert counts(take_in(manager, header + row, skipDuplicates="false")) == (0, 1, 0, 0)
    shown = manager.get(f"/v1/clients/{acme.pk}").data
    assert (shown["name"], shown["industry"], shown["tags"]) == ("ACME Inc", "Machines", ["a", "b"])
    assert (shown["annualRevenue"], shown["currency"]) == ("7000000.00", "USD")
    assert shown["customFields"] == {"Score": "2"}
    assert (shown["verification"], shown["verifiedAt"], shown["verifiedBy"]) == ("unverified", None, None)


def test_what_a_column_cannot_hold_stays_as_a_custom_field_and_bad_rows_can_be_fetched(manager: Person):
    rows = "Acme,no idea,many,a lot,nowhere,oops,,\n,,1,,,,,\nBeta,,,,,,555-CALL,\n"
    job = take_in(manager, "name,website,size,revenue,country,email,phone,zip\n" + rows)
    assert counts(job) == (1, 0, 0, 2)
    assert [each["error"] for each in job["validationErrors"]] == [
        "Neither a name nor a website",
        "Invalid phone number format: contains letters",
    ]
    (acme,) = clients_of(manager)
    assert acme.custom_fields == {
        "website": "no idea",
        "size": "many",
        "revenue": "a lot",
        "country": "nowhere",
        "email": "oops",
    }
    answer = manager.get(f"/v1/uploads/clients/{job['id']}/rejected")
    assert b"Neither a name nor a website" in b"".join(answer.response.streaming_content)


def test_a_preview_of_clients_counts_what_the_import_then_does(manager: Person, monkeypatch: Any):
    monkeypatch.setattr(import_files, "CHUNK_ROWS", 2)
    take_in(manager, "name,domain,city\nAcme,acme.com,\n")
    rows = "Acme,acme.com,Boston\nBeta,,Rome\nbeta,beta.com,\n,,nowhere\nGamma,beta.com,\n"
    draft = send(manager, "Firm,Web,Town\n" + rows, preview="true").data["jobId"]
    run_jobs(manager.organization)
    shown = manager.get(f"/v1/uploads/clients/{draft}/preview").data
    assert {each["header"]: each["target"] for each in shown["columns"]} == {
        "Firm": "name",
        "Web": "website",
        "Town": "city",
    }
    assert len(clients_of(manager)) == 1
    answer = manager.post(f"/v1/uploads/clients/{draft}/preview", {"policy": "fill", "mapping": {"Web": "domain"}})
    assert answer.status == 202, answer
    run_jobs(manager.organization)
    dry = manager.get(f"/v1/uploads/clients/{draft}/preview").data["dryRun"]
    assert dry["results"] == {"totalRows": 5, "created": 1, "updated": 2, "skipped": 1, "rejected": 1}, dry
    assert dry["samples"]["updated"][0]["changes"] == {"city": {"before": "", "after": "Boston"}}
    assert manager.post(f"/v1/uploads/clients/{draft}/start", {}).status == 202
    run_jobs(manager.organization)
    assert counts(manager.get(f"/v1/uploads/clients/{draft}").data) == (1, 2, 1, 1)
    beta = clients_of(manager)[1]
    assert (beta.name, beta.domain, beta.city) == ("Beta", "beta.com", "Rome")
    assert manager.post(f"/v1/uploads/clients/{draft}/start", {}).status == 409


def test_options_that_fit_no_client_are_refused(manager: Person):
    draft = send(manager, "name,domain\nAcme,acme.com\n", preview="true").data["jobId"]
    for body in ({"mapping": {"name": "firstName"}}, {"matchKeys": ["phone"]}, {"fieldPolicies": {"title": "fill"}}):
        answer = manager.post(f"/v1/uploads/clients/{draft}/preview", body)
        assert (answer.status, answer.error["code"]) == (422, "VALIDATION_ERROR"), answer
    answer = manager.post(f"/v1/uploads/clients/{draft}/start", {"mapping": {"name": "ignore", "domain": "ignore"}})
    assert (answer.status, answer.error["code"]) == (422, "NO_CLIENT_COLUMNS")


def test_a_preset_is_for_the_records_it_was_made_for(manager: Person):
    options = {"mapping": {"Konto": "name"}, "policy": "fill"}
    refused = manager.post("/v1/uploads/presets", {"name": "Ours", "options": options})
    assert refused.status == 422
    preset = manager.post("/v1/uploads/presets", {"name": "Ours", "recordType": "client", "options": options})
    assert (preset.status, preset.data["recordType"]) == (201, "client"), preset
    take_in(manager, "Konto,Ort\nAcme,Rome\n", presetId=preset.data["id"])
    assert [each.name for each in clients_of(manager)] == ["Acme"]
    content = SimpleUploadedFile("contacts.csv", b"phone\n2125550101\n")
    answer = manager.post("/v1/uploads/contacts", {"file": content, "presetId": preset.data["id"]})
    assert (answer.status, answer.error["details"]["field"]) == (422, "presetId"), answer
    with organization_scope(manager.organization.id):
        assert ImportPreset.objects.count() == 1


def test_imports_of_clients_and_contacts_keep_to_their_addresses(manager: Person):
    of_clients = take_in(manager, "name\nAcme\n")["id"]
    of_contacts = import_file(manager, "phone\n2125550101\n")["id"]
    assert manager.get(f"/v1/uploads/contacts/{of_clients}").status == 404
    assert manager.get(f"/v1/uploads/clients/{of_contacts}").status == 404
    assert manager.post(f"/v1/uploads/clients/{of_contacts}/undo").status == 404
    listed = manager.get("/v1/uploads?recordType=client").data
    assert [each["id"] for each in listed] == [of_clients]
    assert len(manager.get("/v1/uploads").data) == 2


def test_undo_removes_clients_nobody_uses_and_restores_the_others(manager: Person):
    take_in(manager, "name,domain,city,Score\nAcme,acme.com,,1\n")
    (acme,) = clients_of(manager)
    before = manager.get(f"/v1/clients/{acme.pk}").data
    job = take_in(
        manager,
        "name,domain,city,Score\nAcme Inc,acme.com,Rome,2\nBeta,,,\nGamma,,,\nDelta,,,\n",
        skipDuplicates="false",
    )
    assert counts(job) == (3, 1, 0, 0)
    _, beta, gamma, _ = clients_of(manager)
    manager.patch(f"/v1/clients/{beta.pk}", {"industry": "Energy"})
    person = manager.post("/v1/contacts", {"phone": "+12125550101"}).data
    assert manager.post(f"/v1/clients/{gamma.pk}/contacts", {"contactId": person["id"]}).status == 201
    assert manager.post(f"/v1/uploads/clients/{job['id']}/undo").status == 202
    run_jobs(manager.organization)
    done = manager.get(f"/v1/uploads/clients/{job['id']}/undo").data
    assert done["status"] == "completed", done
    results = {name: number for name, number in done["results"].items() if number}
    assert results == {"removed": 1, "kept": 2, "restored": 1}
    after = manager.get(f"/v1/clients/{acme.pk}").data
    assert {**after, "updatedAt": ""} == {**before, "updatedAt": ""}
    assert [each["name"] for each in manager.get("/v1/clients/trash").data] == ["Delta"]
    assert manager.post(f"/v1/uploads/clients/{job['id']}/undo").status == 409


def test_progress_and_the_changed_clients_are_announced(manager: Person):
    job = take_in(manager, "name\nAcme\nBeta\n")
    with organization_scope(manager.organization.id):
        events = list(Event.objects.order_by("id"))
    progress = [each.data for each in events if each.topic == "import_progress"]
    assert progress[-1]["results"]["imported"] == 2
    assert progress[-1]["jobId"] == job["id"]
    (changed,) = [each.data for each in events if each.topic == "clients"]
    assert (changed["action"], changed["count"]) == ("imported", 2)


def test_an_agent_imports_no_clients_and_others_see_none(manager: Person, outsider: Person):
    agent = make_person(manager.organization, "agent")
    assert send(agent, "name\nAcme\n").status == 403
    job = take_in(manager, "name\nAcme\n")
    assert outsider.get(f"/v1/uploads/clients/{job['id']}").status == 404
    assert clients_of(outsider) == []


def test_a_list_is_no_place_for_clients(manager: Person):
    draft = send(manager, "name\nAcme\n", preview="true").data["jobId"]
    assert manager.post(f"/v1/uploads/clients/{draft}/cancel").data["status"] == "cancelled"
    template = manager.get("/v1/uploads/clients/template")
    assert counts(take_in(manager, template.response.content.decode() + "Acme,acme.com" + "," * 13 + "\n"))[0] == 1
