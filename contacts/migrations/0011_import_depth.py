"""Looking before an import, undoing one, presets, exports, and what other systems call a contact."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0010_erasures"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Backwards, once the column is gone.
        migrations.RunSQL(migrations.RunSQL.noop, "SELECT write_record_contact_changes()"),
        migrations.AddField(
            model_name="contact",
            name="external_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="What another system calls the contact.",
                max_length=100,
            ),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="is_draft",
            field=models.BooleanField(
                db_default=False, default=False, help_text="Waits for somebody to look at the preview and start it."
            ),
        ),
        migrations.AddField(
            model_name="contactimport",
            name="layout",
            field=models.JSONField(help_text="What was found in the file: columns, first rows, encoding.", null=True),
        ),
        migrations.AddField(
            model_name="importrejection",
            name="fix",
            field=models.CharField(blank=True, db_default="", default="", max_length=300),
        ),
        migrations.AlterField(
            model_name="contactimport",
            name="settings",
            field=models.JSONField(
                default=dict,
                help_text="What to do with the file (contacts.incoming.Options) and which column is which.",
            ),
        ),
        migrations.CreateModel(
            name="ContactExport",
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
                ("format", models.CharField(choices=[("csv", "CSV"), ("xlsx", "Excel")], default="csv", max_length=10)),
                ("filter", models.JSONField(blank=True, default=dict)),
                ("sort", models.CharField(blank=True, default="", max_length=100)),
                ("columns", models.JSONField(blank=True, default=list, help_text="Names of columns; empty means all.")),
                (
                    "file",
                    models.CharField(blank=True, default="", help_text="Where the storage keeps it.", max_length=1000),
                ),
                ("file_size", models.PositiveBigIntegerField(default=0)),
                ("rows", models.PositiveIntegerField(default=0)),
                (
                    "cut_cells",
                    models.PositiveIntegerField(default=0, help_text="Texts longer than a workbook's cell can hold."),
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
            ],
            options={
                "verbose_name": "contact export",
                "db_table": "export_jobs",
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-created_at"], name="contactexport_newest")],
            },
        ),
        migrations.CreateModel(
            name="ImportPreset",
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
                ("options", models.JSONField(default=dict)),
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
                "db_table": "import_presets",
                "indexes": [models.Index(fields=["organization", "-created_at", "-id"], name="import_presets_newest")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "name"), name="one_import_preset_per_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportPreview",
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
                ("settings", models.JSONField(default=dict)),
                ("total_rows", models.PositiveIntegerField(default=0)),
                ("created", models.PositiveIntegerField(default=0)),
                ("updated", models.PositiveIntegerField(default=0)),
                ("skipped", models.PositiveIntegerField(default=0)),
                ("rejected", models.PositiveIntegerField(default=0)),
                ("samples", models.JSONField(default=dict)),
                ("field_changes", models.JSONField(default=dict)),
                (
                    "contact_import",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="previews",
                        to="contacts.contactimport",
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
            ],
            options={
                "verbose_name": "import preview",
                "db_table": "import_previews",
                "abstract": False,
                "indexes": [
                    models.Index(fields=["organization", "-created_at"], name="importpreview_newest"),
                    models.Index(fields=["organization", "contact_import"], name="previews_of_import"),
                ],
            },
        ),
        migrations.CreateModel(
            name="ImportUndo",
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
                    "removed",
                    models.PositiveIntegerField(default=0, help_text="Made by the import, moved to the trash."),
                ),
                (
                    "kept",
                    models.PositiveIntegerField(default=0, help_text="Made by the import, but changed or used since."),
                ),
                (
                    "restored",
                    models.PositiveIntegerField(default=0, help_text="Changed by the import, wholly put back."),
                ),
                (
                    "partly_restored",
                    models.PositiveIntegerField(default=0, help_text="Some of the fields were changed since."),
                ),
                (
                    "unrestored",
                    models.PositiveIntegerField(default=0, help_text="All of the fields were changed since."),
                ),
                ("gone", models.PositiveIntegerField(default=0, help_text="In the trash or removed meanwhile.")),
                ("unlisted", models.PositiveIntegerField(default=0)),
                (
                    "contact_import",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="undos",
                        to="contacts.contactimport",
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
            ],
            options={
                "verbose_name": "undo of an import",
                "db_table": "import_undos",
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-created_at"], name="importundo_newest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("status__in", ["pending", "processing", "completed"])),
                        fields=("organization", "contact_import"),
                        name="one_undo_per_import",
                    )
                ],
            },
        ),
        ProtectTenantTable("ContactExport"),
        ProtectTenantTable("ImportPreset"),
        ProtectTenantTable("ImportPreview"),
        ProtectTenantTable("ImportUndo"),
        # The history tells of the new column, too.
        migrations.RunSQL("SELECT write_record_contact_changes()", migrations.RunSQL.noop),
    ]
