"""What contacts hear of other apps."""

from typing import Any

from django.dispatch import receiver

from contacts.models import ContactImport
from contacts.services.imports import tell_of_import
from vocelio.jobs.signals import job_finished


@receiver(job_finished, sender=ContactImport)
def add_to_feed(job: ContactImport, **kwargs: Any) -> None:
    """Tell colleagues what an import brought."""
    tell_of_import(job)
