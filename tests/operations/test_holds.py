"""Which tasks leave the installation, and that all of them stay inside while a restore is held."""

from celery import current_app
from django.conf import settings

from vocelio.db.holds import OUTGOING

# Work within the installation, on data that people ask for themselves, or reading from outside.
INSIDE = {
    *("ai_matching.tasks.run_embeddings", "ai_matching.tasks.score_leads", "ai_matching.tasks.start_marked_runs"),
    "comms.tasks.call_off_batch",
    *("contacts.tasks.compact_tallies", "contacts.tasks.preview_import", "contacts.tasks.purge_clients"),
    *("contacts.tasks.purge_files", "contacts.tasks.purge_trash", "contacts.tasks.renew_insights"),
    *("contacts.tasks.run_bulk", "contacts.tasks.run_export", "contacts.tasks.run_import", "contacts.tasks.run_undo"),
    *("contacts.tasks.scan_duplicates", "contacts.tasks.start_due_scans"),
    "crm_sync.tasks.purge_crm_history",
    *("dnc.tasks.collect_sources", "dnc.tasks.compact_entry_tallies", "dnc.tasks.expire_entries"),
    *("dnc.tasks.follow_outdated_scrubs", "dnc.tasks.purge_records", "dnc.tasks.run_list_upload"),
    *("dnc.tasks.run_registry_load", "dnc.tasks.run_scrub"),
    *("recruitment.tasks.keep_clock", "recruitment.tasks.read_candidate_file"),
    *("recruitment.tasks.remove_discarded_files", "recruitment.tasks.run_cv_batch"),
    "recruitment.tasks.take_sent_application",
    *("sales.tasks.compact_deal_tallies", "sales.tasks.purge_deals", "sales.tasks.restate_amounts"),
    *("sales.tasks.send_reminders", "sales.tasks.take_snapshots"),
    "vocelio.api.tasks.purge_idempotency_keys",
    "vocelio.audit.tasks.seal_audit_log",
    "vocelio.db.tasks.keep_partitions",
    "vocelio.reports.tasks.purge_deliveries",
    "comms.tasks.purge_bodies",
    "vocelio.jobs.tasks.sweep_jobs",
    "vocelio.notifications.tasks.purge_notifications",
    "vocelio.realtime.tasks.purge_events",
    # A mailing that is due begins as a job, which waits.
    "vocelio.reports.tasks.start_due_deliveries",
    "vocelio.storage.tasks.sweep_files",
    *(
        "vocelio.webhooks.tasks.fan_out",
        "vocelio.webhooks.tasks.purge_deliveries",
        "vocelio.webhooks.tasks.tell_events",
    ),
    # Somebody at the log-in page waits for the mail; those of before a restore are gone with the sign-ins.
    *("vocelio.users.tasks.send_password_resets", "vocelio.users.tasks.purge_sign_ins"),
}


def test_every_task_is_known_to_stay_inside_or_is_held_after_a_restore():
    current_app.loader.import_default_modules()
    known = {name for name in current_app.tasks if name.split(".")[0] in settings.CELERY_TASK_QUEUES_BY_APP}
    assert known == OUTGOING | INSIDE
    assert not OUTGOING & INSIDE
