"""The folded name of a client as a column of its own.

fold_text is not leakproof, so under row-level security an index on fold_text(name) is never used: whoever looked for
a client by its name read all of them.
"""

from importlib import import_module

from django.db import migrations, models

KEEP_SORT_NAME = """
CREATE FUNCTION keep_client_sort_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.sort_name := fold_text(NEW.name);
    RETURN NEW;
END $$;

CREATE TRIGGER keep_name_of_new BEFORE INSERT ON clients FOR EACH ROW EXECUTE FUNCTION keep_client_sort_name();
CREATE TRIGGER keep_name BEFORE UPDATE ON clients FOR EACH ROW
    WHEN ((OLD.name, OLD.sort_name) IS DISTINCT FROM (NEW.name, NEW.sort_name))
    EXECUTE FUNCTION keep_client_sort_name();

UPDATE clients SET sort_name = fold_text(name);

DROP INDEX one_client_per_name_and_domain;
DROP INDEX clients_by_name;
CREATE UNIQUE INDEX one_client_per_name_and_domain ON clients (organization_id, sort_name, domain)
    WHERE deleted_at IS NULL;
CREATE INDEX clients_by_name ON clients (organization_id, sort_name, id) WHERE deleted_at IS NULL;

CREATE OR REPLACE VIEW live_clients AS
    SELECT id, organization_id, created_at, updated_at, name, domain, status, assigned_to_id, sort_name, search
    FROM clients
    WHERE organization_id = (SELECT nullif(current_setting('app.org', true), '')::uuid) AND deleted_at IS NULL;
"""

DROP_SORT_NAME = """
CREATE OR REPLACE VIEW live_clients AS
    SELECT id, organization_id, created_at, updated_at, name, domain, status, assigned_to_id,
           fold_text(name) AS sort_name, search
    FROM clients
    WHERE organization_id = (SELECT nullif(current_setting('app.org', true), '')::uuid) AND deleted_at IS NULL;
DROP INDEX one_client_per_name_and_domain;
DROP INDEX clients_by_name;
CREATE UNIQUE INDEX one_client_per_name_and_domain ON clients (organization_id, fold_text(name), domain)
    WHERE deleted_at IS NULL;
CREATE INDEX clients_by_name ON clients (organization_id, fold_text(name), id) WHERE deleted_at IS NULL;
DROP TRIGGER keep_name ON clients;
DROP TRIGGER keep_name_of_new ON clients;
DROP FUNCTION keep_client_sort_name;
"""

BEFORE: str = import_module("contacts.migrations.0015_profiles").INSIGHTS
# OFFSET 0 keeps the function apart, so that the comparison itself is leakproof and may use the index.
NOW = BEFORE.replace(
    """    JOIN employer ON employer.organization_id = candidate.organization_id
        AND fold_text(employer.name) = fold_text(contact.company)
""",
    """    CROSS JOIN LATERAL (SELECT fold_text(contact.company) AS name OFFSET 0) AS folded
    JOIN employer ON employer.organization_id = candidate.organization_id AND employer.sort_name = folded.name
""",
)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0015_profiles")]

    operations = [
        migrations.RunSQL("DROP VIEW contact_insights", BEFORE),
        migrations.AddField("client", "sort_name", models.TextField(default="", editable=False)),
        migrations.RunSQL(KEEP_SORT_NAME, DROP_SORT_NAME),
        migrations.RunSQL(NOW, "DROP VIEW contact_insights"),
    ]
