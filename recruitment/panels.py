"""What recruitment adds elsewhere: jobs of a client, applications in a contact's timeline, what is erased with a person."""

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Max, Q
from django.dispatch import receiver
from django.urls import reverse

from contacts import erasure, timeline
from contacts.client_panels import ClientFigures, ClientPanel, PanelTable, register_client_panel
from contacts.signals import contacts_in_use
from recruitment.models import Application, Cv, JobOpening, Placement, SentApplication, StageEvent
from recruitment.models.jobs import ENDED
from vocelio.access.principal import Principal

SHOWN = 20


def job_figures(client_id: uuid.UUID, principal: Principal) -> ClientFigures:
    """Return open jobs and placements, and when a job last changed."""
    jobs = JobOpening.objects.alive().visible_to(principal).filter(client_id=client_id)
    placed = Placement.objects.get_queryset().visible_to(principal).filter(client_id=client_id)
    last = jobs.order_by().aggregate(last=Max("updated_at"))["last"]
    return ClientFigures({"openJobs": jobs.exclude(status__in=ENDED).count(), "placements": placed.count()}, last)


def jobs_of_client(client_id: uuid.UUID, principal: Principal) -> PanelTable:
    jobs = JobOpening.objects.alive().visible_to(principal).filter(client_id=client_id)
    rows = [
        (
            reverse("admin:recruitment_jobopening_change", args=[job.pk]),
            [job.title, job.get_status_display(), str(job.openings), str(job.assigned_to or "")],
        )
        for job in jobs.select_related("assigned_to").order_by("-created_at")[:SHOWN]
    ]
    more = ("Add a job", f"{reverse('admin:recruitment_jobopening_add')}?client={client_id}")
    return PanelTable(["Job", "Status", "Openings", "Recruiter"], rows, more)


def steps(contact_id: uuid.UUID, before: datetime | None, limit: int) -> Iterable[timeline.Entry]:
    """Return the steps of the contact's applications, the newest first."""
    jobs = dict(Application.objects.filter(contact_id=contact_id).values_list("pk", "job__title"))
    events: Any = StageEvent.objects.filter(application_id__in=jobs).select_related("to_stage")
    if before is not None:
        events = events.filter(moved_at__lte=before)
    return [
        timeline.Entry(
            event.moved_at,
            "application",
            str(event.pk),
            f"{jobs[event.application_id]}: {event.to_stage}",
            event.moved_by_id,
            {"applicationId": str(event.application_id), "outcome": event.to_outcome},
        )
        for event in events.order_by("-moved_at", "-id")[:limit]
    ]


def erase_cvs(person: erasure.ErasedPerson) -> int:
    """Remove CVs nobody accepted, and applications on their way in, that name the person."""
    read = Q(proposals__email__value__in=person.emails) | Q(proposals__phone__value__in=person.phone_numbers)
    cvs, _ = Cv.objects.filter(read).delete()
    sent, _ = SentApplication.objects.filter(values__email__in=person.emails).delete()
    return int(cvs + sent)


@receiver(contacts_in_use)
def applicants(sender: object, contact_ids: Iterable[uuid.UUID], **_: object) -> set[uuid.UUID]:
    """Return the contacts with applications, which an undo of an import leaves alone."""
    return set(Application.objects.filter(contact_id__in=contact_ids).values_list("contact_id", flat=True))


def register_panels() -> None:
    register_client_panel(ClientPanel("jobs", "Jobs", figures=job_figures, table=jobs_of_client))
    timeline.register("application", steps)
    erasure.register("cvs", erase_cvs)
