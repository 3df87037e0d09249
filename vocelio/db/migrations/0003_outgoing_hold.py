from django.db import migrations, models

# Numbers of transactions begin anew on another server. A restore sets the offset (replacing the function), so that
# they go on rising and the seals of the audit log go on covering what they covered.
OFFSET = """
CREATE FUNCTION transaction_offset() RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT 0::bigint';
CREATE OR REPLACE FUNCTION current_transaction_id() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_current_xact_id()::text::bigint + transaction_offset()
$$;
-- All transactions below have ended.
CREATE FUNCTION oldest_transaction_id() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint + transaction_offset()
$$;
"""
BACK = """
DROP FUNCTION oldest_transaction_id();
CREATE OR REPLACE FUNCTION current_transaction_id() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_current_xact_id()::text::bigint
$$;
DROP FUNCTION transaction_offset();
"""


class Migration(migrations.Migration):
    dependencies = [("db", "0002_schedule_ticks")]

    operations = [
        migrations.CreateModel(
            name="OutgoingHold",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("held_at", models.DateTimeField()),
                ("taken_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=500)),
            ],
            options={
                "db_table": "outgoing_holds",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_outgoing_hold")],
            },
        ),
        migrations.RunSQL(OFFSET, BACK),
    ]
