"""Search and filters of clients, by the means of contacts (migration 0002): lexemes kept by a trigger, an index on
them, and a view of the owner in which that index works.
"""

import django.contrib.postgres.search
import django.db.models.functions.datetime
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

import vocelio.db.ids

KEEP_SEARCH = r"""
CREATE FUNCTION keep_client_search() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    key text := right(NEW.organization_id::text, 6);
    sep text := E'\x1f';
    parent text := substr(NEW.domain, strpos(NEW.domain, '.') + 1);
    lexemes text;
BEGIN
    IF NEW.deleted_at IS NOT NULL THEN
        NEW.search := NULL;
        RETURN NEW;
    END IF;
    lexemes := concat_ws(sep,
        split_words(concat_ws(' ', NEW.name, NEW.legal_name, NEW.tax_id)),
        nullif(NEW.domain, ''), CASE WHEN strpos(parent, '.') > 0 THEN parent END,
        '@' || nullif(NEW.email, ''), '#' || reverse(substr(nullif(NEW.phone, ''), 2)),
        '=t' || array_to_string(nullif(NEW.tags, '{}'), sep || '=t'),
        '=i' || nullif(NEW.industry, ''), '=z' || nullif(NEW.size, ''), '=c' || nullif(NEW.city, ''),
        '=s' || nullif(NEW.state, ''), '=l' || nullif(NEW.country, ''), '=o' || nullif(NEW.source, ''),
        '=a' || NEW.status, '=v' || NEW.verification, '=u' || coalesce(NEW.assigned_to_id::text, ''),
        '=p' || coalesce(NEW.parent_id::text, ''), '=w' || nullif(NEW.domain, ''));
    lexemes := fold_text(lexemes);
    NEW.search := array_to_tsvector(array_remove(
        string_to_array(key || replace(lexemes, sep, sep || key), sep), key));
    RETURN NEW;
END $$;

CREATE TRIGGER keep_search_of_new BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION keep_client_search();
CREATE TRIGGER keep_search BEFORE UPDATE ON clients FOR EACH ROW WHEN (
    (OLD.name, OLD.legal_name, OLD.tax_id, OLD.domain, OLD.email, OLD.phone, OLD.tags, OLD.industry, OLD.size, OLD.city,
     OLD.state, OLD.country, OLD.source, OLD.status, OLD.verification, OLD.assigned_to_id, OLD.parent_id,
     OLD.deleted_at, OLD.search)
    IS DISTINCT FROM
    (NEW.name, NEW.legal_name, NEW.tax_id, NEW.domain, NEW.email, NEW.phone, NEW.tags, NEW.industry, NEW.size, NEW.city,
     NEW.state, NEW.country, NEW.source, NEW.status, NEW.verification, NEW.assigned_to_id, NEW.parent_id,
     NEW.deleted_at, NEW.search)
) EXECUTE FUNCTION keep_client_search();

UPDATE clients SET search = ''::tsvector;
"""

LIVE_CLIENTS = """
CREATE VIEW live_clients AS
    SELECT id, organization_id, created_at, updated_at, name, domain, status, assigned_to_id,
           fold_text(name) AS sort_name, search
    FROM clients
    WHERE organization_id = (SELECT nullif(current_setting('app.org', true), '')::uuid) AND deleted_at IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0013_clients")]

    operations = [
        migrations.AddField(
            "client", "search", django.contrib.postgres.search.SearchVectorField(editable=False, null=True)
        ),
        migrations.RunSQL(
            KEEP_SEARCH,
            "DROP TRIGGER keep_search ON clients; DROP TRIGGER keep_search_of_new ON clients;"
            "DROP FUNCTION keep_client_search",
        ),
        migrations.AddIndex("client", GinIndex(fields=["search"], name="clients_search")),
        migrations.RunSQL(LIVE_CLIENTS, "DROP VIEW live_clients"),
        migrations.CreateModel(
            name="LiveClient",
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
                ("sort_name", models.TextField()),
                ("status", models.CharField(max_length=20)),
                ("search", django.contrib.postgres.search.SearchVectorField()),
            ],
            options={"db_table": "live_clients", "managed": False},
        ),
    ]
