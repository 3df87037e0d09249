"""Files of clients on their way in, and the history of clients, which is kept as that of contacts (migration 0006)."""

from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

HISTORY = import_module("contacts.migrations.0006_history")


def of_clients(sql: str) -> str:
    """Return what does the same for clients."""
    return sql.replace("contact", "client").replace("'search', 'updated_at'", "'search', 'sort_name', 'updated_at'")


FORGET_CLIENTS = """
CREATE FUNCTION forget_client_history() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM client_changes AS change USING gone
    WHERE change.organization_id = gone.organization_id AND change.client_id = gone.id;
    RETURN NULL;
END $$;

CREATE TRIGGER forget_history AFTER DELETE ON clients REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_client_history();
"""

RECORD_TYPE = models.CharField(
    choices=[("contact", "Contacts"), ("client", "Clients")], db_default="contact", default="contact", max_length=10
)


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0017_client_relations"),
        ("organizations", "0002_members"),
    ]

    operations = [
        migrations.AddField("client", "import_id", models.UUIDField(editable=False, null=True)),
        migrations.AddField("client", "merged_into_id", models.UUIDField(editable=False, null=True)),
        migrations.AddIndex(
            "client",
            models.Index(
                fields=["organization", "domain"],
                name="clients_by_domain",
                condition=models.Q(("deleted_at__isnull", True), models.Q(("domain", ""), _negated=True)),
            ),
        ),
        migrations.AddField("contactimport", "record_type", RECORD_TYPE),
        migrations.AddField("importpreset", "record_type", RECORD_TYPE),
        migrations.CreateModel(
            name="ClientChange",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("user_id", models.UUIDField(null=True)),
                ("cause", models.CharField(blank=True, default="", max_length=30)),
                ("cause_id", models.UUIDField(null=True)),
                ("client_id", models.UUIDField()),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
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
                "db_table": "client_changes",
                "indexes": [
                    models.Index(
                        fields=["organization", "client_id", "changed_at", "id"], name="client_changes_of_client"
                    ),
                    models.Index(
                        condition=models.Q(("cause_id__isnull", False)),
                        fields=["organization", "cause_id", "changed_at", "id"],
                        name="client_changes_of_cause",
                    ),
                ],
            },
        ),
        ProtectTenantTable("ClientChange"),
        migrations.RunSQL(
            of_clients(HISTORY.RECORD_CONTACT_CHANGES),
            "DROP TRIGGER record_changes ON clients; DROP FUNCTION record_client_changes;"
            "DROP FUNCTION write_record_client_changes",
        ),
        migrations.RunSQL(
            FORGET_CLIENTS, "DROP TRIGGER forget_history ON clients; DROP FUNCTION forget_client_history"
        ),
    ]
