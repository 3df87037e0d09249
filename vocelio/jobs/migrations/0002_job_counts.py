from django.db import migrations

# Runs as the owner, since the platform's figures span organizations; it answers counts alone.
FUNCTION = """
CREATE FUNCTION job_counts(job_table regclass) RETURNS TABLE (status text, jobs bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT status::text, count(*) FROM %s WHERE created_at > now() - interval ''1 day'' GROUP BY 1', job_table
    );
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_jobs")]

    operations = [migrations.RunSQL(FUNCTION, "DROP FUNCTION job_counts(regclass)")]
