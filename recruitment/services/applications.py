"""Take, change and move applications. One way leads into a stage, and its gate stands there."""

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import EmailMessage
from django.db import IntegrityError, transaction
from django.utils import timezone

from contacts.models import Contact
from contacts.services.contacts import check_assignee, public_changes
from recruitment.models import (
    ENDED,
    Application,
    ApplicationStage,
    CandidateProfile,
    JobOpening,
    JobSearch,
    RejectionReason,
    StageOutcome,
)
from recruitment.services.announcements import announce_application
from recruitment.services.jobs import fill_if_complete
from recruitment.services.profiles import create_candidate_profile
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Invalid
from vocelio.jobs.services import forget_task, promise_task
from vocelio.notifications.services.feed import tell_feed
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.scope import organization_scope
from vocelio.versions import lock

# A rejection is mailed after this long; a bulk change can be undone until then.
UNDO_WINDOW = timedelta(minutes=10)
MAIL_BATCH = 100
MAIL_TASK = "recruitment.tasks.mail_rejection"


class AlreadyApplied(Conflict):
    """The person has an open application to the job; `existingId` names it."""

    code = "ALREADY_APPLIED"
    message = "This person has an open application to the job."


class JobEnded(Conflict):
    code = "JOB_ENDED"
    message = "The job takes no applications any more."


class ReasonMissing(Invalid):
    """Who is rejected is told why: the stage asks for a reason."""

    code = "STAGE_GATE"

    def __init__(self, stage: ApplicationStage) -> None:
        message = f"{stage.name} needs: rejection reason."
        error = {"field": "rejectionReasonId", "value": None, "constraint": "stage_gate", "message": message}
        super().__init__(
            message,
            errors=[error],
            missing=["rejectionReason"],
            stage={"id": str(stage.pk), "name": stage.name},
        )


def create_application(
    *, job: JobOpening, contact: Contact, stage: ApplicationStage | None = None, **fields: Any
) -> Application:
    """Take an application, in the job's first stage unless told otherwise; it belongs to the job's recruiter.

    The contact gets a candidate profile where it has none. Raise AlreadyApplied while another one of theirs is open,
    JobEnded when the job takes none any more. Somebody rejected or hired before may apply again.
    """
    if job.status in ENDED:
        raise JobEnded
    stages = ApplicationStage.objects.alive().filter(process_id=job.process_id)
    if stage is None:
        stage = stages.filter(outcome=StageOutcome.OPEN).order_by("position", "id").first()
        assert stage is not None  # noqa: S101 - every process has a stage of each outcome
    elif stage.process_id != job.process_id or stage.outcome != StageOutcome.OPEN:
        raise Invalid.field("stageId", "An application begins in an open stage of its job.", constraint="choice")
    fields.setdefault("assigned_to_id", job.assigned_to_id)
    application = Application(job=job, contact=contact, stage=stage, created_by_id=current_actor().user_id, **fields)
    check_assignee(application, fields)
    if not CandidateProfile.objects.filter(contact=contact).exists():
        create_candidate_profile(contact=contact, job_search=JobSearch.ACTIVE, source=fields.get("source", ""))
    _save_new(application)
    application.refresh_from_db()
    record("application.created", "application", application.pk, jobId=str(job.pk), fields=sorted(fields))
    announce_application("application_created", application)
    tell_feed(
        kind="application.created",
        resource="application",
        resource_id=application.pk,
        title=job.title,
        owners=[application.assigned_to_id],
        jobId=str(job.pk),
    )
    _tell_assignee(application, None)
    return application


def update_application(
    *,
    application: Application,
    version: int | None = None,
    stage: ApplicationStage | None = None,
    notify_candidate: bool = False,
    **fields: Any,
) -> Application:
    """Change the given fields, and the stage where one is given.

    Raise VersionConflict when it is no longer at `version`, ReasonMissing when it would be rejected without a
    reason. `notify_candidate` mails the reason's message once the undo window is over.
    """
    application = lock(Application.objects.alive(), application.pk, version, application_state)
    before = ApplicationStage.objects.get(pk=application.stage_id)
    owner = application.assigned_to_id
    target = stage or before
    for name, value in fields.items():
        setattr(application, name, value)
    check_assignee(application, fields)
    columns = [*fields, "version"]
    application.version += 1
    if target.pk != before.pk:
        check_stage(application, target)
        application.stage, application.moved_by_id = target, current_actor().user_id
        application.stage_entered_at = timezone.now()
        columns += ["stage", "moved_by", "stage_entered_at"]
        if target.outcome == StageOutcome.REJECTED and notify_candidate:
            application.mail_due_at = timezone.now() + UNDO_WINDOW
            columns.append("mail_due_at")
    elif "rejection_reason_id" in fields:
        check_stage(application, target)
    _save_changed(application, columns)
    application.refresh_from_db()
    if target.pk != before.pk:
        _follow_move(application, before, target, owner, fields)
    else:
        record("application.updated", "application", application.pk, fields=sorted(fields))
        announce_application("application_updated", application, [owner], changes=public_changes(application, fields))
    _tell_assignee(application, owner)
    return application


def check_stage(application: Application, stage: ApplicationStage) -> None:
    """Raise Invalid unless the application may be in the stage."""
    if stage.process_id != application.process_id:
        raise Invalid.field("stageId", "The stage is not of the job's process.", constraint="does_not_exist")
    if stage.outcome == StageOutcome.REJECTED:
        if application.rejection_reason_id is None:
            raise ReasonMissing(stage)
        if not RejectionReason.objects.filter(pk=application.rejection_reason_id).exists():
            raise Invalid.field("rejectionReasonId", "There is no such reason.", constraint="does_not_exist")


