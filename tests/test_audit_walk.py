"""Every unsafe route leaves an audit row. A new route without an example here fails the test."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from comms.models import (
    BouncedAddress,
    ChannelAccount,
    Communication,
    Enrolment,
    MessageBatch,
    Sequence,
    SequenceStep,
    TemplateVersion,
)
from contacts.models import (
    BulkJob,
    Client,
    Contact,
    ContactChange,
    ContactDuplicate,
    ContactExport,
    ContactImport,
    ContactList,
    CustomField,
    ImportPreset,
    SavedView,
)
from crm_sync.models import CrmConflict, CrmIntegration, CrmLink, CrmSyncItem, CrmSyncRun
from dnc.models import DncEntry, DncList, Entitlement, Permission, Scrub, Source
from recruitment.models import (
    Application,
    ApplicationStage,
    BulkChange,
    CandidateClaim,
    CandidateFile,
    CandidateProfile,
    Cv,
    CvBatch,
    HiringProcess,
    Hotlist,
    HotlistEntry,
    Interview,
    Interviewer,
    JobOpening,
    Offer,
    Placement,
    RejectionReason,
    Submission,
)
from sales.models import (
    Activity,
    AssignmentRule,
    BulkMove,
    Deal,
    ExchangeRate,
    LostReason,
    Milestone,
    Pipeline,
    Project,
    ProjectMember,
    SalesProfile,
    Stage,
)
from tests.factories import PASSWORD, Person, make_person, phone_number, unique
from tests.rows import make_row
from tests.test_routes import ROUTES, Route
from vocelio.audit.models import AuditEntry
from vocelio.notifications.models import Notification
from vocelio.organizations.models import Membership
from vocelio.organizations.scope import organization_scope
from vocelio.users.services import passwords

# What a request carries out: values of the address, and the body.
Example = tuple[dict[str, Any], Any]


def row(model: Any, **values: Any) -> Callable[[Person], Any]:
    def make(person: Person) -> Any:
        with organization_scope(person.organization.id):
            return make_row(model, **values)

    return make


contact, contact_list, client = row(Contact), row(ContactList), row(Client)
sales_profile, candidate_profile = row(SalesProfile), row(CandidateProfile)


def message(person: Person, **values: Any) -> Communication:
    """Return a message that a person sends by hand."""
    account = row(ChannelAccount)(person)
    made: Communication = row(
        Communication, account=account, channel="linkedin", contact=contact(person), body_text="Hi", **values
    )(person)
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


def signed_in(person: Person) -> dict[str, Any]:
    answer = person.post("/v1/auth/login", {"email": person.user.email, "password": PASSWORD})
    result: dict[str, Any] = answer.data
    return result


def csv_file() -> SimpleUploadedFile:
    text = f"first_name,phone\nAda,{phone_number()}\n"
    return SimpleUploadedFile("contacts.csv", io.BytesIO(text.encode()).getvalue(), "text/csv")


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


EXAMPLES: dict[str, Callable[[Person], Example]] = {
    "POST /v1/auth/login": lambda p: ({}, {"email": p.user.email, "password": PASSWORD}),
    "POST /v1/auth/refresh": lambda p: ({}, {"refreshToken": signed_in(p)["refreshToken"]}),
    "POST /v1/auth/logout": lambda p: ({}, {"refreshToken": signed_in(p)["refreshToken"]}),
    "POST /v1/auth/password-reset": lambda p: ({}, {"email": p.user.email}),
    "POST /v1/auth/password-change": lambda p: (
        {},
        {"currentPassword": PASSWORD, "newPassword": "another horse battery"},
    ),
    "POST /v1/auth/switch-organization": lambda p: ({}, {"organizationId": str(p.organization.id)}),
    "DELETE /v1/auth/sessions/<uuid:pk>": lambda p: ({"pk": p.session.pk}, None),
    "POST /v1/members/invitations": lambda p: ({}, {"email": f"{unique('new')}@example.test", "role": "agent"}),
    "PUT /v1/members/<uuid:pk>": lambda p: ({"pk": colleague(p).pk}, {"team": "north"}),
    "PATCH /v1/members/<uuid:pk>": lambda p: ({"pk": colleague(p).pk}, {"team": "north"}),
    "DELETE /v1/members/<uuid:pk>": lambda p: ({"pk": colleague(p).pk}, None),
    "PUT /v1/organization": lambda p: ({}, {"name": unique("name")}),
    "PATCH /v1/organization": lambda p: ({}, {"name": unique("name")}),
    "POST /v1/contact-lists": lambda p: ({}, {"name": unique("list")}),
    "PUT /v1/contact-lists/<uuid:pk>": lambda p: ({"pk": contact_list(p).pk}, {"name": unique("list")}),
    "PATCH /v1/contact-lists/<uuid:pk>": lambda p: ({"pk": contact_list(p).pk}, {"name": unique("list")}),
    "DELETE /v1/contact-lists/<uuid:pk>": lambda p: ({"pk": contact_list(p).pk}, None),
    "POST /v1/contact-lists/<uuid:pk>/contacts": members_of,
    "DELETE /v1/contact-lists/<uuid:pk>/contacts": members_of,
    "POST /v1/contacts": lambda p: ({}, {"phone": phone_number()}),
    "POST /v1/contacts/manual": lambda p: ({}, {"phone": phone_number()}),
    "PUT /v1/contacts/<uuid:pk>": lambda p: ({"pk": contact(p).pk}, {"firstName": "Ada"}),
    "PATCH /v1/contacts/<uuid:pk>": lambda p: ({"pk": contact(p).pk}, {"firstName": "Ada"}),
    "DELETE /v1/contacts/<uuid:pk>": lambda p: ({"pk": contact(p).pk}, None),
    "POST /v1/contacts/<uuid:pk>/restore": lambda p: (
        {"pk": row(Contact, deleted_at=timezone.now())(p).pk},
        {},
    ),
    "POST /v1/contacts/bulk-operations": lambda p: (
        {},
        {"action": "add-tags", "contactIds": [str(contact(p).pk)], "data": {"tags": ["vip"]}},
    ),
    "POST /v1/contacts/<uuid:pk>/history/<uuid:change_pk>/revert": changed,
    "POST /v1/contacts/duplicates/scans": lambda p: ({}, {}),
    "POST /v1/contacts/duplicates/<uuid:pk>/dismiss": lambda p: ({"pk": row(ContactDuplicate)(p).pk}, {}),
    "POST /v1/contacts/duplicates/<uuid:pk>/reopen": lambda p: ({"pk": row(ContactDuplicate)(p).pk}, {}),
    "POST /v1/contacts/merge": lambda p: (
        {},
        {"contactId": str(contact(p).pk), "mergeIds": [str(contact(p).pk)]},
    ),
    "POST /v1/contacts/<uuid:pk>/unmerge": lambda p: ({"pk": merged(p).pk}, {}),
    "POST /v1/contacts/bulk-jobs/<uuid:pk>/cancel": lambda p: ({"pk": row(BulkJob)(p).pk}, {}),
    "POST /v1/contacts/bulk-jobs/<uuid:pk>/undo": lambda p: (
        {"pk": row(BulkJob, status="completed", action="add-tags")(p).pk},
        {},
    ),
    "POST /v1/contacts/<uuid:pk>/erase": lambda p: ({"pk": contact(p).pk}, {"confirm": True}),
    "POST /v1/contact-fields": lambda p: ({}, {"key": unique("key"), "label": "Size", "type": "number"}),
    "PUT /v1/contact-fields/<uuid:pk>": lambda p: ({"pk": row(CustomField)(p).pk}, {"label": "Size"}),
    "PATCH /v1/contact-fields/<uuid:pk>": lambda p: ({"pk": row(CustomField)(p).pk}, {"label": "Size"}),
    "DELETE /v1/contact-fields/<uuid:pk>": lambda p: ({"pk": row(CustomField)(p).pk}, None),
    "POST /v1/contact-views": lambda p: ({}, {"name": unique("view"), "filter": {"state": "CA"}}),
    "PUT /v1/contact-views/<uuid:pk>": lambda p: ({"pk": own_view(p).pk}, {"columns": ["name"]}),
    "PATCH /v1/contact-views/<uuid:pk>": lambda p: ({"pk": own_view(p).pk}, {"columns": ["name"]}),
    "DELETE /v1/contact-views/<uuid:pk>": lambda p: ({"pk": own_view(p).pk}, None),
    "POST /v1/pipelines": lambda p: ({}, {"name": unique("pipeline")}),
    "PUT /v1/pipelines/<uuid:pk>": lambda p: ({"pk": row(Pipeline)(p).pk}, {"name": unique("pipeline")}),
    "PATCH /v1/pipelines/<uuid:pk>": lambda p: ({"pk": row(Pipeline)(p).pk}, {"name": unique("pipeline")}),
    "DELETE /v1/pipelines/<uuid:pk>": lambda p: ({"pk": row(Pipeline)(p).pk}, None),
    "POST /v1/pipelines/<uuid:pk>/stages": lambda p: ({"pk": row(Pipeline)(p).pk}, {"name": "Demo"}),
    "PUT /v1/pipelines/<uuid:pk>/stage-order": lambda p: reordered(p),
    "PUT /v1/pipeline-stages/<uuid:pk>": lambda p: ({"pk": stage(p).pk}, {"name": "Offer"}),
    "PATCH /v1/pipeline-stages/<uuid:pk>": lambda p: ({"pk": stage(p).pk}, {"name": "Offer"}),
    "DELETE /v1/pipeline-stages/<uuid:pk>": lambda p: ({"pk": row(Stage, kind="lost")(p).pk}, None),
    "POST /v1/lost-reasons": lambda p: ({}, {"name": unique("reason")}),
    "PUT /v1/lost-reasons/<uuid:pk>": lambda p: ({"pk": row(LostReason)(p).pk}, {"isArchived": True}),
    "PATCH /v1/lost-reasons/<uuid:pk>": lambda p: ({"pk": row(LostReason)(p).pk}, {"isArchived": True}),
    "DELETE /v1/lost-reasons/<uuid:pk>": lambda p: ({"pk": row(LostReason)(p).pk}, None),
    "POST /v1/exchange-rates": lambda p: ({}, {"currency": "EUR", "validFrom": "2026-01-01", "rate": "1.1"}),
    "PUT /v1/exchange-rates/<uuid:pk>": lambda p: ({"pk": row(ExchangeRate)(p).pk}, {"rate": "1.2"}),
    "PATCH /v1/exchange-rates/<uuid:pk>": lambda p: ({"pk": row(ExchangeRate)(p).pk}, {"rate": "1.2"}),
    "DELETE /v1/exchange-rates/<uuid:pk>": lambda p: ({"pk": row(ExchangeRate)(p).pk}, None),
    "PUT /v1/sales-settings": lambda p: ({}, {"currency": "EUR"}),
    "POST /v1/deals": lambda p: ({}, {"name": "Paper"}),
    "PUT /v1/deals/<uuid:pk>": lambda p: ({"pk": deal(p).pk}, {"name": "Toner"}),
    "PATCH /v1/deals/<uuid:pk>": lambda p: ({"pk": deal(p).pk}, {"name": "Toner"}),
    "DELETE /v1/deals/<uuid:pk>": lambda p: ({"pk": deal(p).pk}, None),
    "POST /v1/deals/<uuid:pk>/move-stage": lambda p: ({"pk": deal(p).pk}, {"stageId": str(stage(p).pk)}),
    "POST /v1/deals/<uuid:pk>/restore": lambda p: ({"pk": row(Deal, deleted_at=timezone.now())(p).pk}, {}),
    "POST /v1/deals/<uuid:pk>/project": lambda p: ({"pk": won(p).pk}, {}),
    "POST /v1/deals/bulk-operations": lambda p: ({}, {"action": "delete", "dealIds": [str(deal(p).pk)]}),
    "POST /v1/deals/undo-move": lambda p: ({}, {"undoId": str(row(BulkMove)(p).pk)}),
    "POST /v1/leads/convert": lambda p: ({}, {"contactId": str(contact(p).pk)}),
    "POST /v1/projects": lambda p: ({}, {"name": "Roll-out"}),
    "PUT /v1/projects/<uuid:pk>": lambda p: ({"pk": row(Project)(p).pk}, {"status": "active"}),
    "PATCH /v1/projects/<uuid:pk>": lambda p: ({"pk": row(Project)(p).pk}, {"status": "active"}),
    "DELETE /v1/projects/<uuid:pk>": lambda p: ({"pk": row(Project)(p).pk}, None),
    "POST /v1/projects/<uuid:pk>/members": lambda p: ({"pk": row(Project)(p).pk}, {"userId": str(p.user.pk)}),
    "POST /v1/projects/<uuid:pk>/milestones": lambda p: (
        {"pk": row(Project)(p).pk},
        {"name": "Kick-off", "dueOn": "2026-12-01"},
    ),
    "PUT /v1/projects/<uuid:project_id>/members/<uuid:pk>": lambda p: (part(ProjectMember, p), {"allocation": 50}),
    "PATCH /v1/projects/<uuid:project_id>/members/<uuid:pk>": lambda p: (part(ProjectMember, p), {"allocation": 50}),
    "DELETE /v1/projects/<uuid:project_id>/members/<uuid:pk>": lambda p: (part(ProjectMember, p), None),
    "PUT /v1/projects/<uuid:project_id>/milestones/<uuid:pk>": lambda p: (part(Milestone, p), {"isCompleted": True}),
    "PATCH /v1/projects/<uuid:project_id>/milestones/<uuid:pk>": lambda p: (part(Milestone, p), {"isCompleted": True}),
    "DELETE /v1/projects/<uuid:project_id>/milestones/<uuid:pk>": lambda p: (part(Milestone, p), None),
    "POST /v1/sales-activities": lambda p: ({}, {"kind": "call", "subject": "Ask for a date"}),
    "PUT /v1/sales-activities/<uuid:pk>": lambda p: ({"pk": row(Activity)(p).pk}, {"subject": "Ask again"}),
    "PATCH /v1/sales-activities/<uuid:pk>": lambda p: ({"pk": row(Activity)(p).pk}, {"subject": "Ask again"}),
    "DELETE /v1/sales-activities/<uuid:pk>": lambda p: ({"pk": row(Activity)(p).pk}, None),
    "PUT /v1/sales-activities/<uuid:pk>/complete": lambda p: ({"pk": row(Activity)(p).pk}, {}),
    "POST /v1/sales-activities/<uuid:pk>/complete": lambda p: ({"pk": row(Activity)(p).pk}, {}),
    "POST /v1/calendar-feed": lambda p: ({}, {}),
    "DELETE /v1/calendar-feed": lambda p: (p.post("/v1/calendar-feed").data and {}, None),
    "POST /v1/assignment-rules": lambda p: ({}, {"name": unique("rule"), "members": [str(p.user.pk)]}),
    "PUT /v1/assignment-rules/<uuid:pk>": lambda p: (rule(p), {"isActive": False}),
    "PATCH /v1/assignment-rules/<uuid:pk>": lambda p: (rule(p), {"isActive": False}),
    "DELETE /v1/assignment-rules/<uuid:pk>": lambda p: (rule(p), None),
    "POST /v1/notifications/<uuid:pk>/read": lambda p: ({"pk": row(Notification, user=p.user)(p).pk}, {}),
    "PUT /v1/notifications/<uuid:pk>/read": lambda p: ({"pk": row(Notification, user=p.user)(p).pk}, {}),
    "POST /v1/notifications/read-all": lambda p: ({}, {}),
    "PUT /v1/notifications/preferences": lambda p: (
        {},
        {"preferences": [{"kind": "activity.reminder", "channel": "email", "isEnabled": False}]},
    ),
    "POST /v1/clients": lambda p: ({}, {"name": unique("client")}),
    "PUT /v1/clients/<uuid:pk>": lambda p: ({"pk": client(p).pk}, {"industry": "Energy"}),
    "PATCH /v1/clients/<uuid:pk>": lambda p: ({"pk": client(p).pk}, {"industry": "Energy"}),
    "DELETE /v1/clients/<uuid:pk>": lambda p: ({"pk": client(p).pk}, None),
    "POST /v1/clients/<uuid:pk>/restore": lambda p: ({"pk": row(Client, deleted_at=timezone.now())(p).pk}, {}),
    "POST /v1/clients/<uuid:pk>/verify": lambda p: ({"pk": client(p).pk}, {"verification": "verified"}),
    "POST /v1/clients/merge": lambda p: (
        {},
        {"clientId": str(client(p).pk), "mergeIds": [str(client(p).pk)]},
    ),
    "POST /v1/clients/<uuid:pk>/unmerge": lambda p: ({"pk": merged_client(p).pk}, {}),
    "POST /v1/clients/bulk-operations": lambda p: (
        {},
        {"action": "set-status", "clientIds": [str(client(p).pk)], "data": {"status": "active"}},
    ),
    "POST /v1/clients/<uuid:pk>/contacts": lambda p: ({"pk": client(p).pk}, {"contactId": str(contact(p).pk)}),
    "PUT /v1/contacts/<uuid:pk>/client-relationships": lambda p: (
        {"pk": contact(p).pk},
        {"relationships": [{"clientId": str(client(p).pk), "role": "buyer"}]},
    ),
    "POST /v1/contacts/<uuid:pk>/sales-profile": lambda p: ({"pk": contact(p).pk}, {"leadStatus": "qualified"}),
    "PUT /v1/sales-profiles/<uuid:pk>": lambda p: ({"pk": sales_profile(p).pk}, {"territory": "North"}),
    "PATCH /v1/sales-profiles/<uuid:pk>": lambda p: ({"pk": sales_profile(p).pk}, {"territory": "North"}),
    "DELETE /v1/sales-profiles/<uuid:pk>": lambda p: ({"pk": sales_profile(p).pk}, None),
    "POST /v1/sales-profiles/<uuid:pk>/make-primary": lambda p: ({"pk": sales_profile(p).pk}, {}),
    "POST /v1/contacts/<uuid:pk>/candidate-profile": lambda p: ({"pk": contact(p).pk}, {"headline": "Engineer"}),
    "PUT /v1/candidate-profiles/<uuid:pk>": lambda p: ({"pk": candidate_profile(p).pk}, {"city": "Berlin"}),
    "PATCH /v1/candidate-profiles/<uuid:pk>": lambda p: ({"pk": candidate_profile(p).pk}, {"city": "Berlin"}),
    "DELETE /v1/candidate-profiles/<uuid:pk>": lambda p: ({"pk": candidate_profile(p).pk}, None),
    "POST /v1/candidate-profiles/<uuid:pk>/make-primary": lambda p: ({"pk": candidate_profile(p).pk}, {}),
    "POST /v1/candidate-profiles/<uuid:pk>/files": lambda p: (
        {"pk": candidate_profile(p).pk},
        {"file": SimpleUploadedFile("cv.pdf", b"%PDF-1.7 ...", "application/pdf")},
    ),
    "DELETE /v1/candidate-files/<uuid:pk>": lambda p: ({"pk": row(CandidateFile)(p).pk}, None),
    "POST /v1/jobs": lambda p: ({}, {"title": "Nurse"}),
    "PUT /v1/jobs/<uuid:pk>": lambda p: ({"pk": row(JobOpening)(p).pk}, {"title": "Nurse"}),
    "PATCH /v1/jobs/<uuid:pk>": lambda p: ({"pk": row(JobOpening)(p).pk}, {"title": "Nurse"}),
    "DELETE /v1/jobs/<uuid:pk>": lambda p: ({"pk": row(JobOpening)(p).pk}, None),
    "POST /v1/jobs/<uuid:pk>/close": lambda p: (
        {"pk": row(JobOpening, status="open", opened_at=timezone.now())(p).pk},
        {"reason": "No budget"},
    ),
    "POST /v1/jobs/<uuid:pk>/duplicate": hiring(JobOpening),
    "POST /v1/applications": lambda p: (
        {},
        {"jobId": str(application_job(p)), "contactId": str(contact(p).pk)},
    ),
    "PUT /v1/applications/<uuid:pk>": lambda p: ({"pk": row(Application)(p).pk}, {"rating": 4}),
    "PATCH /v1/applications/<uuid:pk>": lambda p: ({"pk": row(Application)(p).pk}, {"rating": 4}),
    "POST /v1/applications/<uuid:pk>/move-stage": lambda p: moved_application(p),
    "POST /v1/applications/bulk-operations": bulk_of,
    "POST /v1/applications/undo": lambda p: ({}, {"undoId": str(row(BulkChange)(p).pk)}),
    "POST /v1/applications/<uuid:pk>/interviews": interview_of,
    "POST /v1/applications/<uuid:pk>/offers": hiring(Application),
    "POST /v1/applications/<uuid:pk>/placement": placement_of,
    "POST /v1/applications/<uuid:pk>/submissions": submission_of,
    "PUT /v1/interviews/<uuid:pk>": lambda p: ({"pk": row(Interview)(p).pk}, {"title": "Talk"}),
    "PATCH /v1/interviews/<uuid:pk>": lambda p: ({"pk": row(Interview)(p).pk}, {"title": "Talk"}),
    "POST /v1/interviews/<uuid:pk>/scorecards": scorecard_of,
    "PUT /v1/offers/<uuid:pk>": lambda p: ({"pk": row(Offer)(p).pk}, {"terms": "None"}),
    "PATCH /v1/offers/<uuid:pk>": lambda p: ({"pk": row(Offer)(p).pk}, {"terms": "None"}),
    "POST /v1/offers/<uuid:pk>/change-status": lambda p: ({"pk": row(Offer)(p).pk}, {"status": "pending"}),
    "PUT /v1/placements/<uuid:pk>": lambda p: ({"pk": row(Placement)(p).pk}, {"status": "started"}),
    "PATCH /v1/placements/<uuid:pk>": lambda p: ({"pk": row(Placement)(p).pk}, {"status": "started"}),
    "PUT /v1/submissions/<uuid:pk>": lambda p: ({"pk": row(Submission)(p).pk}, {"status": "accepted"}),
    "PATCH /v1/submissions/<uuid:pk>": lambda p: ({"pk": row(Submission)(p).pk}, {"status": "accepted"}),
    "POST /v1/hotlists": lambda p: ({}, {"name": unique("hotlist")}),
    "PUT /v1/hotlists/<uuid:pk>": lambda p: ({"pk": row(Hotlist)(p).pk}, {"description": "Nurses"}),
    "PATCH /v1/hotlists/<uuid:pk>": lambda p: ({"pk": row(Hotlist)(p).pk}, {"description": "Nurses"}),
    "DELETE /v1/hotlists/<uuid:pk>": lambda p: ({"pk": row(Hotlist)(p).pk}, None),
    "POST /v1/hotlists/<uuid:pk>/candidates": lambda p: (
        {"pk": row(Hotlist)(p).pk},
        {"contactId": str(contact(p).pk)},
    ),
    "DELETE /v1/hotlists/<uuid:pk>/candidates/<uuid:contact_id>": candidate_on_hotlist,
    "PUT /v1/contacts/<uuid:pk>/candidate-owner": hiring(Contact),
    "DELETE /v1/contacts/<uuid:pk>/candidate-owner": lambda p: (
        {"pk": row(CandidateClaim, user=p.user)(p).contact_id},
        None,
    ),
    "POST /v1/contacts/<uuid:pk>/candidate-consents": lambda p: ({"pk": contact(p).pk}, {"text": "By phone."}),
    "POST /v1/contacts/<uuid:pk>/anonymise": hiring(Contact),
    "POST /v1/public/jobs/<slug:slug>/apply": careers_of,
    "POST /v1/cvs": lambda p: ({}, {"file": docx_file(p)}),
    "POST /v1/cvs/<uuid:pk>/accept": lambda p: (
        {"pk": row(Cv)(p).pk},
        {"firstName": "Ada", "email": f"{unique('ada')}@example.test"},
    ),
    "DELETE /v1/cvs/<uuid:pk>": lambda p: ({"pk": row(Cv)(p).pk}, None),
    "POST /v1/cv-batches": lambda p: ({}, {"file": zip_file()}),
    "POST /v1/cv-batches/<uuid:pk>/cancel": hiring(CvBatch),
    "POST /v1/hiring-processes": new_process,
    "PUT /v1/hiring-processes/<uuid:pk>": lambda p: ({"pk": row(HiringProcess)(p).pk}, {"name": unique("process")}),
    "PATCH /v1/hiring-processes/<uuid:pk>": lambda p: ({"pk": row(HiringProcess)(p).pk}, {"name": unique("process")}),
    "DELETE /v1/hiring-processes/<uuid:pk>": lambda p: ({"pk": row(HiringProcess)(p).pk}, None),
    "POST /v1/rejection-reasons": lambda p: ({}, {"name": unique("reason")}),
    "PUT /v1/rejection-reasons/<uuid:pk>": lambda p: ({"pk": row(RejectionReason)(p).pk}, {"isArchived": True}),
    "PATCH /v1/rejection-reasons/<uuid:pk>": lambda p: ({"pk": row(RejectionReason)(p).pk}, {"isArchived": True}),
    "DELETE /v1/rejection-reasons/<uuid:pk>": lambda p: ({"pk": row(RejectionReason)(p).pk}, None),
    "PUT /v1/recruitment-settings": lambda p: ({}, {"retentionMonths": 24}),
    "POST /v1/crm-integrations": lambda p: ({}, {"crmType": "pipedrive", "name": unique("crm")}),
    "PUT /v1/crm-integrations/<uuid:pk>": lambda p: ({"pk": connected(p).pk}, {"autoSync": True}),
    "PATCH /v1/crm-integrations/<uuid:pk>": lambda p: ({"pk": connected(p).pk}, {"syncFrequency": 60}),
    "DELETE /v1/crm-integrations/<uuid:pk>": lambda p: ({"pk": connected(p).pk}, None),
    "POST /v1/crm-integrations/<uuid:pk>/sync": lambda p: ({"pk": connected(p).pk}, {}),
    "POST /v1/crm-integrations/<uuid:pk>/cancel": lambda p: ({"pk": row(CrmSyncRun)(p).integration_id}, {}),
    "POST /v1/crm-sync-runs/<uuid:pk>/rollback": lambda p: ({"pk": finished_run(p).pk}, {}),
    "POST /v1/crm-dead-letters/<uuid:pk>/replay": lambda p: (
        {"pk": row(CrmLink, state="rejected", contact=None)(p).pk},
        {},
    ),
    "POST /v1/crm-conflicts/<uuid:pk>/resolve": lambda p: ({"pk": open_conflict(p).pk}, {"choice": "remote"}),
    "POST /v1/uploads/contacts": lambda p: ({}, {"file": csv_file()}),
    "POST /v1/uploads/contacts/<uuid:pk>/preview": lambda p: ({"pk": draft(p)}, {"policy": "fill"}),
    "POST /v1/uploads/contacts/<uuid:pk>/start": lambda p: ({"pk": draft(p)}, {"listName": unique("list")}),
    "POST /v1/uploads/contacts/<uuid:pk>/undo": lambda p: ({"pk": imported(p)}, {}),
    "POST /v1/uploads/clients": lambda p: ({}, {"file": company_file()}),
    "POST /v1/uploads/clients/<uuid:pk>/cancel": lambda p: ({"pk": row(ContactImport, record_type="client")(p).pk}, {}),
    "POST /v1/uploads/clients/<uuid:pk>/preview": lambda p: ({"pk": client_draft(p)}, {"policy": "fill"}),
    "POST /v1/uploads/clients/<uuid:pk>/start": lambda p: ({"pk": client_draft(p)}, {}),
    "POST /v1/uploads/clients/<uuid:pk>/undo": lambda p: ({"pk": imported_clients(p)}, {}),
    "POST /v1/uploads/deals": lambda p: ({}, {"file": SimpleUploadedFile("deals.csv", b"name\nLooms\n")}),
    "POST /v1/uploads/deals/<uuid:pk>/cancel": lambda p: ({"pk": row(ContactImport, record_type="deal")(p).pk}, {}),
    "POST /v1/uploads/deals/<uuid:pk>/preview": lambda p: ({"pk": deal_draft(p)}, {"policy": "fill"}),
    "POST /v1/uploads/deals/<uuid:pk>/start": lambda p: ({"pk": deal_draft(p)}, {}),
    "POST /v1/uploads/deals/<uuid:pk>/undo": lambda p: ({"pk": imported_deals(p)}, {}),
    "POST /v1/uploads/presets": lambda p: ({}, {"name": unique("preset"), "options": {"policy": "fill"}}),
    "PUT /v1/uploads/presets/<uuid:pk>": lambda p: ({"pk": row(ImportPreset)(p).pk}, {"name": unique("preset")}),
    "PATCH /v1/uploads/presets/<uuid:pk>": lambda p: ({"pk": row(ImportPreset)(p).pk}, {"name": unique("preset")}),
    "DELETE /v1/uploads/presets/<uuid:pk>": lambda p: ({"pk": row(ImportPreset)(p).pk}, None),
    "POST /v1/contacts/export": lambda p: ({}, {"format": "xlsx"}),
    "POST /v1/exports/<uuid:pk>/cancel": lambda p: ({"pk": row(ContactExport)(p).pk}, {}),
    "POST /v1/dnc-lists": lambda p: ({}, {"name": unique("list"), "type": "company"}),
    "PUT /v1/dnc-lists/<uuid:pk>": lambda p: ({"pk": row(DncList)(p).pk}, {"name": unique("list")}),
    "PATCH /v1/dnc-lists/<uuid:pk>": lambda p: ({"pk": row(DncList)(p).pk}, {"name": unique("list")}),
    "DELETE /v1/dnc-lists/<uuid:pk>": lambda p: ({"pk": row(DncList)(p).pk}, None),
    "POST /v1/dnc-lists/<uuid:pk>/uploads": numbers_file,
    "POST /v1/dnc-entries": lambda p: (
        {},
        {"listId": str(row(DncList, type="company")(p).pk), "phoneNumber": phone_number()},
    ),
    "PUT /v1/dnc-entries/<uuid:pk>": lambda p: ({"pk": row(DncEntry)(p).pk}, {"reason": "again"}),
    "PATCH /v1/dnc-entries/<uuid:pk>": lambda p: ({"pk": row(DncEntry)(p).pk}, {"reason": "again"}),
    "DELETE /v1/dnc-entries/<uuid:pk>": lambda p: ({"pk": row(DncEntry)(p).pk}, None),
    "POST /v1/dnc/entitlements": lambda p: (
        {},
        {"registry": "us-federal", "san": unique("SAN"), "validFrom": "2026-01-01"},
    ),
    "PUT /v1/dnc/entitlements/<uuid:pk>": lambda p: ({"pk": row(Entitlement)(p).pk}, {"areaCodes": ["212"]}),
    "PATCH /v1/dnc/entitlements/<uuid:pk>": lambda p: ({"pk": row(Entitlement)(p).pk}, {"areaCodes": ["212"]}),
    "DELETE /v1/dnc/entitlements/<uuid:pk>": lambda p: ({"pk": row(Entitlement)(p).pk}, None),
    "POST /v1/dnc/permissions": lambda p: (
        {},
        {"phoneNumber": phone_number(), "kind": "consent", "occurredOn": "2026-01-01"},
    ),
    "POST /v1/dnc/permissions/<uuid:pk>/revoke": lambda p: ({"pk": row(Permission)(p).pk}, {}),
    "POST /v1/dnc/attempts": lambda p: (
        {},
        {"phoneNumber": phone_number(), "attemptedAt": "2026-01-01T15:00:00Z"},
    ),
    "POST /v1/dnc/sources": source_of,
    "PUT /v1/dnc/sources/<uuid:pk>": lambda p: (
        {"pk": row(Source, settings={"url": "https://lists.example.com/a"})(p).pk},
        {"updateFrequency": 12},
    ),
    "PATCH /v1/dnc/sources/<uuid:pk>": lambda p: (
        {"pk": row(Source, settings={"url": "https://lists.example.com/a"})(p).pk},
        {"updateFrequency": 12},
    ),
    "DELETE /v1/dnc/sources/<uuid:pk>": lambda p: ({"pk": row(Source)(p).pk}, None),
    "POST /v1/dnc/check": lambda p: ({}, {"phoneNumbers": [phone_number()]}),
    "POST /v1/dnc/opt-outs": lambda p: ({}, {"phoneNumbers": [phone_number()]}),
    "POST /v1/dnc/scrub-campaign": scrub_of,
    "POST /v1/dnc/scrub-results/<uuid:pk>/cancel": lambda p: ({"pk": row(Scrub)(p).pk}, {}),
    "POST /v1/dnc/scrub-results/<uuid:pk>/unwatch": lambda p: ({"pk": row(Scrub)(p).pk}, {}),
    "POST /v1/communications": lambda p: (
        {},
        {"contactId": str(contact(p).pk), "channel": "linkedin", "bodyText": "Hi"},
    ),
    "PUT /v1/communications/<uuid:pk>": lambda p: ({"pk": message(p).pk}, {"bodyText": "Hello"}),
    "PATCH /v1/communications/<uuid:pk>": lambda p: ({"pk": message(p).pk}, {"status": "cancelled"}),
    "POST /v1/communications/<uuid:pk>/retry": lambda p: ({"pk": message(p, status="failed").pk}, {}),
    "POST /v1/communications/<uuid:pk>/done": lambda p: ({"pk": message(p).pk}, {}),
    "POST /v1/communications/attachments": lambda p: ({}, {"file": csv_file()}),
    "POST /v1/communications/templates": lambda p: (
        {},
        {"name": unique("template"), "channel": "sms", "bodyText": "Hi {{first_name|there}}"},
    ),
    "PUT /v1/communications/templates/<uuid:pk>": lambda p: ({"pk": wording(p).template_id}, {"subject": "Bye"}),
    "PATCH /v1/communications/templates/<uuid:pk>": lambda p: ({"pk": wording(p).template_id}, {"isActive": False}),
    "DELETE /v1/communications/templates/<uuid:pk>": lambda p: ({"pk": wording(p).template_id}, None),
    "POST /v1/communications/accounts": lambda p: ({}, {"provider": "linkedin", "name": unique("account")}),
    "PUT /v1/communications/accounts/<uuid:pk>": lambda p: ({"pk": row(ChannelAccount)(p).pk}, {"isActive": False}),
    "PATCH /v1/communications/accounts/<uuid:pk>": lambda p: ({"pk": row(ChannelAccount)(p).pk}, {"price": "0.01"}),
    "DELETE /v1/communications/accounts/<uuid:pk>": lambda p: ({"pk": row(ChannelAccount)(p).pk}, None),
    "POST /v1/communications/accounts/<uuid:pk>/sync-templates": lambda p: ({"pk": row(ChannelAccount)(p).pk}, {}),
    "POST /v1/communications/batches/<uuid:pk>/pause": lambda p: ({"pk": row(MessageBatch)(p).pk}, {}),
    "POST /v1/communications/batches/<uuid:pk>/resume": lambda p: (
        {"pk": row(MessageBatch, paused_at=timezone.now())(p).pk},
        {},
    ),
    "POST /v1/communications/batches/<uuid:pk>/cancel": lambda p: ({"pk": row(MessageBatch)(p).pk}, {}),
    "POST /v1/communications/sequences": lambda p: (
        {},
        {"name": unique("sequence"), "steps": [{"templateId": str(wording(p).template_id)}]},
    ),
    "PUT /v1/communications/sequences/<uuid:pk>": lambda p: ({"pk": row(Sequence)(p).pk}, {"isActive": False}),
    "PATCH /v1/communications/sequences/<uuid:pk>": lambda p: ({"pk": row(Sequence)(p).pk}, {"name": unique("s")}),
    "DELETE /v1/communications/sequences/<uuid:pk>": lambda p: ({"pk": row(Sequence)(p).pk}, None),
    "POST /v1/communications/sequences/<uuid:pk>/enrol": lambda p: (
        {"pk": row(SequenceStep, position=0)(p).sequence_id},
        {"contactIds": [str(contact(p).pk)]},
    ),
    "POST /v1/communications/enrolments/<uuid:pk>/stop": lambda p: ({"pk": row(Enrolment)(p).pk}, {}),
    "DELETE /v1/communications/bounces/<uuid:pk>": lambda p: ({"pk": row(BouncedAddress)(p).pk}, None),
    "PUT /v1/communications/settings": lambda p: ({}, {"capDay": 2}),
    "PATCH /v1/communications/settings": lambda p: ({}, {"capWeek": 5}),
    "POST /v1/uploads/contacts/<uuid:pk>/cancel": lambda p: ({"pk": row(ContactImport)(p).pk}, {}),
}
# POST because a filter is its body; it changes nothing.
READS = {
    "POST /v1/contacts/bulk-jobs/preview",
    "POST /v1/communications/preview",
    "POST /v1/communications/preview-batch",
}
# They call a CRM or are called by one, or by a mail server: tests/crm_sync and tests/comms hold their audit rows.
WITH_CRM = {
    "POST /v1/crm-integrations/<uuid:pk>/test",
    "POST /v1/crm-integrations/oauth/start",
    "POST /v1/crm-integrations/oauth/complete",
    "POST /v1/webhooks/crm/<str:token>",
    "POST /v1/webhooks/comms/<str:token>",
}
# Their secrets come by mail: tests/users and tests/members follow them to the end, audit rows included.
BY_MAIL = {
    "POST /v1/auth/password-reset/confirm",
    "POST /v1/auth/invitations/accept",
    "DELETE /v1/members/invitations/<uuid:pk>",
}


def test_every_unsafe_route_has_an_example():
    unsafe = {str(route) for route in ROUTES if route.method != "get"}
    assert unsafe == set(EXAMPLES) | BY_MAIL | READS | WITH_CRM


@pytest.mark.parametrize("route", [r for r in ROUTES if str(r) in EXAMPLES], ids=str)
def test_an_unsafe_route_leaves_an_audit_row(route: Route, admin: Person):
    def entries() -> int:
        with organization_scope(admin.organization.id):
            return int(AuditEntry.objects.count())

    values, body = EXAMPLES[str(route)](admin)
    before = entries()
    answer = admin.call(route.method, route.address(**values), body)
    assert answer.status < 300, answer
    if route.path.endswith("password-reset"):
        # Written by the task, so that known and unknown addresses are answered alike.
        passwords.send_password_resets()
    assert entries() > before
