import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

LIVE_CONTACTS = """
CREATE OR REPLACE VIEW live_contacts AS
    SELECT id, organization_id, created_at, updated_at, first_name, last_name, email, phone, company, city, state,
           country, tags, status, source, assigned_to_id, fold_text(last_name || ' ' || first_name) AS sort_name, search,
           custom_fields
    FROM contacts
    WHERE organization_id = (SELECT nullif(current_setting('app.org', true), '')::uuid) AND deleted_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0006_history"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Backwards, once the columns are gone.
        migrations.RunSQL(migrations.RunSQL.noop, "SELECT write_record_contact_changes()"),
        migrations.AddField(
            model_name="contact",
            name="private_fields",
            field=models.JSONField(
                blank=True, db_default=models.Value({}, models.JSONField()), default=dict, editable=False
            ),
        ),
        migrations.AddField(
            model_name="contactlist",
            name="filter",
            field=models.JSONField(
                blank=True, help_text="Parameters of GET /contacts; null for a static list.", null=True
            ),
        ),
        migrations.CreateModel(
            name="CustomField",
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
                    "key",
                    models.CharField(help_text="Its name in customFields; letters, digits, _ and -.", max_length=60),
                ),
                ("label", models.CharField(max_length=100)),
                ("description", models.CharField(blank=True, default="", max_length=300)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("text", "Text"),
                            ("number", "Number"),
                            ("date", "Date"),
                            ("boolean", "Yes or no"),
                            ("choice", "Choice"),
                            ("multi-choice", "Several choices"),
                            ("url", "Link"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "options",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("is_required", models.BooleanField(default=False)),
                (
                    "default",
                    models.JSONField(blank=True, help_text="What new contacts get when nothing is given.", null=True),
                ),
                (
                    "is_sensitive",
                    models.BooleanField(
                        default=False, help_text="Encrypted; only for those who may read private notes."
                    ),
                ),
                ("is_archived", models.BooleanField(default=False)),
                ("position", models.PositiveIntegerField(default=0)),
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
                "db_table": "custom_fields",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "key"), name="one_custom_field_per_key"),
                    models.CheckConstraint(
                        condition=models.Q(("key__regex", "^[A-Za-z0-9_-]+$")), name="custom_field_key_is_plain"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SavedView",
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
                ("name", models.CharField(max_length=100)),
                ("filter", models.JSONField(blank=True, default=dict, help_text="Parameters of GET /contacts.")),
                ("sort", models.CharField(blank=True, default="", max_length=100)),
                (
                    "columns",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=80), blank=True, default=list, size=None
                    ),
                ),
                ("is_shared", models.BooleanField(default=False, help_text="Everybody in the organization sees it.")),
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
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "saved_views",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "user", "name"), name="one_view_per_name")
                ],
            },
        ),
        ProtectTenantTable("CustomField"),
        ProtectTenantTable("SavedView"),
        migrations.RunSQL(LIVE_CONTACTS, migrations.RunSQL.noop),
        migrations.RunSQL("SELECT write_record_contact_changes()", migrations.RunSQL.noop),
    ]
