"""Files of deals on their way in, and the history of deals, which is kept as that of contacts (contacts 0006)."""

from importlib import import_module

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

HISTORY = import_module("contacts.migrations.0006_history")
# What follows from the stage, and what counts changes.
UNRECORDED = "'updated_at', 'version', 'pipeline_id', 'status', 'closed_at', 'stage_entered_at', 'moved_by_id'"
RECORD_DEAL_CHANGES = HISTORY.RECORD_CONTACT_CHANGES.replace("contact", "deal").replace(
    "'search', 'updated_at'", UNRECORDED
)
FORGET_DEALS = """
CREATE FUNCTION forget_deal_history() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM deal_changes AS change USING gone
    WHERE change.organization_id = gone.organization_id AND change.deal_id = gone.id;
    RETURN NULL;
END $$;

CREATE TRIGGER forget_history AFTER DELETE ON deals REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_deal_history();
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0020_record_kinds"), ("organizations", "0002_members"), ("sales", "0002_sales")]

    operations = [
        migrations.AddField("deal", "import_id", models.UUIDField(editable=False, null=True)),
        migrations.CreateModel(
            name="DealChange",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("user_id", models.UUIDField(null=True)),
                ("cause", models.CharField(blank=True, default="", max_length=30)),
                ("cause_id", models.UUIDField(null=True)),
                ("deal_id", models.UUIDField()),
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
                "db_table": "deal_changes",
                "indexes": [
                    models.Index(fields=["organization", "deal_id", "changed_at", "id"], name="deal_changes_of_deal"),
                    models.Index(
                        condition=models.Q(("cause_id__isnull", False)),
                        fields=["organization", "cause_id", "changed_at", "id"],
                        name="deal_changes_of_cause",
                    ),
                ],
            },
        ),
        ProtectTenantTable("DealChange"),
        migrations.AddIndex(
            "deal",
            models.Index(
                fields=["organization", "name"], name="deals_by_name", condition=models.Q(("deleted_at__isnull", True))
            ),
        ),
        migrations.RunSQL(
            RECORD_DEAL_CHANGES,
            "DROP TRIGGER record_changes ON deals; DROP FUNCTION record_deal_changes;"
            "DROP FUNCTION write_record_deal_changes",
        ),
        migrations.RunSQL(FORGET_DEALS, "DROP TRIGGER forget_history ON deals; DROP FUNCTION forget_deal_history"),
    ]
