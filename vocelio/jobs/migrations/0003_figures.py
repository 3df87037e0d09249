from django.db import migrations

# Runs as the owner, since the platform's figures span organizations; it answers counts alone, by columns that hold words.
# Destructive: job_counts goes; the code before tells one metric less until it is replaced.
FUNCTION = """
CREATE FUNCTION platform_figures(target regclass, label text, summed text, since timestamptz, wanted text[])
RETURNS TABLE (value text, number bigint, total numeric, oldest timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    IF label NOT IN ('status', 'crm_type', 'channel') THEN
        RAISE EXCEPTION 'figures are not told by %', label USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Literals, not parameters, so that partial indexes on the label are used.
    RETURN QUERY EXECUTE format(
        'SELECT %I::text, count(*), coalesce(sum(%s), 0)::numeric, min(created_at) FROM %s WHERE true', label,
        CASE WHEN summed = '' THEN '0' ELSE quote_ident(summed) END, target
    ) || CASE WHEN since IS NULL THEN '' ELSE format(' AND created_at >= %L', since) END
      || CASE WHEN wanted IS NULL THEN '' ELSE format(
            ' AND %I IN (%s)', label, (SELECT string_agg(quote_literal(each), ', ') FROM unnest(wanted) AS each)
         ) END || ' GROUP BY 1';
END $$;
DROP FUNCTION job_counts(regclass);
"""
BACK = """
CREATE FUNCTION job_counts(job_table regclass) RETURNS TABLE (status text, jobs bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    RETURN QUERY EXECUTE format(
        'SELECT status::text, count(*) FROM %s WHERE created_at > now() - interval ''1 day'' GROUP BY 1', job_table
    );
END $$;
DROP FUNCTION platform_figures(regclass, text, text, timestamptz, text[]);
"""


class Migration(migrations.Migration):
    dependencies = [("jobs", "0002_job_counts")]

    operations = [migrations.RunSQL(FUNCTION, BACK)]