def find_stage(stage_id: uuid.UUID, field: str = "stageId") -> ApplicationStage:
    """Return a stage in use; raise Invalid for any other."""
    stage: ApplicationStage | None = ApplicationStage.objects.alive().filter(pk=stage_id).first()
    if stage is None:
        raise Invalid.field(field, "There is no such stage.", value=str(stage_id), constraint="does_not_exist")
    return stage


def find_applicant(contact_id: uuid.UUID, principal: Principal) -> Contact:
    """Return a contact the caller may see; raise Invalid for any other."""
    contact: Contact | None = (
        Contact.objects.alive().visible_to(principal).filter(pk=contact_id).defer("search").first()
    )
    if contact is None:
        raise Invalid.field(
            "contactId", "There is no such contact.", value=str(contact_id), constraint="does_not_exist"
        )
    return contact


def application_state(application: Application) -> dict[str, Any]:
    """Return what the second of two movers needs to see."""
    return {
        "id": str(application.pk),
        "name": str(application.contact),
        "version": application.version,
        "jobId": str(application.job_id),
        "stageId": str(application.stage_id),
        "status": application.status,
    }


def send_rejections() -> int:
    """Promise the mails of rejections that stand since their undo window; return how many."""
    due = Application.objects.filter(mail_due_at__lte=timezone.now(), status=StageOutcome.REJECTED)
    rows = list(due.values_list("pk", "organization_id")[:MAIL_BATCH])
    for application_id, organization_id in rows:
        promise_task(MAIL_TASK, organization_id=organization_id, row_id=application_id)
    return len(rows)


def leave_unmailed(due_by: datetime) -> int:
    """Forget the mails of rejections that were due by then; return how many."""
    return int(Application.objects.filter(mail_due_at__lte=due_by).update(mail_due_at=None))


def mail_rejection(*, organization_id: uuid.UUID, application_id: uuid.UUID) -> None:
    """Mail a rejection that still stands, once; the mail server is asked outside any transaction."""
    with organization_scope(organization_id):
        rows = Application.objects.alive().select_related("contact", "job", "rejection_reason")
        found = rows.filter(pk=application_id, mail_due_at__isnull=False).defer("contact__search").first()
        text = found.rejection_reason.message if found and found.rejection_reason else ""
    is_mailed = found is not None and bool(text) and bool(found.contact.email)
    if found is not None and is_mailed:
        text = text.replace("{firstName}", found.contact.first_name).replace("{jobTitle}", found.job.title)
        EmailMessage(subject=f"Your application: {found.job.title}", body=text, to=[found.contact.email]).send()
    with organization_scope(organization_id):
        Application.objects.filter(pk=application_id).update(mail_due_at=None)
        if is_mailed:
            record("application.rejection_mailed", "application", application_id)
        forget_task(application_id)


def _follow_move(
    application: Application,
    before: ApplicationStage,
    target: ApplicationStage,
    owner: uuid.UUID | None,
    fields: dict[str, Any],
) -> None:
    record(
        "application.moved",
        "application",
        application.pk,
        fields=sorted(fields),
        fromStage=str(before.pk),
        toStage=str(target.pk),
        status=application.status,
    )
    announce_application("application_moved", application, [owner], fromStageId=str(before.pk))
    tell_of_moves([(application, before, target)])


def tell_of_moves(moves: list[tuple[Application, ApplicationStage, ApplicationStage]]) -> None:
    """Add moves to the feed; jobs whose last opening was filled become filled, who was hired looks no longer."""
    hired = [
        application for application, before, target in moves if target.outcome == StageOutcome.HIRED != before.outcome
    ]
    titles = dict(JobOpening.objects.filter(pk__in={row.job_id for row, _, _ in moves}).values_list("pk", "title"))
    for application, before, target in moves:
        tell_feed(
            kind=f"application.{target.outcome if target.outcome != before.outcome else 'moved'}",
            resource="application",
            resource_id=application.pk,
            title=titles[application.job_id],
            owners=[application.assigned_to_id],
            jobId=str(application.job_id),
            fromStage=before.name,
            toStage=target.name,
        )
    CandidateProfile.objects.filter(contact_id__in=[row.contact_id for row in hired]).update(
        job_search=JobSearch.PLACED
    )
    for job in JobOpening.objects.select_for_update().filter(pk__in={row.job_id for row in hired}).order_by("pk"):
        fill_if_complete(job, Application.objects.filter(job=job, status=StageOutcome.HIRED).count())


def _save_new(application: Application) -> None:
    try:
        with transaction.atomic():
            application.save(force_insert=True)
    except IntegrityError as error:
        raise _refused(error, application) from None


def _save_changed(application: Application, columns: list[str]) -> None:
    try:
        with transaction.atomic():
            application.save(update_fields=columns)
    except IntegrityError as error:
        raise _refused(error, application) from None


def _refused(error: IntegrityError, application: Application) -> Exception:
    if "one_open_application" not in str(error):
        return error
    others = Application.objects.open().filter(job_id=application.job_id, contact_id=application.contact_id)
    other = others.exclude(pk=application.pk).values_list("pk", flat=True).first()
    return AlreadyApplied(**({"existingId": str(other)} if other else {}))


def _tell_assignee(application: Application, before: uuid.UUID | None) -> None:
    """Notify who became responsible, unless they did it themselves."""
    user_id = application.assigned_to_id
    if user_id and user_id not in (before, current_actor().user_id):
        notify(
            kind="application.assigned",
            user_ids=[user_id],
            title=f"{application.contact} for {application.job}",
            key=f"application.assigned:{application.pk}:{application.version}",
            resource="application",
            resource_id=application.pk,
        )
