"""Every beat entry, in one table. Beat copies it to django-celery-beat's rows, where staff see and change it."""

from celery.schedules import crontab

BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "Ring jobs that Redis or a worker lost": {"task": "vocelio.jobs.tasks.sweep_jobs", "schedule": 5.0},
    "Sum up changes of contact counts": {"task": "contacts.tasks.compact_tallies", "schedule": 60.0},
    "Purge what has been in the trash for 30 days": {"task": "contacts.tasks.purge_trash", "schedule": 3600.0},
    "Delete uploads and exports past their time": {"task": "contacts.tasks.purge_files", "schedule": 3600.0},
    "Let pass what profiles told until yesterday": {
        "task": "contacts.tasks.renew_insights",
        "schedule": crontab(hour="0", minute="5"),
    },
    "Look for duplicate contacts": {"task": "contacts.tasks.start_due_scans", "schedule": 3600.0},
    "Remind people of their activities": {"task": "sales.tasks.send_reminders", "schedule": 30.0},
    "Note what pipelines are worth today": {"task": "sales.tasks.take_snapshots", "schedule": 3600.0},
    "Restate amounts in foreign currencies": {"task": "sales.tasks.restate_amounts", "schedule": 3600.0},
    "Purge deals in the trash for 30 days": {"task": "sales.tasks.purge_deals", "schedule": 3600.0},
    "Sum up changes of stage totals": {"task": "sales.tasks.compact_deal_tallies", "schedule": 60.0},
    "Purge clients that have been in the trash for 30 days": {
        "task": "contacts.tasks.purge_clients",
        "schedule": 3600.0,
    },
    "Remove files that deleted candidates left": {
        "task": "recruitment.tasks.remove_discarded_files",
        "schedule": 300.0,
    },
    "Mail rejections that nobody took back": {"task": "recruitment.tasks.send_rejections", "schedule": 60.0},
    "Forget candidates whose time is over": {"task": "recruitment.tasks.keep_clock", "schedule": 3600.0},
    "Repeat scrubs whose lists have changed": {"task": "dnc.tasks.follow_outdated_scrubs", "schedule": 30.0},
    "Fetch DNC lists that are due": {"task": "dnc.tasks.collect_sources", "schedule": 60.0},
    "Mark DNC entries that have run out": {"task": "dnc.tasks.expire_entries", "schedule": 300.0},
    "Forget DNC records past their five years": {"task": "dnc.tasks.purge_records", "schedule": 3600.0},
    "Sum up changes of DNC entry counts": {"task": "dnc.tasks.compact_entry_tallies", "schedule": 60.0},
    "Send messages that are due": {"task": "comms.tasks.wake_senders", "schedule": 5.0},
    "Go on with sequences of messages": {"task": "comms.tasks.advance_sequences", "schedule": 30.0},
    "Seal the audit log": {"task": "vocelio.audit.tasks.seal_audit_log", "schedule": 60.0},
    "Delete events past their retention": {"task": "vocelio.realtime.tasks.purge_events", "schedule": 3600.0},
    "Forget old idempotency keys": {"task": "vocelio.api.tasks.purge_idempotency_keys", "schedule": 3600.0},
    "Send password mails that Redis lost": {"task": "vocelio.users.tasks.send_password_resets", "schedule": 30.0},
    "Forget old log-in attempts and sessions": {"task": "vocelio.users.tasks.purge_sign_ins", "schedule": 3600.0},
    "Forget old notifications": {"task": "vocelio.notifications.tasks.purge_notifications", "schedule": 3600.0},
    "Start CRM syncs that are due": {"task": "crm_sync.tasks.start_due_syncs", "schedule": 60.0},
    "Renew CRM credentials and webhooks": {"task": "crm_sync.tasks.renew_credentials", "schedule": 600.0},
    "Make vectors of what changed": {"task": "ai_matching.tasks.start_marked_runs", "schedule": 10.0},
    "Score leads anew": {"task": "ai_matching.tasks.score_leads", "schedule": 86400.0},
    "Forget old CRM webhooks and histories": {"task": "crm_sync.tasks.purge_crm_history", "schedule": 3600.0},
}
