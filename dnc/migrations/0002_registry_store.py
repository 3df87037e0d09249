"""The registry's store, the registries every installation knows, and counts of entries that nobody has to count."""

from django.db import migrations

# PLAIN keeps the 1250 bytes in the row and uncompressed: compressed, a change list of 500,000 lines takes five times as
# long. bit rather than bytea, so that |, &, # and bit_count work in SQL.
STORE = """
-- Without foreign keys, which would be checked for each of 300,000 blocks.
CREATE TABLE dnc_registry_blocks (
    registry_id smallint NOT NULL,
    block integer NOT NULL,
    numbers smallint NOT NULL,
    bits bit(10000) NOT NULL,
    PRIMARY KEY (registry_id, block)
);
ALTER TABLE dnc_registry_blocks ALTER COLUMN bits SET STORAGE PLAIN;

CREATE TABLE dnc_registry_changes (
    registry_id smallint NOT NULL,
    block integer NOT NULL,
    file_id bigint NOT NULL,
    positions smallint[] NOT NULL,
    PRIMARY KEY (registry_id, block, file_id)
);

-- A table that has just been filled is unknown to the planner until autovacuum comes.
CREATE FUNCTION analyze_dnc_registry() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    ANALYZE public.dnc_registry_blocks (registry_id, block, numbers);
END $$;

CREATE FUNCTION analyze_grown_dnc_entries() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF (SELECT pg_relation_size(oid) / current_setting('block_size')::int > 4 * relpages + 10
        FROM pg_class WHERE oid = 'public.dnc_entries'::regclass) THEN
        ANALYZE public.dnc_entries;
    END IF;
END $$;
"""
DROP_STORE = """
DROP FUNCTION analyze_grown_dnc_entries; DROP FUNCTION analyze_dnc_registry;
DROP TABLE dnc_registry_changes; DROP TABLE dnc_registry_blocks;
"""

REGISTRIES = """
INSERT INTO dnc_registries
    (id, slug, name, description, kind, country, country_code, states, formats, options, keeper, is_default, is_active,
     number_count)
VALUES
    (1, 'us-federal', 'National Do Not Call Registry', 'Consumers who asked not to be called, United States.',
     'federal', 'US', '1', '{}', '{ftc-flat,ftc-xml,ftc-changes}', '{}', 'Federal Trade Commission', true, true, 0),
    (2, 'us-state', 'State Do Not Call list', 'A list of one or more states, to be configured by the operator.',
     'state', 'US', '1', '{}', '{delimited}', '{}', '', true, true, 0),
    (3, 'ca-dncl', 'National Do Not Call List (Canada)', 'Consumers who asked not to be called, Canada.',
     'federal', 'CA', '1', '{}', '{lnnte,ftc-xml}', '{}', 'CRTC', false, true, 0),
    (4, 'uk-tps', 'Telephone Preference Service', 'Subscribers who object to marketing calls, United Kingdom.',
     'federal', 'GB', '44', '{}', '{tps}', '{}', 'TPS', false, true, 0),
    (5, 'uk-ctps', 'Corporate Telephone Preference Service', 'Companies that object to marketing calls, United Kingdom.',
     'federal', 'GB', '44', '{}', '{tps}', '{}', 'TPS', false, true, 0);
SELECT setval(pg_get_serial_sequence('dnc_registries', 'id'), 5);
"""

# By a trigger, so that an organization made by whatever door is never without them.
DEFAULT_LISTS = """
CREATE FUNCTION add_default_dnc_lists(organization uuid) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    INSERT INTO dnc_lists (id, organization_id, name, type, description, compliance_level, registry_id, state,
                           auto_update, source, status)
    SELECT uuid7(), organization, name, kind, description, kind, id, '', true, keeper, 'active'
    FROM dnc_registries WHERE is_default AND is_active ORDER BY id
    ON CONFLICT DO NOTHING;
$$;
CREATE FUNCTION add_default_dnc_lists() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM add_default_dnc_lists(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER add_default_dnc_lists AFTER INSERT ON organizations
    FOR EACH ROW EXECUTE FUNCTION add_default_dnc_lists();
SELECT add_default_dnc_lists(id) FROM organizations;
"""
DROP_DEFAULT_LISTS = """
DROP TRIGGER add_default_dnc_lists ON organizations;
DROP FUNCTION add_default_dnc_lists();
DROP FUNCTION add_default_dnc_lists(uuid);
"""

