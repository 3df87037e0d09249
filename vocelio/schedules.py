"""Every beat entry, in one table. Beat copies it to django-celery-beat's rows, where staff see and change it."""

BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "Ring jobs that Redis or a worker lost": {"task": "vocelio.jobs.tasks.sweep_jobs", "schedule": 5.0},
    "Sum up changes of contact counts": {"task": "contacts.tasks.compact_tallies", "schedule": 60.0},
    "Purge what has been in the trash for 30 days": {"task": "contacts.tasks.purge_trash", "schedule": 3600.0},
}
