import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0009_bulk_jobs"),
        ("organizations", "0002_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("contact_id", models.UUIDField()),
                ("erased_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("erased_by_id", models.UUIDField(null=True)),
                ("reason", models.CharField(blank=True, max_length=300)),
                ("removed", models.JSONField(help_text="How many rows of each table were removed or blanked.")),
                (
                    "identifiers",
                    models.JSONField(help_text="HMAC-SHA-256 of each number and address, keyed by the organization."),
                ),
                (
                    "suppressed",
                    models.PositiveSmallIntegerField(help_text="How many numbers and addresses stay suppressed."),
                ),
                (
                    "is_verified",
                    models.BooleanField(help_text="Every table was searched afterwards and nothing was found."),
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
                "db_table": "erasures",
                "indexes": [models.Index(fields=["organization", "-erased_at"], name="erasures_newest")],
            },
        ),
        ProtectTenantTable("Erasure"),
    ]