# One row a statement, as contacts count theirs, so that parallel writers never wait for one counter.
TALLIES = """
ALTER TABLE dnc_entry_tallies ALTER COLUMN id SET DEFAULT gen_random_uuid();

CREATE FUNCTION tally_dnc_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO dnc_entry_tallies (organization_id, list_id, delta)
        SELECT organization_id, list_id, count(*) FROM came WHERE status = 'active' GROUP BY 1, 2;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO dnc_entry_tallies (organization_id, list_id, delta)
        SELECT gone.organization_id, list_id, -count(*) FROM gone
        JOIN dnc_lists AS list ON list.organization_id = gone.organization_id AND list.id = list_id
        WHERE gone.status = 'active' GROUP BY 1, 2;
    ELSE
        INSERT INTO dnc_entry_tallies (organization_id, list_id, delta)
        SELECT organization_id, list_id, sum(delta) FROM (
            SELECT organization_id, list_id, 1 AS delta FROM came WHERE status = 'active'
            UNION ALL SELECT organization_id, list_id, -1 FROM gone WHERE status = 'active'
        ) AS change GROUP BY 1, 2 HAVING sum(delta) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tally_new AFTER INSERT ON dnc_entries REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION tally_dnc_entries();
CREATE TRIGGER tally_changed AFTER UPDATE ON dnc_entries REFERENCING OLD TABLE AS gone NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION tally_dnc_entries();
CREATE TRIGGER tally_gone AFTER DELETE ON dnc_entries REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_dnc_entries();

CREATE FUNCTION compact_dnc_entry_tallies() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- Two at once would each delete what the other summed up.
    IF NOT pg_try_advisory_xact_lock(hashtext('compact_dnc_entry_tallies')) THEN
        RETURN;
    END IF;
    WITH gone AS (
        DELETE FROM dnc_entry_tallies USING (
            SELECT organization_id, list_id FROM dnc_entry_tallies GROUP BY 1, 2 HAVING count(*) > 1
        ) AS many
        WHERE dnc_entry_tallies.organization_id = many.organization_id AND dnc_entry_tallies.list_id = many.list_id
        RETURNING dnc_entry_tallies.organization_id, dnc_entry_tallies.list_id, delta
    )
    INSERT INTO dnc_entry_tallies (organization_id, list_id, delta)
    SELECT organization_id, list_id, sum(delta) FROM gone GROUP BY 1, 2 HAVING sum(delta) <> 0;
END $$;
"""
DROP_TALLIES = """
DROP FUNCTION compact_dnc_entry_tallies;
DROP TRIGGER tally_gone ON dnc_entries; DROP TRIGGER tally_changed ON dnc_entries; DROP TRIGGER tally_new ON dnc_entries;
DROP FUNCTION tally_dnc_entries;
"""

# What beat asks of all organizations at once: ids alone, by index.
DUE = """
CREATE FUNCTION due_dnc_sources() RETURNS TABLE (organization_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT organization_id, id FROM dnc_sources WHERE auto_update AND next_run_at <= now() ORDER BY next_run_at
$$;

-- Watched runs that are older than a list they used: its entries, its registry's version, or its expiries.
CREATE FUNCTION outdated_dnc_scrubs() RETURNS TABLE (organization_id uuid, id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT scrub.organization_id, scrub.id FROM dnc_scrubs AS scrub
    WHERE is_watched AND followed_by IS NULL AND status = 'completed' AND EXISTS (
        SELECT FROM dnc_lists AS list LEFT JOIN dnc_registries AS registry ON registry.id = list.registry_id
        WHERE list.organization_id = scrub.organization_id
        AND (list.id = ANY(scrub.dnc_list_ids) OR list.type = 'company')
        AND greatest(list.changed_at, registry.loaded_at) > scrub.judged_at
    )
$$;

CREATE FUNCTION organizations_with_expired_dnc_entries() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT DISTINCT organization_id FROM dnc_entries WHERE status = 'active' AND expiry_date <= now()
$$;
"""
DROP_DUE = """
DROP FUNCTION organizations_with_expired_dnc_entries; DROP FUNCTION outdated_dnc_scrubs; DROP FUNCTION due_dnc_sources;
"""


class Migration(migrations.Migration):
    dependencies = [("dnc", "0001_dnc")]

    operations = [
        migrations.RunSQL(STORE, DROP_STORE),
        migrations.RunSQL(REGISTRIES, "DELETE FROM dnc_registries"),
        migrations.RunSQL(DEFAULT_LISTS, DROP_DEFAULT_LISTS),
        migrations.RunSQL(TALLIES, DROP_TALLIES),
        migrations.RunSQL(DUE, DROP_DUE),
    ]
