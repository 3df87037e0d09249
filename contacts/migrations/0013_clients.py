import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

# Upper and lower case and accents are alike in a name; clients_by_name serves the list sorted by it.
NAMES = """
CREATE UNIQUE INDEX one_client_per_name_and_domain ON clients (organization_id, fold_text(name), domain)
    WHERE deleted_at IS NULL;
CREATE INDEX clients_by_name ON clients (organization_id, fold_text(name), id) WHERE deleted_at IS NULL;
"""

# Two people who make each other's client the parent at the same moment would each see only the other's old state,
# so that changes of parents of one organization take turns.
KEEP_TREE = """
CREATE FUNCTION keep_client_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('client_tree:' || NEW.organization_id, 0));
    IF EXISTS (
        WITH RECURSIVE above AS (
            SELECT id, parent_id FROM clients WHERE organization_id = NEW.organization_id AND id = NEW.parent_id
            UNION
            SELECT client.id, client.parent_id FROM clients AS client
            JOIN above ON client.organization_id = NEW.organization_id AND client.id = above.parent_id
        ) SELECT FROM above WHERE id = NEW.id
    ) THEN
        RAISE EXCEPTION 'A client cannot stand above itself' USING
            ERRCODE = 'check_violation', CONSTRAINT = 'client_is_not_above_itself', TABLE = 'clients';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_tree BEFORE UPDATE OF parent_id ON clients FOR EACH ROW
    WHEN (NEW.parent_id IS NOT NULL AND NEW.parent_id IS DISTINCT FROM OLD.parent_id)
    EXECUTE FUNCTION keep_client_tree();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0012_external_id_index"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Client",
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
                ("name", models.CharField(max_length=255)),
                ("legal_name", models.CharField(blank=True, default="", max_length=255)),
                ("domain", models.CharField(blank=True, default="", max_length=253)),
                ("website", models.CharField(blank=True, default="", max_length=500)),
                ("linkedin_url", models.CharField(blank=True, default="", max_length=500)),
                ("industry", models.CharField(blank=True, default="", max_length=100)),
                (
                    "size",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("1", "1"),
                            ("2-10", "2 to 10"),
                            ("11-50", "11 to 50"),
                            ("51-200", "51 to 200"),
                            ("201-500", "201 to 500"),
                            ("501-1000", "501 to 1,000"),
                            ("1001-5000", "1,001 to 5,000"),
                            ("5001-10000", "5,001 to 10,000"),
                            ("10001+", "More than 10,000"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                ("annual_revenue", models.DecimalField(blank=True, decimal_places=2, max_digits=18, null=True)),
                (
                    "currency",
                    models.CharField(blank=True, default="", help_text="Of the revenue; ISO 4217.", max_length=3),
                ),
                (
                    "tax_id",
                    models.CharField(blank=True, default="", help_text="VAT number, EIN or the like.", max_length=50),
                ),
                ("email", models.CharField(blank=True, default="", max_length=320)),
                ("phone", models.CharField(blank=True, default="", help_text="E.164.", max_length=20)),
                ("address", models.TextField(blank=True, default="")),
                ("city", models.CharField(blank=True, default="", max_length=100)),
                ("state", models.CharField(blank=True, default="", max_length=50)),
                ("zip", models.CharField(blank=True, default="", max_length=20)),
                ("country", models.CharField(blank=True, default="", max_length=2)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("custom_fields", models.JSONField(blank=True, default=dict)),
                (
                    "status",
                    models.CharField(
                        choices=[("prospect", "Prospect"), ("active", "Active"), ("inactive", "Inactive")],
                        default="prospect",
                        max_length=20,
                    ),
                ),
                ("source", models.CharField(blank=True, default="", max_length=100)),
                ("notes", models.TextField(blank=True, default="")),
                (
                    "verification",
                    models.CharField(
                        choices=[("unverified", "Unverified"), ("verified", "Verified"), ("rejected", "Rejected")],
                        default="unverified",
                        max_length=20,
                    ),
                ),
                (
                    "verified_at",
                    models.DateTimeField(blank=True, help_text="When it was verified or rejected.", null=True),
                ),
                ("verification_note", models.CharField(blank=True, default="", max_length=500)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "assigned_to",
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
                    "deleted_by",
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
                (
                    "parent",
                    vocelio.db.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contacts.client",
                    ),
                ),
                (
                    "verified_by",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "clients",
                "indexes": [
                    models.Index(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=["organization", "-created_at", "-id"],
                        name="clients_newest",
                    ),
                    models.Index(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=["organization", "-updated_at", "-id"],
                        name="clients_updated",
                    ),
                    models.Index(
                        condition=models.Q(("deleted_at__isnull", False)),
                        fields=["organization", "-deleted_at"],
                        name="clients_trash",
                    ),
                    models.Index(
                        condition=models.Q(("parent__isnull", False)),
                        fields=["organization", "parent"],
                        name="clients_of_parent",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="client_has_name"),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["prospect", "active", "inactive"])),
                        name="client_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("phone", ""), ("phone__regex", "^\\+[1-9][0-9]{6,14}$"), _connector="OR"),
                        name="client_phone_is_e164",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("verification", "unverified"), ("verified_at__isnull", True)),
                            models.Q(("verification__in", ["verified", "rejected"]), ("verified_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="client_verification_known_and_dated",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("annual_revenue__isnull", True), models.Q(("currency", ""), _negated=True), _connector="OR"
                        ),
                        name="client_revenue_has_currency",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("parent", models.F("id")), _negated=True),
                        name="client_is_not_its_own_parent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ClientContact",
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
                    "role",
                    models.CharField(
                        choices=[
                            ("employee", "Employee"),
                            ("decision_maker", "Decision maker"),
                            ("buyer", "Buyer"),
                            ("influencer", "Influencer"),
                            ("technical", "Technical contact"),
                            ("billing", "Billing contact"),
                            ("hiring_manager", "Hiring manager"),
                            ("consultant", "Consultant"),
                            ("other", "Other"),
                        ],
                        default="employee",
                        max_length=20,
                    ),
                ),
                (
                    "title",
                    models.CharField(blank=True, default="", help_text="Job title at this company.", max_length=100),
                ),
                ("is_primary", models.BooleanField(default=False, help_text="The client's first person to talk to.")),
                ("started_on", models.DateField(blank=True, null=True)),
                ("ended_on", models.DateField(blank=True, null=True)),
                (
                    "client",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.client",
                    ),
                ),
                (
                    "contact",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
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
                "db_table": "client_contacts",
                "indexes": [models.Index(fields=["organization", "client", "contact"], name="contacts_of_client")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                [
                                    "employee",
                                    "decision_maker",
                                    "buyer",
                                    "influencer",
                                    "technical",
                                    "billing",
                                    "hiring_manager",
                                    "consultant",
                                    "other",
                                ],
                            )
                        ),
                        name="relation_role_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("started_on__isnull", True),
                            ("ended_on__isnull", True),
                            ("ended_on__gte", models.F("started_on")),
                            _connector="OR",
                        ),
                        name="relation_ends_after_it_starts",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_primary", False), ("ended_on__isnull", True), _connector="OR"),
                        name="primary_relation_holds_now",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("organization", "client"),
                        name="one_primary_contact_per_client",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ended_on__isnull", True)),
                        fields=("organization", "contact", "client", "role"),
                        name="one_current_relation_per_role",
                    ),
                ],
            },
        ),
        ProtectTenantTable("Client"),
        ProtectTenantTable("ClientContact"),
        migrations.RunSQL(NAMES, "DROP INDEX clients_by_name; DROP INDEX one_client_per_name_and_domain"),
        migrations.RunSQL(KEEP_TREE, "DROP TRIGGER keep_tree ON clients; DROP FUNCTION keep_client_tree"),
    ]
