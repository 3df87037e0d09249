"""Every beat entry, in one table. Beat copies it to django-celery-beat's rows, where staff see and change it."""

BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "Ring jobs that Redis or a worker lost": {"task": "vocelio.jobs.tasks.sweep_jobs", "schedule": 5.0},
}
