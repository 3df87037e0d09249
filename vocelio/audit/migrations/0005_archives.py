import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0004_partitions"),
        ("organizations", "0003_second_factor_and_language"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditArchive",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("until", models.DateTimeField()),
                ("first_seal", models.PositiveBigIntegerField()),
                ("last_seal", models.PositiveBigIntegerField()),
                ("entries", models.PositiveBigIntegerField()),
                ("file", models.CharField(max_length=200)),
                ("sha256", models.BinaryField(max_length=32)),
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
                "db_table": "audit_archives",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "first_seal"), name="one_audit_archive_per_seal"),
                    models.CheckConstraint(
                        condition=models.Q(("last_seal__gte", models.F("first_seal"))), name="audit_archive_of_seals"
                    ),
                ],
            },
        ),
        ProtectTenantTable("AuditArchive"),
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_archives"
            " EXECUTE FUNCTION refuse_change()",
            "DROP TRIGGER append_only ON audit_archives",
        ),
    ]
