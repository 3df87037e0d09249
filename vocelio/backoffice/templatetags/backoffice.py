"""What the back office's templates ask of Python."""

from django import template
from django.utils.safestring import SafeString

from vocelio.backoffice import jobs
from vocelio.jobs.models import Job

register = template.Library()


@register.filter
def progress_bar(job: Job) -> SafeString:
    return jobs.progress_bar(job)


@register.filter
def job_address(job: Job) -> str | None:
    return jobs.job_address(job)


@register.filter
def job_kind(job: Job) -> str:
    """Return what this kind of run is called."""
    return str(job._meta.verbose_name)
