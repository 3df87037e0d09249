import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0007_custom_fields"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        # Backwards, once the column is gone.
        migrations.RunSQL(migrations.RunSQL.noop, "SELECT write_record_contact_changes()"),
        migrations.AddField(
            model_name="contact",
            name="merged_into_id",
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.CreateModel(
            name="ContactMerge",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("merged_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("merged_by_id", models.UUIDField(null=True)),
                (
                    "choices",
                    models.JSONField(default=dict, help_text="Field by API name: the contact whose value was kept."),
                ),
                ("moved", models.JSONField(default=dict, help_text="How many rows of each kind followed.")),
                ("unmerged_at", models.DateTimeField(null=True)),
                ("unmerged_by_id", models.UUIDField(null=True)),
                (
                    "absorbed",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="absorptions",
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
                    "survivor",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="merges",
                        to="contacts.contact",
                    ),
                ),
            ],
            options={
                "db_table": "contact_merges",
                "indexes": [
                    models.Index(fields=["organization", "survivor", "-merged_at"], name="merges_of_survivor"),
                    models.Index(fields=["organization", "absorbed"], name="merges_of_absorbed"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DuplicateScan",
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
                ("exact", models.PositiveIntegerField(default=0, help_text="Pairs with the same e-mail address.")),
                ("fuzzy", models.PositiveIntegerField(default=0, help_text="Pairs that are alike.")),
                ("compared", models.PositiveBigIntegerField(default=0, help_text="Pairs that were compared.")),
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
                "db_table": "duplicate_scans",
                "abstract": False,
                "indexes": [models.Index(fields=["organization", "-created_at"], name="duplicatescan_newest")],
            },
        ),
        migrations.CreateModel(
            name="ExactMark",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("looked_until", models.DateTimeField()),
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
                "db_table": "exact_duplicate_marks",
                "constraints": [models.UniqueConstraint(fields=("organization",), name="one_exact_mark")],
            },
        ),
        migrations.CreateModel(
            name="MergeMove",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("model", models.CharField(help_text="app.model", max_length=100)),
                ("column", models.CharField(blank=True, max_length=63)),
                ("row_id", models.UUIDField()),
                ("before", models.JSONField(null=True)),
                ("after", models.JSONField(null=True)),
                (
                    "merge",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="moves",
                        to="contacts.contactmerge",
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
                "db_table": "contact_merge_moves",
                "indexes": [models.Index(fields=["organization", "merge"], name="moves_of_merge")],
            },
        ),
        migrations.CreateModel(
            name="ContactDuplicate",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("first_id", models.UUIDField()),
                ("second_id", models.UUIDField()),
                (
                    "kind",
                    models.CharField(choices=[("exact", "The same e-mail address"), ("fuzzy", "Alike")], max_length=10),
                ),
                ("score", models.FloatField(help_text="How likely both are one person, 0 to 1.")),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "To be reviewed"), ("dismissed", "Two people")],
                        db_default="open",
                        default="open",
                        max_length=10,
                    ),
                ),
                ("scan_id", models.UUIDField(null=True)),
                ("found_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("dismissed_at", models.DateTimeField(null=True)),
                ("dismissed_by_id", models.UUIDField(null=True)),
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
                "db_table": "contact_duplicates",
                "indexes": [
                    models.Index(fields=["organization", "status", "-score", "-id"], name="contact_duplicates_queue")
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "first_id", "second_id"), name="one_duplicate_per_pair"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("first_id__lt", models.F("second_id"))), name="duplicate_in_order"
                    ),
                ],
            },
        ),
        ProtectTenantTable("ContactMerge"),
        ProtectTenantTable("DuplicateScan"),
        ProtectTenantTable("ExactMark"),
        ProtectTenantTable("MergeMove"),
        ProtectTenantTable("ContactDuplicate"),
        migrations.RunSQL("SELECT write_record_contact_changes()", migrations.RunSQL.noop),
    ]
