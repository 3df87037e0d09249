"""What recruitment shows on the back office's first page."""

from django.urls import reverse

from recruitment.models import Application, Cv, CvStatus, JobOpening, OpeningStatus
from vocelio.access.principal import Principal
from vocelio.backoffice.cards import Card


def cards(principal: Principal) -> list[Card]:
    """Return open jobs with their applications, and CVs nobody has looked at."""
    jobs = JobOpening.objects.alive().visible_to(principal).filter(status=OpeningStatus.OPEN)
    applications = Application.objects.alive().visible_to(principal).open()
    cvs = Cv.objects.filter(status=CvStatus.PARSED).count()
    return [
        Card(
            "Open jobs",
            jobs.count(),
            f"{applications.count()} open applications",
            reverse("admin:recruitment_jobopening_changelist"),
            "work",
        ),
        Card(
            "CVs to look at", cvs, "read, not yet accepted", reverse("admin:recruitment_cv_changelist"), "description"
        ),
    ]
