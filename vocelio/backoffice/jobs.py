"""Background runs of every kind: the latest ones, and their progress while somebody looks on."""

import uuid
from typing import Any

from django.apps import apps
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString

from vocelio.jobs.models import Job

# Ids one page may ask for.
MOST_WATCHED = 100


def job_kinds() -> list[type[Job]]:
    """Return every kind of job there is."""
    return [model for model in apps.get_models() if issubclass(model, Job)]


def latest_jobs(limit: int) -> list[Job]:
    """Return the organization's newest jobs of all kinds, newest first."""
    jobs: list[Job] = []
    for kind in job_kinds():
        jobs += kind.objects.select_related("created_by").order_by("-created_at", "-id")[:limit]
    return sorted(jobs, key=lambda job: job.created_at, reverse=True)[:limit]


def jobs_page(request: HttpRequest) -> dict[str, Any]:
    """Return what the page of jobs shows."""
    return {"jobs": latest_jobs(limit=100)}


def job_progress(request: HttpRequest) -> HttpResponse:
    """Answer the state of the jobs named in `ids`, for the page that shows them."""
    try:
        ids = [uuid.UUID(text) for text in request.GET.get("ids", "").split(",")[:MOST_WATCHED] if text]
    except ValueError:
        return JsonResponse({"jobs": []}, status=400)
    jobs = [job for kind in job_kinds() for job in kind.objects.filter(pk__in=ids)]
    return JsonResponse({"jobs": [_state(job) for job in jobs]})


def _state(job: Job) -> dict[str, Any]:
    text = render_to_string("backoffice/progress_text.html", {"job": job})
    fields = {name: getattr(job, name) for name in ("id", "status", "progress")}
    return {**fields, "text": text, "counts": job.audit_counts()}


def progress_bar(job: Job) -> SafeString:
    """Return the bar that static/backoffice/jobs.js keeps moving."""
    return render_to_string("backoffice/progress_bar.html", {"job": job})


def job_address(job: Job) -> str | None:
    """Return the address of the job's own page, None where its kind has none."""
    try:
        return reverse(f"admin:{job._meta.app_label}_{job._meta.model_name}_change", args=[job.pk])
    except NoReverseMatch:
        return None
