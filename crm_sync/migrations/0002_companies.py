import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import vocelio.db.fields
from vocelio.db.operations import AddTenantForeignKey

SAMPLES = """
UPDATE crm_integrations SET samples = jsonb_build_object('contacts', samples) WHERE jsonb_typeof(samples) = 'array'
"""
SAMPLES_BACK = "UPDATE crm_integrations SET samples = coalesce(samples -> 'contacts', '[]')"

# As with a purged contact (migration 0001): the tombstone knows nothing of the company.
FORGET_PURGED = """
CREATE TRIGGER forget_purged_client BEFORE UPDATE ON crm_record_links FOR EACH ROW
    WHEN (OLD.client_id IS NOT NULL AND NEW.client_id IS NULL) EXECUTE FUNCTION forget_purged_contact();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0020_record_kinds"),
        ("crm_sync", "0001_crm_sync"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="crmconflict",
            name="client",
            field=vocelio.db.fields.TenantForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="contacts.client",
            ),
        ),
        migrations.AddField(
            model_name="crmintegration",
            name="company_mappings",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="crmlink",
            name="client",
            field=vocelio.db.fields.TenantForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="contacts.client",
            ),
        ),
        migrations.AddField(
            model_name="crmsyncitem",
            name="client",
            field=vocelio.db.fields.TenantForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="contacts.client",
            ),
        ),
        migrations.AlterField(
            model_name="crmconflict",
            name="contact",
            field=vocelio.db.fields.TenantForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="contacts.contact",
            ),
        ),
        migrations.AlterField(
            model_name="crmintegration",
            name="samples",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddIndex(
            model_name="crmconflict",
            index=models.Index(
                condition=models.Q(("client__isnull", False)),
                fields=["organization", "client"],
                name="crm_conflicts_of_client",
            ),
        ),
        migrations.AddIndex(
            model_name="crmlink",
            index=models.Index(
                condition=models.Q(("client__isnull", False)),
                fields=["organization", "client"],
                name="crm_links_of_client",
            ),
        ),
        migrations.AddIndex(
            model_name="crmsyncitem",
            index=models.Index(
                condition=models.Q(("client__isnull", False)),
                fields=["organization", "client"],
                name="crm_items_of_client",
            ),
        ),
        migrations.AddConstraint(
            model_name="crmconflict",
            constraint=models.CheckConstraint(
                condition=models.Q(("contact__isnull", True), ("client__isnull", True), _connector="OR"),
                name="crm_conflict_points_to_one_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="crmlink",
            constraint=models.UniqueConstraint(
                condition=models.Q(("client__isnull", False), models.Q(("state", "tombstoned"), _negated=True)),
                fields=("organization", "client", "integration"),
                name="one_link_per_client",
            ),
        ),
        migrations.AddConstraint(
            model_name="crmlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("contact__isnull", True), ("client__isnull", True), _connector="OR"),
                name="crm_link_points_to_one_record",
            ),
        ),
        migrations.AddConstraint(
            model_name="crmsyncitem",
            constraint=models.CheckConstraint(
                condition=models.Q(("contact__isnull", True), ("client__isnull", True), _connector="OR"),
                name="crm_item_points_to_one_record",
            ),
        ),
        AddTenantForeignKey("CrmLink", "client"),
        AddTenantForeignKey("CrmConflict", "client"),
        AddTenantForeignKey("CrmSyncItem", "client"),
        migrations.RunSQL(SAMPLES, SAMPLES_BACK),
        migrations.RunSQL(FORGET_PURGED, "DROP TRIGGER forget_purged_client ON crm_record_links"),
    ]
