import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("db", "0001_functions"),
        ("organizations", "0002_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("user_id", models.UUIDField(null=True)),
                ("action", models.CharField(max_length=60)),
                ("resource", models.CharField(max_length=60)),
                ("resource_id", models.CharField(blank=True, max_length=60)),
                ("details", models.JSONField(default=dict)),
                ("door", models.CharField(max_length=20)),
                ("ip_address", models.GenericIPAddressField(null=True)),
                ("user_agent", models.CharField(blank=True, max_length=300)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                (
                    "transaction_id",
                    models.BigIntegerField(db_default=models.Func(function="current_transaction_id"), editable=False),
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
                "verbose_name": "audit entry",
                "verbose_name_plural": "audit log",
                "db_table": "audit_log",
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="audit_log_newest"),
                    models.Index(fields=["organization", "resource", "resource_id"], name="audit_log_resource"),
                    models.Index(fields=["organization", "transaction_id"], name="audit_log_transaction"),
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditSeal",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("number", models.PositiveBigIntegerField()),
                ("first_transaction", models.BigIntegerField()),
                ("next_transaction", models.BigIntegerField()),
                ("entries", models.PositiveIntegerField()),
                ("previous_hash", models.BinaryField(max_length=32)),
                ("hash", models.BinaryField(max_length=32)),
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
                "db_table": "audit_seals",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "number"), name="one_audit_seal_per_number")
                ],
            },
        ),
        ProtectTenantTable("AuditEntry"),
        ProtectTenantTable("AuditSeal"),
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log EXECUTE FUNCTION refuse_change();"
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seals EXECUTE FUNCTION refuse_change();",
            "DROP TRIGGER append_only ON audit_log; DROP TRIGGER append_only ON audit_seals;",
        ),
    ]
