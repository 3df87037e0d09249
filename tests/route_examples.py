"""What a request of each unsafe route carries: makers of rows, files and bodies for tests/test_audit_walk.py."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pyotp
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from ai_matching.models import EnrichmentProposal
from comms.models import (
    ChannelAccount,
    Communication,
    TemplateVersion,
)
from contacts.models import (
    Client,
    Contact,
    ContactChange,
    ContactImport,
    ContactList,
    SavedView,
)
from crm_sync.models import CrmConflict, CrmIntegration, CrmLink, CrmSyncItem, CrmSyncRun
from dnc.models import DncList
from recruitment.models import (
    Application,
    ApplicationStage,
    CandidateProfile,
    HotlistEntry,
    Interview,
    Interviewer,
    JobOpening,
)
from sales.models import (
    AssignmentRule,
    Deal,
    SalesProfile,
    Stage,
)
from tests.factories import PASSWORD, Person, make_person, phone_number, unique
from tests.rows import make_row
from vocelio.organizations.models import Membership
from vocelio.organizations.scope import organization_scope
from vocelio.reports.models import ReportSchedule
from vocelio.users.services.second_factor import begin_enrolment, confirm_enrolment
from vocelio.users.services.sign_in import make_challenge

# What a request carries out: values of the address, and the body.
Example = tuple[dict[str, Any], Any]


def row(model: Any, **values: Any) -> Callable[[Person], Any]:
    def make(person: Person) -> Any:
        with organization_scope(person.organization.id):
            return make_row(model, **values)

    return make


contact, contact_list, client = row(Contact), row(ContactList), row(Client)
sales_profile, candidate_profile = row(SalesProfile), row(CandidateProfile)
proposal = row(EnrichmentProposal)


def message(person: Person, **values: Any) -> Communication:
    """Return a message that a person sends by hand."""
    account = row(ChannelAccount)(person)
    made: Communication = row(
        Communication, account=account, channel="linkedin", contact=contact(person), body_text="Hi", **values
    )(person)
    return made


def releasable(person: Person) -> Communication:
    """Return a message that a person may send by LinkedIn's API."""
    row(ChannelAccount, provider="linkedin_api", name="API")(person)
    made = message(person)
    with organization_scope(person.organization.id):
        Contact.objects.filter(pk=made.contact_id).update(custom_fields={"linkedin_urn": "urn:li:person:a1"})
    return made


def wording(person: Person) -> TemplateVersion:
    """Return the first version of a template."""
    made: TemplateVersion = row(TemplateVersion, number=1)(person)
    return made


def own_view(person: Person) -> SavedView:
    view: SavedView = row(SavedView, user=person.user)(person)
    return view


def connected(person: Person) -> CrmIntegration:
    """A CRM connection as it is after its check."""
    result: CrmIntegration = row(CrmIntegration, crm_type="pipedrive", status="connected")(person)
    return result


def open_conflict(person: Person) -> CrmConflict:
    with organization_scope(person.organization.id):
        member = make_row(Contact)
        link = make_row(CrmLink, integration=make_row(CrmIntegration), contact=member, state="linked")
        result: CrmConflict = make_row(
            CrmConflict, integration=link.integration, link=link, contact=member, field="city", remote_value="Rome"
        )
    return result


def finished_run(person: Person) -> CrmSyncRun:
    with organization_scope(person.organization.id):
        run: CrmSyncRun = make_row(CrmSyncRun, status="completed")
        make_row(CrmSyncItem, run=run, side="local", action="update", outcome="done", link=None, contact=None)
    return run


def colleague(person: Person) -> Membership:
    return Membership.objects.get(user=make_person(person.organization, "agent").user)


def enrolling(person: Person) -> Example:
    """Return the first code of an app that was just shown its secret."""
    return {}, {"code": pyotp.TOTP(begin_enrolment(person.user).secret).now()}


def in_two_steps(person: Person) -> dict[str, str]:
    """Switch two-step log-in on; return what proves the person."""
    _, proof = enrolling(person)
    codes = confirm_enrolment(person.user, proof["code"], keep_session=person.session.pk)
    return {"password": PASSWORD, "code": codes[0]}


def second_step_of(person: Person) -> Example:
    code = in_two_steps(person)["code"]
    return {}, {"challenge": make_challenge(person.user), "code": code}


def locked_out(person: Person) -> Example:
    member = make_person(person.organization)
    in_two_steps(member)
    return {"pk": Membership.objects.get(user=member.user).pk}, {}


def signed_in(person: Person) -> dict[str, Any]:
    answer = person.post("/v1/auth/login", {"email": person.user.email, "password": PASSWORD})
    result: dict[str, Any] = answer.data
    return result


def csv_file() -> SimpleUploadedFile:
    text = f"first_name,phone\nAda,{phone_number()}\n"
    return SimpleUploadedFile("contacts.csv", io.BytesIO(text.encode()).getvalue(), "text/csv")


def signed_form(person: Person) -> dict[str, Any]:
    """Return the form of a file that goes past the server, with its file."""
    return {**person.post("/v1/uploads/presign").data["fields"], "file": csv_file()}


def draft(person: Person) -> Any:
    return person.post("/v1/uploads/contacts", {"file": csv_file(), "preview": "true"}).data["jobId"]


def company_file() -> SimpleUploadedFile:
    return SimpleUploadedFile("clients.csv", f"name\n{unique('Company')}\n".encode(), "text/csv")


def merged_client(person: Person) -> Client:
    """Return a client into which another was merged."""
    survivor: Client = client(person)
    body = {"clientId": str(survivor.pk), "mergeIds": [str(client(person).pk)]}
    assert person.post("/v1/clients/merge", body).status == 200
    return survivor


