"""Change whatever a filter finds, as a job: previewed, resumed after a crash, undone."""

import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from contacts.models import BulkFailure, BulkJob, Contact, ContactChange, ContactListMembership, ListDeparture
from contacts.models.live import LiveContactQuerySet
from contacts.services.announcements import announce_bulk
from contacts.services.bulk import ACTIONS, static_list
from contacts.services.history import Change, change_cause, put_back
from vocelio.access.principal import Principal, principal_of_member
from vocelio.audit.services import record
from vocelio.bulk import BulkResult
from vocelio.db.counting import bounded_count
from vocelio.errors import Conflict, Forbidden
from vocelio.jobs.models import JobStatus
from vocelio.jobs.services import Run, enqueue_job, running
from vocelio.organizations.models import TenantQuerySet

CAUSE = "bulk"
UNDO = "undo"
# One transaction: a second or less, so that nobody waits longer for a contact in it.
CHUNK = 4_000
UNDO_WITHIN = timedelta(days=30)
# Finds contacts by parameters of GET /contacts for a person; the doors pass the one of contacts/filters.
Select = Callable[[Mapping[str, Any], Principal], LiveContactQuerySet]


def preview_bulk(found: LiveContactQuerySet) -> tuple[int, bool]:
    """Return how many contacts a bulk job would touch, and whether that is exact."""
    return bounded_count(found)


def start_bulk(*, action: str, filter: Mapping[str, Any], data: Mapping[str, Any], found: TenantQuerySet) -> BulkJob:
    """Promise the change to all contacts the filter finds when the job gets to them."""
    for name, field in (("list_id", "data.listId"), ("from_list_id", "data.fromListId")):
        if list_id := data.get(name):
            static_list(list_id, field)
    job = BulkJob(action=action, filter=dict(filter), data=_plain(data), total=bounded_count(found)[0])
    job.save()
    record("bulk.started", job.resource, job.pk, operation=action, filter=sorted(filter), expected=job.total)
    enqueue_job(job)
    return job


def undo_bulk(job: BulkJob) -> BulkJob:
    """Promise to take back what a finished job did; raise Conflict when it cannot be, or is already."""
    job = BulkJob.objects.select_for_update().get(pk=job.pk)
    if job.action == UNDO or not JobStatus(job.status).is_final:
        raise Conflict("Only a finished bulk change can be undone.", status=job.status)
    if job.created_at < timezone.now() - UNDO_WITHIN:
        raise Conflict("A bulk change can be undone for 30 days.")
    if existing := job.undoings.exclude(status__in=[JobStatus.FAILED, JobStatus.CANCELLED]).first():
        raise Conflict("This is undone already.", jobId=str(existing.pk))
    undoing = BulkJob(action=UNDO, undoes=job, data={"action": job.action}, total=job.succeeded)
    undoing.save()
    record("bulk.undo_started", job.resource, job.pk, jobId=str(undoing.pk))
    enqueue_job(undoing)
    return undoing


def run_bulk(job: BulkJob, *, select: Select) -> None:
    """Carry the change on from where it stands, as the person who asked for it."""
    with running(job) as run:
        principal = (
            principal_of_member(run.job.created_by_id, run.job.organization_id) if run.job.created_by_id else None
        )
        if principal is None or not principal.may("contacts:bulk"):
            raise Forbidden("Who started this may not do it any more.")
        if run.job.action == UNDO:
            _undo(run)
        else:
            _change(run, principal, select)


def _change(run: Run[BulkJob], principal: Principal, select: Select) -> None:
    job = run.job
    operation = ACTIONS[job.action]
    last = uuid.UUID(job.checkpoint["last"]) if "last" in job.checkpoint else uuid.UUID(int=0)
    # Contacts made since are not meant. Ids rise with time.
    end = uuid.UUID(int=int(job.created_at.timestamp() * 1000) + 1 << 80)
    while True:
        with run.step() as step, change_cause(CAUSE, job.pk):
            with connection.cursor() as cursor:
                # In the order of ids, once through: the indexes of the filters would be read anew for each chunk.
                cursor.execute("SET LOCAL enable_bitmapscan = off")
                found: Any = (
                    Contact.objects.in_trash().visible_to(principal)
                    if job.action == "restore"
                    else select(job.filter, principal)
                )
                following = found.filter(id__gt=last, id__lt=end).order_by("id").values_list("id", flat=True)
                ids: list[uuid.UUID] = list(following[:CHUNK])
                cursor.execute("SET LOCAL enable_bitmapscan = on")
            if not ids:
                step.set(total=job.processed)
                return
            last = ids[-1]
            result = operation(principal=principal, contact_ids=ids, **job.data)
            _keep_failures(job, result)
            step.advance(
                len(ids), checkpoint={"last": str(last)}, succeeded=len(result.successful), failed=len(result.errors)
            )


