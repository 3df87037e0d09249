import django.db.models.deletion
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

# As in 0003, and from the same reading of the changed rows: by hour, source and status besides.
TALLY_CONTACTS = """
CREATE OR REPLACE FUNCTION tally_contacts() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        WITH change AS MATERIALIZED (
            SELECT organization_id, status, source, date_bin('1 hour', created_at, 'epoch') AS hour, count(*) AS delta
            FROM came WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4
        ), arrived AS (
            INSERT INTO contact_arrivals (organization_id, status, source, created_at, delta) SELECT * FROM change
        )
        INSERT INTO contact_tallies (organization_id, status, delta)
        SELECT organization_id, status, sum(delta) FROM change GROUP BY 1, 2;
    ELSIF TG_OP = 'DELETE' THEN
        WITH change AS MATERIALIZED (
            SELECT organization_id, status, source, date_bin('1 hour', created_at, 'epoch') AS hour, -count(*) AS delta
            FROM gone WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4
        ), departed AS (
            INSERT INTO contact_arrivals (organization_id, status, source, created_at, delta) SELECT * FROM change
        )
        INSERT INTO contact_tallies (organization_id, status, delta)
        SELECT organization_id, status, sum(delta) FROM change GROUP BY 1, 2;
    ELSE
        WITH change AS MATERIALIZED (
            SELECT organization_id, status, source, date_bin('1 hour', created_at, 'epoch') AS hour, sum(delta) AS delta
            FROM (
                SELECT organization_id, status, source, created_at, 1 AS delta FROM came WHERE deleted_at IS NULL
                UNION ALL
                SELECT organization_id, status, source, created_at, -1 FROM gone WHERE deleted_at IS NULL
            ) AS rows GROUP BY 1, 2, 3, 4 HAVING sum(delta) <> 0
        ), moved AS (
            INSERT INTO contact_arrivals (organization_id, status, source, created_at, delta) SELECT * FROM change
        )
        INSERT INTO contact_tallies (organization_id, status, delta)
        SELECT organization_id, status, sum(delta) FROM change GROUP BY 1, 2 HAVING sum(delta) <> 0;
        INSERT INTO contact_tallies (organization_id, list_id, delta)
        SELECT organization_id, list_id, sum(delta) FROM (
            SELECT organization_id, id, sum(delta) AS delta FROM (
                SELECT organization_id, id, 1 AS delta FROM came WHERE deleted_at IS NULL
                UNION ALL SELECT organization_id, id, -1 FROM gone WHERE deleted_at IS NULL
            ) AS change GROUP BY 1, 2 HAVING sum(delta) <> 0
        ) AS moved CROSS JOIN LATERAL (
            SELECT list_id FROM contact_list_memberships AS membership
            WHERE membership.organization_id = moved.organization_id AND contact_id = moved.id OFFSET 0
        ) AS membership
        GROUP BY 1, 2 HAVING sum(delta) <> 0;
    END IF;
    RETURN NULL;
END $$;
"""

# Writers wait for the time of one reading: 1 s for a million contacts.
COUNT_THOSE_THERE = """
ALTER TABLE contact_arrivals ALTER COLUMN id SET DEFAULT gen_random_uuid();
LOCK TABLE contacts IN SHARE ROW EXCLUSIVE MODE;
INSERT INTO contact_arrivals (organization_id, status, source, created_at, delta, is_settled)
SELECT organization_id, status, source, date_bin('1 hour', created_at, 'epoch'), count(*), true
FROM contacts WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4;
"""

# As the owner, for every organization in one statement; it reads what came since the last time, not the table.
COMPACT = """
CREATE FUNCTION compact_contact_arrivals() RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    WITH taken AS (
        DELETE FROM contact_arrivals WHERE NOT is_settled
        RETURNING organization_id, created_at, source, status, delta
    )
    INSERT INTO contact_arrivals (organization_id, created_at, source, status, delta, is_settled)
    SELECT organization_id, created_at, source, status, sum(delta), true FROM taken GROUP BY 1, 2, 3, 4
    HAVING sum(delta) <> 0 ORDER BY 1, 2, 3, 4
    ON CONFLICT (organization_id, created_at, source, status) WHERE is_settled
        DO UPDATE SET delta = contact_arrivals.delta + excluded.delta;
$$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0022_quick_profiles"),
        ("organizations", "0004_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="ContactArrival",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("created_at", models.DateTimeField()),
                ("source", models.CharField(max_length=100)),
                ("status", models.CharField(max_length=20)),
                ("delta", models.BigIntegerField()),
                ("is_settled", models.BooleanField(db_default=False, default=False)),
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
                "db_table": "contact_arrivals",
                "indexes": [
                    models.Index(fields=["organization", "created_at"], name="arrivals_by_hour"),
                    models.Index(
                        condition=models.Q(("is_settled", False)), fields=["created_at"], name="arrivals_to_settle"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_settled", True)),
                        fields=("organization", "created_at", "source", "status"),
                        name="one_settled_arrival",
                    )
                ],
            },
        ),
        ProtectTenantTable("ContactArrival"),
        migrations.RunSQL(COUNT_THOSE_THERE, migrations.RunSQL.noop),
        migrations.RunSQL(TALLY_CONTACTS, migrations.RunSQL.noop),
        migrations.RunSQL(COMPACT, "DROP FUNCTION compact_contact_arrivals()"),
    ]
