from django.db import migrations

# They run as the owner, since a master key is every organization's; what they answer is encrypted by it.
FUNCTIONS = """
CREATE INDEX organization_keys_id ON organization_keys (id);
CREATE FUNCTION organization_keys_after(last uuid, most int)
RETURNS TABLE (id uuid, organization_id uuid, wrapped text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    SELECT k.id, k.organization_id, k.wrapped FROM organization_keys k WHERE k.id > last ORDER BY k.id LIMIT most
$$;
CREATE FUNCTION rewrap_organization_keys(ids uuid[], olds text[], news text[]) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    changed int;
BEGIN
    UPDATE organization_keys k SET wrapped = given.new
    FROM unnest(ids, olds, news) AS given (id, old, new) WHERE k.id = given.id AND k.wrapped = given.old;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;
"""
BACK = """
DROP FUNCTION rewrap_organization_keys(uuid[], text[], text[]);
DROP FUNCTION organization_keys_after(uuid, int);
DROP INDEX organization_keys_id;
"""


class Migration(migrations.Migration):
    dependencies = [("crypto", "0001_crypto")]

    operations = [migrations.RunSQL(FUNCTIONS, BACK)]
