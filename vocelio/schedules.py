"""Every beat entry, in one table. Beat copies it to django-celery-beat's rows, where staff see and change it."""

BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "Ring jobs that Redis or a worker lost": {"task": "vocelio.jobs.tasks.sweep_jobs", "schedule": 5.0},
    "Send password mails that Redis lost": {"task": "vocelio.users.tasks.send_password_resets", "schedule": 30.0},
    "Forget old log-in attempts and sessions": {"task": "vocelio.users.tasks.purge_sign_ins", "schedule": 3600.0},
}
