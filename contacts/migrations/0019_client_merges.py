import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0018_client_imports"),
        ("organizations", "0002_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClientMerge",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("merged_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("merged_by_id", models.UUIDField(null=True)),
                (
                    "choices",
                    models.JSONField(default=dict, help_text="Field by API name: the record whose value was kept."),
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
                        to="contacts.client",
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
                        to="contacts.client",
                    ),
                ),
            ],
            options={
                "db_table": "client_merges",
            },
        ),
        migrations.CreateModel(
            name="ClientMergeMove",
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
                        to="contacts.clientmerge",
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
                "db_table": "client_merge_moves",
            },
        ),
        migrations.AddIndex(
            model_name="clientmerge",
            index=models.Index(fields=["organization", "survivor", "-merged_at"], name="client_merges_of_survivor"),
        ),
        migrations.AddIndex(
            model_name="clientmerge",
            index=models.Index(fields=["organization", "absorbed"], name="client_merges_of_absorbed"),
        ),
        migrations.AddIndex(
            model_name="clientmergemove",
            index=models.Index(fields=["organization", "merge"], name="moves_of_client_merge"),
        ),
        ProtectTenantTable("ClientMerge"),
        ProtectTenantTable("ClientMergeMove"),
    ]
