"""Every beat entry, in one table. Beat copies it to django-celery-beat's rows, where staff see and change it."""

BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "Ring jobs that Redis or a worker lost": {"task": "vocelio.jobs.tasks.sweep_jobs", "schedule": 5.0},
    "Sum up changes of contact counts": {"task": "contacts.tasks.compact_tallies", "schedule": 60.0},
    "Purge what has been in the trash for 30 days": {"task": "contacts.tasks.purge_trash", "schedule": 3600.0},
    "Seal the audit log": {"task": "vocelio.audit.tasks.seal_audit_log", "schedule": 60.0},
    "Delete events past their retention": {"task": "vocelio.realtime.tasks.purge_events", "schedule": 3600.0},
    "Forget old idempotency keys": {"task": "vocelio.api.tasks.purge_idempotency_keys", "schedule": 3600.0},
    "Send password mails that Redis lost": {"task": "vocelio.users.tasks.send_password_resets", "schedule": 30.0},
    "Forget old log-in attempts and sessions": {"task": "vocelio.users.tasks.purge_sign_ins", "schedule": 3600.0},
}
