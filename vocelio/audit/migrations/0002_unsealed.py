from django.db import migrations

# Runs as the owner, since the question spans organizations; it answers ids alone. Two index probes for each.
FUNCTION = """
CREATE FUNCTION organizations_with_unsealed_audit() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT o.id FROM organizations o
    CROSS JOIN LATERAL (
        SELECT coalesce((
            SELECT next_transaction FROM audit_seals WHERE organization_id = o.id ORDER BY number DESC LIMIT 1
        ), 0) AS since
    ) sealed
    WHERE EXISTS (
        SELECT FROM audit_log WHERE organization_id = o.id AND transaction_id >= sealed.since
        AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    )
$$
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_audit")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION organizations_with_unsealed_audit()")]