def client_draft(person: Person) -> Any:
    return person.post("/v1/uploads/clients", {"file": company_file(), "preview": "true"}).data["jobId"]


def deal_draft(person: Person) -> Any:
    file = SimpleUploadedFile("deals.csv", b"name,amount\nLooms,100\n")
    return person.post("/v1/uploads/deals", {"file": file, "preview": "true"}).data["jobId"]


def imported_deals(person: Person) -> Any:
    now = timezone.now()
    return row(ContactImport, record_type="deal", status="completed", started_at=now, completed_at=now)(person).pk


def imported_clients(person: Person) -> Any:
    now = timezone.now()
    return row(ContactImport, record_type="client", status="completed", started_at=now, completed_at=now)(person).pk


def imported(person: Person) -> Any:
    now = timezone.now()
    return row(ContactImport, status="completed", started_at=now, completed_at=now)(person).pk


def members_of(person: Person) -> Example:
    chosen, member = contact_list(person), contact(person)
    return {"pk": chosen.pk}, {"contactIds": [str(member.pk)]}


def changed(person: Person) -> Example:
    """Return a contact's change, to be reverted."""
    pk = contact(person).pk
    person.patch(f"/v1/contacts/{pk}", {"firstName": "Bea"})
    with organization_scope(person.organization.id):
        return {"pk": pk, "change_pk": ContactChange.objects.get(contact_id=pk).pk}, {}


def merged(person: Person) -> Contact:
    """Return a contact into which another was merged."""
    survivor: Contact = contact(person)
    body = {"contactId": str(survivor.pk), "mergeIds": [str(contact(person).pk)]}
    assert person.post("/v1/contacts/merge", body).status == 200
    return survivor


deal, stage = row(Deal), row(Stage)


def won(person: Person) -> Deal:
    result: Deal = row(Deal, stage=row(Stage, kind="won", probability=100)(person))(person)
    return result


def reordered(person: Person) -> Example:
    only = stage(person)
    return {"pk": only.pipeline_id}, {"stageIds": [str(only.pk)]}


def hiring(model: Any, **values: Any) -> Callable[[Person], Example]:
    """Return an example of a route to a row of recruitment that takes no body."""
    return lambda person: ({"pk": row(model, **values)(person).pk}, {})


def docx_file(person: Person) -> SimpleUploadedFile:
    document, content = docx.Document(), io.BytesIO()
    document.add_paragraph(f"Ada Lovelace\nEmail: {unique('ada')}@example.test")
    document.save(content)
    return SimpleUploadedFile("cv.docx", content.getvalue())


def zip_file() -> SimpleUploadedFile:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("cv.txt", "Ada")
    return SimpleUploadedFile("cvs.zip", content.getvalue())


def new_process(person: Person) -> Example:
    return {}, {"name": unique("process")}


def application_job(person: Person) -> Any:
    return row(Application)(person).job_id


def moved_application(person: Person) -> Example:
    application = row(Application)(person)
    other = row(ApplicationStage, process=application.job.process, position=1)(person)
    return {"pk": application.pk}, {"stageId": str(other.pk)}


def bulk_of(person: Person) -> Example:
    application = row(Application)(person)
    stage = str(application.stage_id)
    return {}, {"action": "move", "applicationIds": [str(application.pk)], "data": {"stageId": stage}}


def interview_of(person: Person) -> Example:
    times = {"startsAt": "2027-01-05T10:00:00Z", "endsAt": "2027-01-05T11:00:00Z"}
    return {"pk": row(Application)(person).pk}, {"title": "Talk", **times}


def scorecard_of(person: Person) -> Example:
    interview = row(Interview)(person)
    row(Interviewer, interview=interview, user=person.user)(person)
    return {"pk": interview.pk}, {"verdict": 4}


def placement_of(person: Person) -> Example:
    application = row(Application)(person)
    row(ApplicationStage, process=application.job.process, outcome="hired")(person)
    return {"pk": application.pk}, {"startsOn": "2027-01-05"}


def submission_of(person: Person) -> Example:
    return {"pk": row(Application)(person).pk}, {"clientId": str(client(person).pk)}


def candidate_on_hotlist(person: Person) -> Example:
    entry = row(HotlistEntry)(person)
    return {"pk": entry.hotlist_id, "contact_id": entry.contact_id}, None


def careers_of(person: Person) -> Example:
    person.put("/v1/recruitment-settings", {"isCareersPageOn": True, "consentText": "Yes."})
    job = row(JobOpening, status="open", is_public=True, opened_at=timezone.now())(person)
    body = {"firstName": "Ada", "lastName": "L", "email": f"{unique('a')}@example.test", "consent": "Yes."}
    return {"slug": job.public_slug}, body


def part(model: Any, person: Person) -> dict[str, Any]:
    made = row(model)(person)
    return {"project_id": made.project_id, "pk": made.pk}


def rule(person: Person) -> dict[str, Any]:
    return {"pk": row(AssignmentRule, members=[person.user.pk])(person).pk}


def numbers_file(person: Person) -> Example:
    file = SimpleUploadedFile("numbers.csv", f"phone\n{phone_number()}\n".encode())
    return {"pk": row(DncList, type="company")(person).pk}, {"file": file}


def scrub_of(person: Person) -> Example:
    return {}, {"contactListIds": [str(contact_list(person).pk)]}


def source_of(person: Person) -> Example:
    chosen = row(DncList, type="company")(person)
    return {}, {"kind": "https", "listId": str(chosen.pk), "settings": {"url": "https://lists.example.com/tx.csv"}}


def mailing_of(person: Person) -> Example:
    """Return a schedule of a report that mails it to the person."""
    schedule = row(ReportSchedule, recipients=[person.user.pk])(person)
    return {"report_id": schedule.report_id, "pk": schedule.pk}, {"recipients": [str(person.user.pk)]}
