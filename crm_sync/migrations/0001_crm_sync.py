import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import crm_sync.models.integrations
import vocelio.crypto.fields
import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

# A purged contact leaves a tombstone that knows nothing of the person, at once and whoever purges.
FORGET_PURGED = """
CREATE FUNCTION forget_purged_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.local_base := '{}';
    NEW.remote_base := '{}';
    NEW.is_due := false;
    IF NEW.state <> 'quarantined' THEN
        NEW.state := 'tombstoned';
        NEW.code := 'LOCAL_PURGED';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER forget_purged BEFORE UPDATE ON crm_record_links FOR EACH ROW
    WHEN (OLD.contact_id IS NOT NULL AND NEW.contact_id IS NULL) EXECUTE FUNCTION forget_purged_contact();
"""

# As the owner, for every organization in one statement: ids alone leave it.
DUE = """
CREATE FUNCTION due_crm_integrations(most integer) RETURNS TABLE (organization_id uuid, integration_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT organization_id, id FROM crm_integrations AS integration
    WHERE status = 'connected' AND NOT needs_confirmation AND (
        (auto_sync AND next_sync_at <= now())
        OR EXISTS (SELECT FROM crm_hints AS hint WHERE hint.organization_id = integration.organization_id
                   AND hint.integration_id = integration.id)
    ) ORDER BY next_sync_at NULLS LAST LIMIT most
$$;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contacts", "0005_statistics"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CrmIntegration",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("crm_type", models.CharField(choices=crm_sync.models.integrations.provider_choices, max_length=50)),
                ("name", models.CharField(max_length=255)),
                ("endpoint_url", models.CharField(blank=True, max_length=500)),
                (
                    "options",
                    models.JSONField(
                        blank=True, default=dict, help_text="Answers to what the provider asks, e.g. dataCenter."
                    ),
                ),
                ("field_mappings", models.JSONField(blank=True, default=dict)),
                ("sync_settings", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("disconnected", "Disconnected"),
                            ("connected", "Connected"),
                            ("expired", "Sign-in expired"),
                        ],
                        default="disconnected",
                        max_length=50,
                    ),
                ),
                ("status_message", models.CharField(blank=True, max_length=500)),
                ("auto_sync", models.BooleanField(default=False)),
                ("sync_frequency", models.PositiveIntegerField(default=30, help_text="Minutes.")),
                ("next_sync_at", models.DateTimeField(editable=False, null=True)),
                ("last_sync_at", models.DateTimeField(editable=False, null=True)),
                ("needs_confirmation", models.BooleanField(default=False, editable=False)),
                ("total_contacts", models.PositiveIntegerField(default=0, editable=False)),
                ("synced_contacts", models.PositiveIntegerField(default=0, editable=False)),
                ("failed_contacts", models.PositiveIntegerField(default=0, editable=False)),
                ("account_id", models.CharField(blank=True, editable=False, max_length=255)),
                ("account_name", models.CharField(blank=True, editable=False, max_length=255)),
                ("warnings", models.JSONField(default=list, editable=False)),
                ("remote_fields", models.JSONField(default=dict, editable=False)),
                ("samples", models.JSONField(default=list, editable=False)),
                ("checked_at", models.DateTimeField(editable=False, null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "CRM connection",
                "db_table": "crm_integrations",
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="crm_integrations_newest"),
                    models.Index(
                        condition=models.Q(("auto_sync", True)), fields=["next_sync_at"], name="crm_integrations_due"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "crm_type", "name"), name="one_crm_connection_per_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("sync_frequency__gte", 5), ("sync_frequency__lte", 10080)),
                        name="crm_sync_frequency_in_bounds",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmHint",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(choices=[("contacts", "contacts"), ("companies", "companies")], max_length=20),
                ),
                ("remote_id", models.CharField(max_length=255)),
                ("count", models.PositiveIntegerField(default=1)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "integration",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmintegration",
                    ),
                ),
            ],
            options={
                "db_table": "crm_hints",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "integration", "kind", "remote_id"), name="one_crm_hint_per_record"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmCursor",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "kind",
                    models.CharField(choices=[("contacts", "contacts"), ("companies", "companies")], max_length=20),
                ),
                ("stream", models.CharField(max_length=20)),
                ("since", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "integration",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmintegration",
                    ),
                ),
            ],
            options={
                "db_table": "crm_cursors",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "integration", "kind", "stream"), name="one_crm_cursor_per_stream"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmCredential",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("blob", vocelio.crypto.fields.EncryptedTextField(blank=True, default="")),
                ("app", vocelio.crypto.fields.EncryptedTextField(blank=True, default="")),
                ("version", models.PositiveIntegerField(default=1)),
                ("kind", models.CharField(default="key", max_length=10)),
                ("last_four", models.CharField(blank=True, max_length=4)),
                ("expires_at", models.DateTimeField(null=True)),
                ("renewed_at", models.DateTimeField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("webhook_secret", vocelio.crypto.fields.EncryptedTextField(blank=True, default="")),
                ("webhook_token_hash", models.CharField(blank=True, max_length=64)),
                ("subscription_id", models.CharField(blank=True, max_length=255)),
                ("subscription_expires_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "integration",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmintegration",
                    ),
                ),
            ],
            options={
                "db_table": "crm_credentials",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "integration"), name="one_credential_per_connection"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmLink",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("contacts", "contacts"), ("companies", "companies")],
                        default="contacts",
                        max_length=20,
                    ),
                ),
                ("remote_id", models.CharField(blank=True, max_length=255)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("creating", "Being created"),
                            ("linked", "Linked"),
                            ("quarantined", "Quarantined"),
                            ("rejected", "Rejected"),
                            ("tombstoned", "Gone"),
                        ],
                        default="new",
                        max_length=20,
                    ),
                ),
                ("local_base", models.JSONField(default=dict)),
                ("remote_base", models.JSONField(default=dict)),
                ("local_version", models.DateTimeField(null=True)),
                ("remote_version", models.CharField(blank=True, max_length=255)),
                ("remote_changed_at", models.DateTimeField(null=True)),
                ("is_due", models.BooleanField(default=False)),
                ("has_conflict", models.BooleanField(default=False)),
                ("attempted_at", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("code", models.CharField(blank=True, max_length=60)),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("field", models.CharField(blank=True, max_length=100)),
                (
                    "contact",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "integration",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmintegration",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "CRM record",
                "db_table": "crm_record_links",
                "indexes": [
                    models.Index(
                        condition=models.Q(("is_due", True)),
                        fields=["organization", "integration", "kind", "id"],
                        name="crm_links_due",
                    ),
                    models.Index(fields=["organization", "contact"], name="crm_links_of_contact"),
                    models.Index(
                        condition=models.Q(("state__in", ["quarantined", "rejected"])),
                        fields=["organization", "-updated_at", "-id"],
                        name="crm_dead_letters",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("remote_id", ""), _negated=True),
                        fields=("organization", "integration", "kind", "remote_id"),
                        name="one_link_per_crm_record",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("contact__isnull", False), models.Q(("state", "tombstoned"), _negated=True)
                        ),
                        fields=("organization", "contact", "integration"),
                        name="one_link_per_contact",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmConflict",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("field", models.CharField(max_length=100)),
                ("local_value", models.JSONField(null=True)),
                ("remote_value", models.JSONField(null=True)),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("resolved", "Resolved")], default="open", max_length=20
                    ),
                ),
                ("resolution", models.CharField(blank=True, max_length=20)),
                ("resolved_at", models.DateTimeField(null=True)),
                (
                    "contact",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "resolved_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "integration",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmintegration",
                    ),
                ),
                (
                    "link",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmlink",
                    ),
                ),
            ],
            options={
                "verbose_name": "CRM conflict",
                "db_table": "crm_conflicts",
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="crm_conflicts_newest"),
                    models.Index(fields=["organization", "contact"], name="crm_conflicts_of_contact"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "open")),
                        fields=("organization", "link", "field"),
                        name="one_open_conflict_per_field",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmOAuthAttempt",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("state_hash", models.CharField(max_length=64)),
                ("browser_hash", models.CharField(max_length=64)),
                ("code_verifier", vocelio.crypto.fields.EncryptedTextField()),
                ("app", vocelio.crypto.fields.EncryptedTextField(blank=True, default="")),
                ("wanted", models.JSONField(default=dict, help_text="The connection to be made.")),
                ("back_to", models.CharField(default="frontend", max_length=20)),
                ("expires_at", models.DateTimeField()),
                (
                    "integration",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmintegration",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                ("started_by", models.UUIDField(help_text="The person, who alone may finish.")),
            ],
            options={
                "db_table": "crm_oauth_attempts",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "state_hash"), name="one_crm_oauth_state")
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmOptOut",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("channel", models.CharField(choices=[("call", "Calls"), ("email", "E-mail")], max_length=10)),
                ("address", models.CharField(max_length=320)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "db_table": "crm_opt_outs",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "channel", "address"), name="one_crm_opt_out_per_address"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmQuota",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("crm_type", models.CharField(max_length=50)),
                ("account_id", models.CharField(max_length=255)),
                ("window", models.CharField(max_length=50)),
                ("amount", models.PositiveIntegerField()),
                ("seconds", models.FloatField()),
                ("unit", models.CharField(default="requests", max_length=30)),
                ("slots", models.JSONField(default=dict)),
                ("vendor_limit", models.PositiveIntegerField(null=True)),
                ("vendor_remaining", models.PositiveIntegerField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
                ("blocked_until", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "verbose_name": "CRM quota",
                "db_table": "crm_quotas",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "crm_type", "account_id", "window"), name="one_crm_quota_per_window"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmSyncRun",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("processing", "Processing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("total", models.PositiveIntegerField(help_text="Units of work, once known.", null=True)),
                ("processed", models.PositiveIntegerField(default=0)),
                ("progress", models.PositiveSmallIntegerField(default=0, help_text="Percent.")),
                ("checkpoint", models.JSONField(default=dict)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_message", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("completed_at", models.DateTimeField(null=True)),
                ("cancel_requested_at", models.DateTimeField(null=True)),
                ("epoch", models.PositiveIntegerField(default=0)),
                (
                    "attempt",
                    models.PositiveSmallIntegerField(default=0, help_text="Claims since the last step that committed."),
                ),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "sync_type",
                    models.CharField(
                        choices=[
                            ("auto_sync", "Automatic"),
                            ("manual_sync", "By hand"),
                            ("webhook_sync", "Webhook"),
                            ("rollback", "Rollback"),
                        ],
                        default="manual_sync",
                        max_length=50,
                    ),
                ),
                ("is_full", models.BooleanField(default=False)),
                ("is_dry", models.BooleanField(default=False)),
                ("date_from", models.DateTimeField(null=True)),
                ("is_confirmed", models.BooleanField(default=False)),
                ("contacts_added", models.PositiveIntegerField(default=0)),
                ("contacts_updated", models.PositiveIntegerField(default=0)),
                ("contacts_skipped", models.PositiveIntegerField(default=0)),
                ("error_count", models.PositiveIntegerField(default=0)),
                ("sync_details", models.JSONField(default=dict)),
                ("parked_until", models.DateTimeField(null=True)),
                ("pauses", models.PositiveSmallIntegerField(default=0)),
                (
                    "created_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "integration",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmintegration",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "undoes",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmsyncrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "CRM sync",
                "db_table": "crm_sync_logs",
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "-created_at"], name="crmsyncrun_newest"),
                    models.Index(fields=["organization", "integration", "-created_at"], name="crm_syncs_of_connection"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["pending", "processing"])),
                        fields=("organization", "integration"),
                        name="one_crm_sync_at_a_time",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmSyncItem",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("contacts", "contacts"), ("companies", "companies")],
                        default="contacts",
                        max_length=20,
                    ),
                ),
                ("remote_id", models.CharField(blank=True, max_length=255)),
                ("side", models.CharField(choices=[("local", "Here"), ("remote", "In the CRM")], max_length=10)),
                (
                    "action",
                    models.CharField(
                        choices=[
                            ("add", "Added"),
                            ("update", "Updated"),
                            ("delete", "Deleted"),
                            ("merge", "Merged"),
                            ("link", "Matched"),
                            ("skip", "Skipped"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[("done", "Done"), ("planned", "Planned"), ("failed", "Failed"), ("undone", "Undone")],
                        max_length=10,
                    ),
                ),
                (
                    "fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), default=list, size=None
                    ),
                ),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("code", models.CharField(blank=True, max_length=60)),
                ("message", models.CharField(blank=True, max_length=500)),
                (
                    "contact",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "link",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="crm_sync.crmlink",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "run",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmsyncrun",
                    ),
                ),
            ],
            options={
                "verbose_name": "CRM sync record",
                "db_table": "crm_sync_items",
                "indexes": [
                    models.Index(fields=["organization", "run", "id"], name="crm_items_of_run"),
                    models.Index(fields=["organization", "contact"], name="crm_items_of_contact"),
                    models.Index(fields=["organization", "link"], name="crm_items_of_link"),
                    models.Index(fields=["organization", "created_at"], name="crm_items_by_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmSeenRecord",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("remote_id", models.CharField(max_length=255)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "run",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmsyncrun",
                    ),
                ),
            ],
            options={
                "db_table": "crm_seen_records",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "run", "remote_id"), name="one_crm_seen_record")
                ],
            },
        ),
        migrations.CreateModel(
            name="CrmWebhook",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "received_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("key", models.CharField(max_length=64)),
                ("body", vocelio.crypto.fields.EncryptedTextField(blank=True, default="")),
                ("events", models.PositiveIntegerField(default=0)),
                (
                    "integration",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="crm_sync.crmintegration",
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "db_table": "crm_webhook_inbox",
                "indexes": [models.Index(fields=["organization", "received_at"], name="crm_webhooks_by_age")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "integration", "key"), name="one_crm_webhook_per_key"
                    )
                ],
            },
        ),
        ProtectTenantTable("CrmIntegration"),
        ProtectTenantTable("CrmHint"),
        ProtectTenantTable("CrmCursor"),
        ProtectTenantTable("CrmCredential"),
        ProtectTenantTable("CrmLink"),
        ProtectTenantTable("CrmConflict"),
        ProtectTenantTable("CrmOAuthAttempt"),
        ProtectTenantTable("CrmOptOut"),
        ProtectTenantTable("CrmQuota"),
        ProtectTenantTable("CrmSyncRun"),
        ProtectTenantTable("CrmSyncItem"),
        ProtectTenantTable("CrmSeenRecord"),
        ProtectTenantTable("CrmWebhook"),
        migrations.RunSQL(
            FORGET_PURGED,
            "DROP TRIGGER forget_purged ON crm_record_links; DROP FUNCTION forget_purged_contact",
        ),
        migrations.RunSQL(DUE, "DROP FUNCTION due_crm_integrations"),
    ]
