import datetime

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import comms.models.accounts
import vocelio.crypto.fields
import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

# Reports come in any order and more than once: whatever a message has become, nothing takes it back. What was never
# handed over is queued again; what failed or may have gone out is sent again only by a person.
FORWARD = """
CREATE FUNCTION keep_message_status() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    ranks CONSTANT jsonb := '{"queued": 0, "sending": 1, "unknown": 2, "sent": 3, "failed": 4, "bounced": 4,
                              "delivered": 5, "read": 6, "replied": 7, "cancelled": 9, "received": 9}';
BEGIN
    IF NEW.status = 'queued' AND NEW.attempted_at IS NULL
       AND OLD.status IN ('sending', 'failed', 'bounced', 'unknown', 'cancelled') THEN
        RETURN NEW;
    END IF;
    IF OLD.status IN ('cancelled', 'received')
       OR (NEW.status = 'cancelled' AND OLD.status NOT IN ('queued', 'sending'))
       OR (ranks ->> NEW.status)::int < (ranks ->> OLD.status)::int THEN
        RAISE EXCEPTION 'a message that is % does not become %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_status BEFORE UPDATE OF status ON communications FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION keep_message_status();
"""

# As the owner, for every organization in one statement: ids alone leave it.
WORK = """
CREATE FUNCTION channel_accounts_with_work() RETURNS TABLE (organization_id uuid, account_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT account.organization_id, account.id FROM channel_accounts AS account
    JOIN organizations AS organization ON organization.id = account.organization_id AND organization.is_active
    WHERE account.is_active AND account.provider <> 'linkedin'
      AND (account.resting_until IS NULL OR account.resting_until <= now())
      AND (account.lease_until IS NULL OR account.lease_until < now())
      AND (EXISTS (SELECT FROM communications AS message WHERE message.organization_id = account.organization_id
                   AND message.account_id = account.id AND message.batch_id IS NULL
                   AND message.status = 'queued' AND message.scheduled_at <= now())
           OR EXISTS (SELECT FROM message_batches AS batch WHERE batch.organization_id = account.organization_id
                      AND batch.account_id = account.id AND batch.finished_at IS NULL AND batch.paused_at IS NULL
                      AND batch.stopped_at IS NULL AND (EXISTS (
                          SELECT FROM communications AS message WHERE message.organization_id = account.organization_id
                          AND message.account_id = account.id AND message.batch_id = batch.id
                          AND message.status = 'queued' AND message.scheduled_at <= now())
                          OR (batch.status = 'completed' AND NOT EXISTS (
                          SELECT FROM communications AS message WHERE message.organization_id = account.organization_id
                          AND message.batch_id = batch.id AND message.status IN ('queued', 'sending')))))
           OR EXISTS (SELECT FROM communications AS message WHERE message.organization_id = account.organization_id
                      AND message.status = 'sending' AND message.claimed_until < now()))
$$;

CREATE FUNCTION organizations_with_due_enrolments() RETURNS TABLE (organization_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT DISTINCT enrolment.organization_id FROM message_enrolments AS enrolment
    JOIN organizations AS organization ON organization.id = enrolment.organization_id AND organization.is_active
    WHERE enrolment.status = 'active' AND enrolment.next_at <= now()
$$;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contacts", "0019_client_merges"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChannelAccount",
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
                ("provider", models.CharField(choices=comms.models.accounts.provider_choices, max_length=40)),
                ("name", models.CharField(max_length=100)),
                ("settings", models.JSONField(blank=True, default=dict)),
                ("secrets", vocelio.crypto.fields.EncryptedTextField(blank=True, default="")),
                ("is_active", models.BooleanField(default=True)),
                (
                    "is_default",
                    models.BooleanField(default=False, help_text="Taken for messages that name no account."),
                ),
                (
                    "price",
                    models.DecimalField(
                        decimal_places=5,
                        default=0,
                        help_text="Of one message, or of one part of a text message.",
                        max_digits=10,
                    ),
                ),
                ("currency", models.CharField(default="USD", max_length=3)),
                ("resting_until", models.DateTimeField(editable=False, null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0, editable=False, help_text="In a row.")),
                ("last_error_code", models.CharField(blank=True, default="", editable=False, max_length=60)),
                ("last_error", models.CharField(blank=True, default="", editable=False, max_length=500)),
                ("last_error_at", models.DateTimeField(editable=False, null=True)),
                ("last_sent_at", models.DateTimeField(editable=False, null=True)),
                ("last_webhook_at", models.DateTimeField(editable=False, null=True)),
                ("lease_until", models.DateTimeField(editable=False, null=True)),
                ("lease_number", models.PositiveIntegerField(default=0, editable=False)),
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
                "verbose_name": "channel account",
                "db_table": "channel_accounts",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "name"), name="one_channel_account_per_name"),
                    models.CheckConstraint(condition=models.Q(("price__gte", 0)), name="channel_price_not_negative"),
                ],
            },
        ),
        migrations.CreateModel(
            name="CommsSettings",
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
                ("window_start", models.TimeField(default=datetime.time(9, 0), help_text="Recipient's local time.")),
                ("window_end", models.TimeField(default=datetime.time(18, 0), help_text="Recipient's local time.")),
                ("window_weekends", models.BooleanField(default=False)),
                (
                    "time_zone",
                    models.CharField(default="UTC", help_text="Where nothing tells the recipient's.", max_length=60),
                ),
                (
                    "cap_day",
                    models.PositiveSmallIntegerField(
                        blank=True, default=3, help_text="Bulk messages to one person within 24 hours.", null=True
                    ),
                ),
                (
                    "cap_week",
                    models.PositiveSmallIntegerField(blank=True, default=7, help_text="Within seven days.", null=True),
                ),
                (
                    "postal_address",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="Stands below bulk mail, as US law asks (CAN-SPAM).",
                        max_length=300,
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
                "verbose_name_plural": "comms settings",
                "db_table": "comms_settings",
                "constraints": [
                    models.UniqueConstraint(fields=("organization",), name="one_comms_settings"),
                    models.CheckConstraint(
                        condition=models.Q(("window_start__lt", models.F("window_end"))),
                        name="comms_window_begins_before_it_ends",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CommunicationTemplate",
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
                ("name", models.CharField(max_length=200)),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("outreach", "First contact"),
                            ("follow_up", "Follow-up"),
                            ("interview", "Interview"),
                            ("offer", "Offer"),
                            ("rejection", "Rejection"),
                            ("proposal", "Proposal"),
                            ("newsletter", "Newsletter"),
                            ("service", "Service"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=30,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("whatsapp", "WhatsApp"),
                            ("sms", "SMS"),
                            ("linkedin", "LinkedIn"),
                        ],
                        max_length=20,
                    ),
                ),
                ("language", models.CharField(default="en", max_length=15)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "when_missing",
                    models.CharField(
                        choices=[("block", "Do not send"), ("blank", "Leave it out")],
                        default="block",
                        help_text="What becomes of a message when a variable without default has no value.",
                        max_length=10,
                    ),
                ),
                ("track_clicks", models.BooleanField(default=False)),
                (
                    "track_opens",
                    models.BooleanField(
                        default=False,
                        help_text="Puts an invisible picture into mails. Many programs load it unread, or never.",
                    ),
                ),
                ("version", models.PositiveIntegerField(default=1, editable=False, help_text="The one that is sent.")),
                ("remote_name", models.CharField(blank=True, default="", editable=False, max_length=200)),
                ("remote_status", models.CharField(blank=True, default="", editable=False, max_length=30)),
                ("remote_reason", models.CharField(blank=True, default="", editable=False, max_length=200)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "account",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="comms.channelaccount",
                    ),
                ),
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
                "verbose_name": "template",
                "db_table": "communication_templates",
                "indexes": [models.Index(fields=["organization", "-created_at", "-id"], name="templates_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=("organization", "channel", "name", "language"),
                        name="one_template_per_name",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("remote_name", ""), _negated=True),
                        fields=("organization", "account", "remote_name", "language"),
                        name="one_template_per_remote_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["email", "whatsapp", "sms", "linkedin"])),
                        name="template_channel_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MessageBatch",
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
                ("name", models.CharField(max_length=200)),
                ("version_a", models.PositiveIntegerField()),
                ("version_b", models.PositiveIntegerField(null=True)),
                ("share_a", models.PositiveSmallIntegerField(default=50)),
                ("filter", models.JSONField(default=dict, help_text="Parameters of GET /contacts.")),
                ("variables", models.JSONField(default=dict)),
                ("scheduled_at", models.DateTimeField()),
                (
                    "spread_minutes",
                    models.PositiveIntegerField(default=0, help_text="Over how long the messages are spread."),
                ),
                ("in_window", models.BooleanField(default=True, help_text="Only within the recipient's local hours.")),
                ("queued", models.PositiveIntegerField(default=0)),
                ("skipped", models.PositiveIntegerField(default=0, help_text="Without an address, or with another's.")),
                ("paused_at", models.DateTimeField(null=True)),
                ("stopped_at", models.DateTimeField(help_text="Cancelled: what is not sent will not be.", null=True)),
                ("finished_at", models.DateTimeField(help_text="Nothing is left to send.", null=True)),
                (
                    "account",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="comms.channelaccount",
                    ),
                ),
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
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "template",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="comms.communicationtemplate",
                    ),
                ),
            ],
            options={
                "verbose_name": "message batch",
                "verbose_name_plural": "message batches",
                "db_table": "message_batches",
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "-created_at"], name="messagebatch_newest"),
                    models.Index(
                        condition=models.Q(
                            ("finished_at__isnull", True), ("paused_at__isnull", True), ("stopped_at__isnull", True)
                        ),
                        fields=["organization", "account", "scheduled_at"],
                        name="batches_to_send",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("share_a__gte", 1), ("share_a__lte", 99)), name="batch_share_is_a_part"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("version_b__isnull", True),
                            models.Q(("version_b", models.F("version_a")), _negated=True),
                            _connector="OR",
                        ),
                        name="batch_compares_two_versions",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Sequence",
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
                ("name", models.CharField(max_length=200)),
                ("is_active", models.BooleanField(default=True)),
                ("in_window", models.BooleanField(default=True, help_text="Only within the recipient's local hours.")),
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
                "db_table": "message_sequences",
                "indexes": [models.Index(fields=["organization", "-created_at", "-id"], name="sequences_newest")],
                "constraints": [models.UniqueConstraint(fields=("organization", "name"), name="one_sequence_per_name")],
            },
        ),
        migrations.CreateModel(
            name="Enrolment",
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
                        choices=[("active", "Under way"), ("finished", "Came to the end"), ("stopped", "Stopped")],
                        default="active",
                        max_length=10,
                    ),
                ),
                (
                    "stopped_by",
                    models.CharField(
                        blank=True, default="", help_text="reply, opt_out, bounce or person.", max_length=30
                    ),
                ),
                ("position", models.PositiveSmallIntegerField(default=0, help_text="Of the next step.")),
                ("next_at", models.DateTimeField(null=True)),
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
                (
                    "sequence",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="enrolments",
                        to="comms.sequence",
                    ),
                ),
            ],
            options={
                "db_table": "message_enrolments",
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="enrolments_newest"),
                    models.Index(fields=["organization", "contact"], name="enrolments_of_contact"),
                    models.Index(
                        condition=models.Q(("status", "active")),
                        fields=["organization", "next_at"],
                        name="enrolments_due",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status", "active")),
                        fields=("organization", "sequence", "contact"),
                        name="one_active_enrolment",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SequenceStep",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "wait_hours",
                    models.PositiveIntegerField(default=0, help_text="After the step before, or the beginning."),
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
                    "sequence",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="steps",
                        to="comms.sequence",
                    ),
                ),
                (
                    "template",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="comms.communicationtemplate",
                    ),
                ),
            ],
            options={
                "db_table": "message_sequence_steps",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "sequence", "position"), name="one_step_per_position"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="TemplateVersion",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("number", models.PositiveIntegerField()),
                ("subject", models.CharField(blank=True, default="", max_length=300)),
                ("body_text", models.TextField()),
                ("body_html", models.TextField(blank=True, default="")),
                (
                    "parameters",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=500), blank=True, default=list, size=None
                    ),
                ),
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
                (
                    "template",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="versions",
                        to="comms.communicationtemplate",
                    ),
                ),
            ],
            options={
                "db_table": "communication_template_versions",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "template", "number"), name="one_template_version")
                ],
            },
        ),
        migrations.CreateModel(
            name="Communication",
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
                    "direction",
                    models.CharField(
                        choices=[("outbound", "To the person"), ("inbound", "From the person")],
                        default="outbound",
                        max_length=10,
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("whatsapp", "WhatsApp"),
                            ("sms", "SMS"),
                            ("linkedin", "LinkedIn"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "purpose",
                    models.CharField(
                        choices=[
                            ("personal", "To one person"),
                            ("bulk", "To many"),
                            ("confirmation", "Confirms an opt-out"),
                        ],
                        default="personal",
                        max_length=15,
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sending", "Sending"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("read", "Read"),
                            ("replied", "Replied"),
                            ("failed", "Failed"),
                            ("bounced", "Bounced"),
                            ("unknown", "Unknown"),
                            ("cancelled", "Cancelled"),
                            ("received", "Received"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("subject_type", models.CharField(blank=True, default="", max_length=30)),
                ("subject_id", models.UUIDField(null=True)),
                ("address", models.CharField(help_text="The person's.", max_length=320)),
                ("subject", models.CharField(blank=True, default="", max_length=500)),
                ("body_text", models.TextField(blank=True, default="")),
                ("body_html", models.TextField(blank=True, default="")),
                ("variables", models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
                ("attachments", models.JSONField(db_default=models.Value([], models.JSONField()), default=list)),
                ("idempotency_key", models.CharField(blank=True, default="", max_length=120)),
                ("scheduled_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("in_window", models.BooleanField(default=False, help_text="Only within the recipient's local hours.")),
                ("attempts", models.PositiveSmallIntegerField(db_default=0, default=0)),
                ("claimed_until", models.DateTimeField(null=True)),
                ("attempted_at", models.DateTimeField(help_text="When it was last handed to the provider.", null=True)),
                ("provider_id", models.CharField(blank=True, default="", max_length=250)),
                ("error_code", models.CharField(blank=True, default="", max_length=60)),
                ("error_message", models.CharField(blank=True, default="", max_length=500)),
                ("sent_at", models.DateTimeField(null=True)),
                ("delivered_at", models.DateTimeField(null=True)),
                ("read_at", models.DateTimeField(null=True)),
                ("clicked_at", models.DateTimeField(null=True)),
                ("replied_at", models.DateTimeField(null=True)),
                ("unsubscribed_at", models.DateTimeField(null=True)),
                (
                    "account",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="comms.channelaccount",
                    ),
                ),
                (
                    "client",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contacts.client",
                    ),
                ),
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
                (
                    "reply_to",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="comms.communication",
                    ),
                ),
                (
                    "enrolment",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="comms.enrolment",
                    ),
                ),
                (
                    "batch",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="comms.messagebatch",
                    ),
                ),
                (
                    "version",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="comms.templateversion",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "db_table": "communications",
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="messages_newest"),
                    models.Index(
                        condition=models.Q(("contact__isnull", False)),
                        fields=["organization", "contact", "-created_at"],
                        name="messages_of_contact",
                    ),
                    models.Index(
                        condition=models.Q(("status", "queued")),
                        fields=["organization", "account", "batch", "scheduled_at"],
                        name="messages_due",
                    ),
                    models.Index(
                        condition=models.Q(("status", "sending")),
                        fields=["organization", "claimed_until"],
                        name="messages_claimed",
                    ),
                    models.Index(
                        condition=models.Q(("status__in", ["queued", "sending"])),
                        fields=["organization", "address"],
                        name="messages_waiting_for",
                    ),
                    models.Index(
                        condition=models.Q(("batch__isnull", False)),
                        fields=["organization", "batch", "status"],
                        name="messages_of_batch",
                    ),
                    models.Index(
                        condition=models.Q(("version__isnull", False)),
                        fields=["organization", "version"],
                        name="messages_of_version",
                    ),
                    models.Index(
                        condition=models.Q(("subject_id__isnull", False)),
                        fields=["organization", "subject_id"],
                        name="messages_about",
                    ),
                    models.Index(
                        condition=models.Q(("client__isnull", False)),
                        fields=["organization", "client"],
                        name="messages_of_client",
                    ),
                    models.Index(
                        condition=models.Q(("enrolment__isnull", False)),
                        fields=["organization", "enrolment"],
                        name="messages_of_enrolment",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("idempotency_key", ""), _negated=True),
                        fields=("organization", "idempotency_key"),
                        name="one_message_per_key",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("provider_id", ""), _negated=True),
                        fields=("organization", "account", "provider_id"),
                        name="one_message_per_provider_id",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "status__in",
                                [
                                    "queued",
                                    "sending",
                                    "sent",
                                    "delivered",
                                    "read",
                                    "replied",
                                    "failed",
                                    "bounced",
                                    "unknown",
                                    "cancelled",
                                    "received",
                                ],
                            )
                        ),
                        name="message_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["email", "whatsapp", "sms", "linkedin"])),
                        name="message_channel_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("direction", "inbound"), ("status", "received")),
                            models.Q(("direction", "outbound"), models.Q(("status", "received"), _negated=True)),
                            _connector="OR",
                        ),
                        name="message_received_is_inbound",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("status", "sending"), _negated=True),
                            ("claimed_until__isnull", False),
                            _connector="OR",
                        ),
                        name="message_sending_is_claimed",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BouncedAddress",
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
                    "medium",
                    models.CharField(
                        choices=[
                            ("email", "E-mail"),
                            ("whatsapp", "WhatsApp"),
                            ("sms", "SMS"),
                            ("linkedin", "LinkedIn"),
                        ],
                        max_length=20,
                    ),
                ),
                ("address", models.CharField(max_length=320)),
                ("code", models.CharField(blank=True, default="", max_length=60)),
                ("reason", models.CharField(blank=True, default="", max_length=300)),
                ("bounces", models.PositiveIntegerField(default=1)),
                ("last_bounce_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("is_suppressed", models.BooleanField(default=False)),
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
                "verbose_name": "bounced address",
                "verbose_name_plural": "bounced addresses",
                "db_table": "bounced_addresses",
                "indexes": [models.Index(fields=["organization", "-created_at", "-id"], name="bounces_newest")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "medium", "address"), name="one_bounced_address")
                ],
            },
        ),
        ProtectTenantTable("ChannelAccount"),
        ProtectTenantTable("CommsSettings"),
        ProtectTenantTable("CommunicationTemplate"),
        ProtectTenantTable("MessageBatch"),
        ProtectTenantTable("Sequence"),
        ProtectTenantTable("Enrolment"),
        ProtectTenantTable("SequenceStep"),
        ProtectTenantTable("TemplateVersion"),
        ProtectTenantTable("Communication"),
        ProtectTenantTable("BouncedAddress"),
        migrations.RunSQL(FORWARD, "DROP TRIGGER keep_status ON communications; DROP FUNCTION keep_message_status"),
        migrations.RunSQL(
            WORK, "DROP FUNCTION channel_accounts_with_work; DROP FUNCTION organizations_with_due_enrolments"
        ),
    ]
