"""What contacts show on the back office's first page."""

from datetime import timedelta

from django.db.models import Count
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from contacts.models import Contact, ContactImport, ContactList, ContactStatus, ContactTally
from vocelio.access.principal import Principal
from vocelio.backoffice.cards import Card, Chart
from vocelio.jobs.models import JobStatus

DAYS = 30


def cards(principal: Principal) -> list[Card]:
    """Return the organization's contacts, lists and imports in figures."""
    numbers = ContactTally.objects.by_status()
    lists = ContactList.objects.filter(status=ContactList.Status.ACTIVE).count()
    today = ContactImport.objects.filter(created_at__gte=timezone.now().replace(hour=0, minute=0, second=0))
    running = today.filter(status__in=[JobStatus.PENDING, JobStatus.PROCESSING]).count()
    contacts, imports = reverse("admin:contacts_contact_changelist"), reverse("admin:contacts_contactimport_changelist")
    return [
        Card("Contacts", sum(numbers.values()), "outside the trash", contacts, "contacts"),
        Card(
            "Active contacts",
            numbers[ContactStatus.ACTIVE],
            "may be worked",
            f"{contacts}?status__exact=active",
            "person_check",
        ),
        Card("Lists", lists, "active", reverse("admin:contacts_contactlist_changelist"), "lists"),
        Card("Imports today", today.count(), f"{running} running", imports, "upload_file"),
    ]


def chart(principal: Principal) -> Chart:
    """Return how many contacts were added on each of the last days."""
    midnight = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=DAYS - 1)
    days = [(first + timedelta(days=day)).date() for day in range(DAYS)]
    added = dict(
        Contact.objects.alive()
        .filter(created_at__gte=first)
        .annotate(day=TruncDate("created_at"))
        .values("day")
        .annotate(number=Count("pk"))
        .values_list("day", "number")
        .order_by()
    )
    return Chart("Contacts added a day", [date_format(day, "j M") for day in days], [added.get(day, 0) for day in days])
