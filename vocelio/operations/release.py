"""End the hold of a restore, with or without what may have been sent already."""

from collections import Counter

from django.apps import apps
from django.db import transaction
from django.db.models.functions import Now

from vocelio.audit.services import record
from vocelio.db.holds import OUTGOING, PARKED, current_hold
from vocelio.db.models import OutgoingHold
from vocelio.errors import Conflict
from vocelio.jobs.models import Doorbell, Job, JobStatus
from vocelio.jobs.services import cancel_job
from vocelio.operations.signals import leaving_in_doubt
from vocelio.organizations.models import Organization
from vocelio.organizations.platform import platform_organization
from vocelio.organizations.scope import organization_scope

UNFINISHED = [JobStatus.PENDING, JobStatus.PROCESSING]


def release_outgoing(*, resend: bool) -> dict[str, int]:
    """Let work leave the installation again; return what was taken out of it because it may have left before.

    With `resend` everything that was due goes out, also what may have gone out already. Stopped half way, it can be
    begun again: the hold stands until all is done.
    """
    hold = current_hold()
    if hold is None:
        raise Conflict("Nothing is held back.")
    withdrawn: Counter[str] = Counter()
    if not resend:
        for organization_id in Organization.objects.values_list("pk", flat=True):
            with organization_scope(organization_id):
                withdrawn.update(_withdraw(hold))
    with organization_scope(platform_organization().pk), transaction.atomic():
        parked = Doorbell.objects.filter(due_at=PARKED)
        if resend:
            parked.update(due_at=Now())
        else:
            withdrawn["promised mails"] += parked.delete()[0]
        record("outgoing.released", "installation", resend=resend, withdrawn=dict(withdrawn))
        OutgoingHold.objects.all().delete()
    return {what: count for what, count in withdrawn.items() if count}


def _withdraw(hold: OutgoingHold) -> Counter[str]:
    withdrawn: Counter[str] = Counter()
    for model in apps.get_models():
        if issubclass(model, Job) and model.task in OUTGOING:
            for job in model.objects.filter(status__in=UNFINISHED, created_at__lt=hold.held_at):
                job = cancel_job(job)
                # One that ran ends where its next worker looks.
                Doorbell.objects.filter(pk=job.pk).update(due_at=Now())
                withdrawn[str(model._meta.verbose_name_plural)] += 1
    for _, counts in leaving_in_doubt.send(OutgoingHold, hold=hold):
        withdrawn.update(counts)
    return withdrawn
