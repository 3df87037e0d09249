import django.db.models.deletion
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

DEFAULTS = """
ALTER TABLE contact_tallies
    ALTER COLUMN id SET DEFAULT gen_random_uuid(), ALTER COLUMN status SET DEFAULT '';
"""

TALLY_CONTACTS = """
CREATE FUNCTION tally_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO contact_tallies (organization_id, status, delta)
        SELECT organization_id, status, count(*) FROM came WHERE deleted_at IS NULL GROUP BY 1, 2;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO contact_tallies (organization_id, status, delta)
        SELECT organization_id, status, -count(*) FROM gone WHERE deleted_at IS NULL GROUP BY 1, 2;
    ELSE
        INSERT INTO contact_tallies (organization_id, status, delta)
        SELECT organization_id, status, sum(delta) FROM (
            SELECT organization_id, status, 1 AS delta FROM came WHERE deleted_at IS NULL
            UNION ALL SELECT organization_id, status, -1 FROM gone WHERE deleted_at IS NULL
        ) AS change GROUP BY 1, 2 HAVING sum(delta) <> 0;
        INSERT INTO contact_tallies (organization_id, list_id, delta)
        SELECT organization_id, list_id, sum(delta) FROM (
            SELECT organization_id, id AS contact_id, sum(delta) AS delta FROM (
                SELECT organization_id, id, 1 AS delta FROM came WHERE deleted_at IS NULL
                UNION ALL SELECT organization_id, id, -1 FROM gone WHERE deleted_at IS NULL
            ) AS change GROUP BY 1, 2 HAVING sum(delta) <> 0
        ) AS moved JOIN contact_list_memberships USING (organization_id, contact_id)
        GROUP BY 1, 2 HAVING sum(delta) <> 0;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_new AFTER INSERT ON contacts REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION tally_contacts();
CREATE TRIGGER tally_changed AFTER UPDATE ON contacts REFERENCING OLD TABLE AS gone NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION tally_contacts();
CREATE TRIGGER tally_gone AFTER DELETE ON contacts REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_contacts();
"""

# Counting a membership asks whether its contact is in the trash, and trashing asks for the memberships. The
# foreign key of a new membership locks the contact (KEY SHARE), so a stronger lock here makes the two take
# turns; without it both could miss each other and the count be wrong for ever.
LOCK_TRASHED = """
CREATE FUNCTION lock_trashed_contact() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM contacts WHERE organization_id = OLD.organization_id AND id = OLD.id FOR UPDATE;
    RETURN NEW;
END $$;

CREATE TRIGGER lock_trashed BEFORE UPDATE ON contacts FOR EACH ROW
    WHEN ((OLD.deleted_at IS NULL) <> (NEW.deleted_at IS NULL)) EXECUTE FUNCTION lock_trashed_contact();

CREATE FUNCTION leave_lists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM contact_list_memberships WHERE organization_id = OLD.organization_id AND contact_id = OLD.id;
    RETURN OLD;
END $$;

-- While it still exists, so that its lists are counted; one from the trash was subtracted before.
CREATE TRIGGER leave_lists BEFORE DELETE ON contacts FOR EACH ROW
    WHEN (OLD.deleted_at IS NULL) EXECUTE FUNCTION leave_lists();
"""

TALLY_MEMBERSHIPS = """
CREATE FUNCTION tally_memberships() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO contact_tallies (organization_id, list_id, delta)
        SELECT organization_id, list_id, count(*)
        FROM came JOIN contacts AS contact USING (organization_id)
        WHERE contact.id = contact_id AND deleted_at IS NULL GROUP BY 1, 2;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO contact_tallies (organization_id, list_id, delta)
        SELECT organization_id, list_id, -count(*) FROM (
            SELECT organization_id, list_id FROM gone JOIN contacts AS contact USING (organization_id)
            WHERE contact.id = contact_id AND deleted_at IS NULL
                -- A list that is being deleted takes its tallies along.
                AND EXISTS (SELECT FROM contact_lists AS list
                            WHERE list.organization_id = gone.organization_id AND list.id = gone.list_id)
            FOR KEY SHARE OF contact
        ) AS off
        GROUP BY 1, 2;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_new AFTER INSERT ON contact_list_memberships REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION tally_memberships();
CREATE TRIGGER tally_changed AFTER UPDATE ON contact_list_memberships REFERENCING OLD TABLE AS gone NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION tally_memberships();
CREATE TRIGGER tally_gone AFTER DELETE ON contact_list_memberships REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_memberships();
"""

# As the owner, for every organization in one statement: it adds numbers up and shows none of them.
COMPACT_TALLIES = """
CREATE FUNCTION compact_contact_tallies() RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    WITH taken AS (
        DELETE FROM contact_tallies WHERE (organization_id, coalesce(list_id, organization_id), status) IN (
            SELECT organization_id, coalesce(list_id, organization_id), status FROM contact_tallies
            GROUP BY 1, 2, 3 HAVING count(*) > 1
        ) RETURNING organization_id, list_id, status, delta
    )
    INSERT INTO contact_tallies (organization_id, list_id, status, delta)
    SELECT organization_id, list_id, status, sum(delta) FROM taken GROUP BY 1, 2, 3 HAVING sum(delta) <> 0;
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0002_search"),
        ("organizations", "0002_members"),
    ]

    operations = [
        migrations.RemoveField(model_name="contactlist", name="contact_count"),
        migrations.CreateModel(
            name="ContactTally",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("status", models.CharField(blank=True, default="", max_length=20)),
                ("delta", models.BigIntegerField()),
                (
                    "list",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.contactlist",
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
                "db_table": "contact_tallies",
                "indexes": [models.Index(fields=["organization", "list"], name="contact_tallies_of_list")],
            },
        ),
        ProtectTenantTable("ContactTally"),
        migrations.RunSQL(DEFAULTS, migrations.RunSQL.noop),
        migrations.RunSQL(
            TALLY_CONTACTS,
            "DROP TRIGGER tally_new ON contacts; DROP TRIGGER tally_changed ON contacts;"
            "DROP TRIGGER tally_gone ON contacts; DROP FUNCTION tally_contacts",
        ),
        migrations.RunSQL(
            LOCK_TRASHED,
            "DROP TRIGGER leave_lists ON contacts; DROP FUNCTION leave_lists;"
            "DROP TRIGGER lock_trashed ON contacts; DROP FUNCTION lock_trashed_contact",
        ),
        migrations.RunSQL(
            TALLY_MEMBERSHIPS,
            "DROP TRIGGER tally_new ON contact_list_memberships; DROP TRIGGER tally_changed ON contact_list_memberships;"
            "DROP TRIGGER tally_gone ON contact_list_memberships; DROP FUNCTION tally_memberships",
        ),
        migrations.RunSQL(COMPACT_TALLIES, "DROP FUNCTION compact_contact_tallies"),
    ]
