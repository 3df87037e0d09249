from django.db import migrations

# As in 0002, but with numbers that go on rising after a restore on another server.
FUNCTION = """
CREATE OR REPLACE FUNCTION organizations_with_unsealed_audit() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT o.id FROM organizations o
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT next_transaction FROM audit_seals WHERE organization_id = o.id ORDER BY number DESC LIMIT 1
        ), 0) AS since
    ) sealed
    WHERE EXISTS (
        SELECT FROM audit_log WHERE organization_id = o.id AND transaction_id >= sealed.since
        AND transaction_id < oldest_transaction_id()
    )
$$
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_unsealed"), ("db", "0003_outgoing_hold")]

    operations = [migrations.RunSQL(FUNCTION, migrations.RunSQL.noop)]