def _undo(run: Run[BulkJob]) -> None:
    """Take back changes of contacts, newest first, then lists; what was changed since stays and is told."""
    job, undone = run.job, run.job.undoes_id
    while True:
        with run.step() as step, change_cause(UNDO, job.pk):
            changes = ContactChange.objects.caused_by(CAUSE, undone).reverse()
            if "at" in job.checkpoint:
                at, last = job.checkpoint["at"], job.checkpoint["id"]
                changes = changes.filter(Q(changed_at__lt=at) | Q(changed_at=at, id__lt=last))
            rows = list(changes[:CHUNK])
            if not rows:
                break
            result = put_back([Change(row.contact_id, row.before, row.after) for row in rows])
            outcome = BulkResult("contactId", sorted(result.restored))
            outcome.fail_each(
                result.kept.keys() - result.failed.keys(), "CHANGED_SINCE", "Changed again since; left as it is."
            )
            outcome.fail_each(result.failed, "CONFLICT", "Another contact has the phone number now.")
            _keep_failures(job, outcome)
            if result.restored:
                announce_bulk(UNDO, result.restored)
            step.advance(
                len(rows),
                checkpoint={"at": rows[-1].changed_at.isoformat(), "id": str(rows[-1].pk)},
                succeeded=len(result.restored),
                failed=len(outcome.errors),
            )
    _undo_lists(run)


def _undo_lists(run: Run[BulkJob]) -> None:
    job, undone = run.job, run.job.undoes_id
    while True:
        with run.step() as step, change_cause(UNDO, job.pk):
            added = _memberships_added(run, undone)
            left = list(
                ListDeparture.objects.caused_by(CAUSE, undone).filter(id__gt=job.checkpoint.get("left", uuid.UUID(int=0)))
                .order_by("id")[:CHUNK]
            )  # fmt: skip
            if not added and not left:
                step.set(total=job.processed)
                return
            ContactListMembership.objects.filter(pk__in=[row.pk for row in added]).delete()
            with connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO contact_list_memberships (id, organization_id, contact_id, list_id, added_at, added_by_id)"
                    " SELECT uuid7(), organization_id, contact_id, list_id, added_at, added_by_id"
                    " FROM contact_list_departures WHERE organization_id = %s AND id = ANY(%s)"
                    " AND EXISTS (SELECT FROM contacts AS contact WHERE contact.organization_id = %s"
                    " AND contact.id = contact_list_departures.contact_id) ON CONFLICT DO NOTHING",
                    [job.organization_id, [row.pk for row in left], job.organization_id],
                )
            touched = {row.contact_id for row in [*added, *left]}
            announce_bulk(UNDO, touched, {row.list_id for row in [*added, *left]})
            checkpoint = job.checkpoint | ({"left": str(left[-1].pk)} if left else {})
            step.advance(len(touched), checkpoint=checkpoint, succeeded=len(touched))


def _memberships_added(run: Run[BulkJob], undone: uuid.UUID | None) -> list[ContactListMembership]:
    list_id = BulkJob.objects.values_list("data__list_id", flat=True).get(pk=undone)
    if list_id is None:
        return []
    return list(ContactListMembership.objects.filter(list_id=list_id, cause_id=undone)[:CHUNK])


def _keep_failures(job: BulkJob, result: BulkResult) -> None:
    BulkFailure.objects.bulk_create(
        BulkFailure(job=job, contact_id=error["contactId"], code=error["code"], error=error["error"])
        for error in result.errors
    )


def _plain(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, uuid.UUID) else value for name, value in data.items()}
