"""What `contact_profile_summary` and `contact_insights` show, kept in tables so that both page at any size.

As views they grouped, held against each other and sorted all profiles of an organization for a page: 4 s at 43,000
insights. Now every statement that changes what they rest on renews the contacts it concerns: `keep_profiles`. Dates
pass without a statement; a nightly task renews everybody.
"""

from importlib import import_module

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

VIEW_OF_INSIGHTS: str = import_module("contacts.migrations.0016_client_names").NOW
VIEW_OF_SUMMARIES: str = import_module("contacts.migrations.0015_profiles").SUMMARY

SUMMARY = """
DROP VIEW contact_profile_summary;
CREATE VIEW contact_profile_summary WITH (security_invoker = true) AS
    SELECT id, organization_id, since AS created_at, changed_at AS updated_at, contact_id, kinds, profiles,
        dual_since IS NOT NULL AS is_dual, dual_since, primaries
    FROM profile_summaries;
"""

# As the owner: planning the views under policies costs 20 ms each. Nothing is shown, only renewed. The contacts are
# locked: of two who change profiles of one contact the second sees what the first did. One contact after the other
# (LATERAL): told of many at once, the planner joins whole tables of which it knows nothing yet.
KEEP_PROFILES = """
CREATE FUNCTION keep_profiles(organization uuid, concerned uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    -- Arrays are searched from end to end.
    IF cardinality(concerned) > 500 THEN
        PERFORM keep_profiles(organization, concerned[start : start + 499])
        FROM generate_series(1, cardinality(concerned), 500) AS start;
        RETURN;
    END IF;

    PERFORM FROM contacts WHERE organization_id = organization AND id = ANY (concerned) ORDER BY id
        FOR NO KEY UPDATE;

    WITH present AS MATERIALIZED (
        SELECT contact.id AS contact_id, fold_text(contact.company) AS company, summary.*
        FROM unnest(concerned) AS person (id)
        JOIN contacts AS contact ON contact.organization_id = organization AND contact.id = person.id
        CROSS JOIN LATERAL (
            SELECT array_agg(kind ORDER BY kind) AS kinds, sum(number)::int AS profiles, min(since) AS since,
                max(changed) AS changed_at, CASE WHEN count(*) > 1 THEN max(since) END AS dual_since,
                coalesce(jsonb_object_agg(kind, main) FILTER (WHERE main IS NOT NULL), '{}') AS primaries
            FROM (
                SELECT kind, count(*) AS number, min(created_at) AS since, max(updated_at) AS changed,
                    (array_agg(jsonb_build_object('id', id, 'headline', headline, 'state', state, 'is_open', is_open))
                        FILTER (WHERE is_primary))[1] AS main
                FROM contact_profiles WHERE organization_id = organization AND contact_id = person.id GROUP BY kind
            ) AS of_kind HAVING count(*) > 0
        ) AS summary
    ), gone AS (
        DELETE FROM profile_summaries WHERE organization_id = organization AND contact_id = ANY (concerned)
            AND contact_id NOT IN (SELECT contact_id FROM present)
    )
    INSERT INTO profile_summaries AS kept (id, organization_id, contact_id, kinds, profiles, since, changed_at,
        dual_since, primaries, company)
    SELECT contact_id, organization, contact_id, kinds, profiles, since, changed_at, dual_since, primaries, company
    FROM present
    ON CONFLICT (organization_id, id) DO UPDATE SET kinds = excluded.kinds, profiles = excluded.profiles,
        since = excluded.since, changed_at = excluded.changed_at, dual_since = excluded.dual_since,
        primaries = excluded.primaries, company = excluded.company
    WHERE (kept.kinds, kept.profiles, kept.since, kept.changed_at, kept.dual_since, kept.primaries, kept.company)
        IS DISTINCT FROM (excluded.kinds, excluded.profiles, excluded.since, excluded.changed_at, excluded.dual_since,
        excluded.primaries, excluded.company);

    PERFORM keep_insights(organization, concerned);
END $$;

CREATE FUNCTION keep_insights(organization uuid, concerned uuid[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
    IF cardinality(concerned) > 500 THEN
        PERFORM keep_insights(organization, concerned[start : start + 499])
        FROM generate_series(1, cardinality(concerned), 500) AS start;
        RETURN;
    END IF;

    WITH present AS MATERIALIZED (
        SELECT insight.* FROM profile_summaries AS summary CROSS JOIN LATERAL (
            SELECT * FROM insights_now WHERE organization_id = organization AND contact_id = summary.contact_id OFFSET 0
        ) AS insight
        WHERE summary.organization_id = organization AND summary.contact_id = ANY (concerned)
    ), gone AS (
        DELETE FROM contact_insights WHERE organization_id = organization AND contact_id = ANY (concerned)
            AND id NOT IN (SELECT id FROM present)
    )
    INSERT INTO contact_insights AS kept
        (id, organization_id, contact_id, code, client_id, role, basis, since, noticed_at)
    SELECT id, organization, contact_id, code, client_id, role, basis, since, created_at FROM present
    ON CONFLICT (organization_id, id) DO UPDATE SET role = excluded.role, basis = excluded.basis,
        since = excluded.since, noticed_at = excluded.noticed_at
    WHERE (kept.role, kept.basis, kept.since, kept.noticed_at)
        IS DISTINCT FROM (excluded.role, excluded.basis, excluded.since, excluded.noticed_at);
END $$;
"""

# `came` and `gone` are rows of whatever points to contacts: tables of profiles, relations.
FOLLOW = """
CREATE FUNCTION follow_profiles() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM keep_profiles(organization_id, array_agg(DISTINCT contact_id)) FROM came GROUP BY organization_id;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM keep_profiles(organization_id, array_agg(DISTINCT contact_id)) FROM gone GROUP BY organization_id;
    ELSE
        PERFORM keep_profiles(organization_id, array_agg(DISTINCT contact_id)) FROM (
            SELECT organization_id, contact_id FROM came UNION ALL SELECT organization_id, contact_id FROM gone
        ) AS change GROUP BY organization_id;
    END IF;
    RETURN NULL;
END $$;

-- The name of the company, and whether the contact is in the trash.
CREATE FUNCTION follow_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM keep_profiles(organization_id, array_agg(id)) FROM (
        SELECT DISTINCT organization_id, id FROM (
            SELECT organization_id, id, company, deleted_at IS NULL AS is_live, 1 AS delta FROM came
            UNION ALL SELECT organization_id, id, company, deleted_at IS NULL, -1 FROM gone
        ) AS change GROUP BY organization_id, id, company, is_live HAVING sum(delta) <> 0
    ) AS changed GROUP BY organization_id;
    RETURN NULL;
END $$;

-- Whoever is related to a client, or has a company of its name.
CREATE FUNCTION follow_clients() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        PERFORM keep_insights(organization_id, array_agg(DISTINCT contact_id)) FROM (
            SELECT organization_id, person.contact_id FROM came CROSS JOIN LATERAL (
                SELECT contact_id FROM profile_summaries AS summary
                WHERE summary.organization_id = came.organization_id AND summary.company = came.sort_name OFFSET 0
            ) AS person
        ) AS concerned GROUP BY organization_id;
    ELSE
        PERFORM keep_insights(organization_id, array_agg(DISTINCT contact_id)) FROM (
            SELECT organization_id, person.contact_id FROM (
                SELECT DISTINCT organization_id, id, sort_name FROM (
                    SELECT organization_id, id, sort_name, status, deleted_at IS NULL AS is_live, 1 AS delta FROM came
                    UNION ALL SELECT organization_id, id, sort_name, status, deleted_at IS NULL, -1 FROM gone
                ) AS change GROUP BY organization_id, id, sort_name, status, is_live HAVING sum(delta) <> 0
            ) AS client CROSS JOIN LATERAL (
                SELECT contact_id FROM client_contacts AS relation
                WHERE relation.organization_id = client.organization_id AND relation.client_id = client.id
                UNION ALL SELECT contact_id FROM profile_summaries AS summary
                WHERE summary.organization_id = client.organization_id AND summary.company = client.sort_name OFFSET 0
            ) AS person
        ) AS concerned GROUP BY organization_id;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER follow_changed AFTER UPDATE ON contacts REFERENCING OLD TABLE AS gone NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION follow_contacts();
CREATE TRIGGER follow_new AFTER INSERT ON clients REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION follow_clients();
CREATE TRIGGER follow_changed AFTER UPDATE ON clients REFERENCING OLD TABLE AS gone NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION follow_clients();
CREATE TRIGGER follow_new AFTER INSERT ON client_contacts REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION follow_profiles();
CREATE TRIGGER follow_changed AFTER UPDATE ON client_contacts REFERENCING OLD TABLE AS gone NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION follow_profiles();
CREATE TRIGGER follow_gone AFTER DELETE ON client_contacts REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION follow_profiles();

SELECT keep_profiles(organization_id, array_agg(DISTINCT contact_id)) FROM contact_profiles GROUP BY organization_id;
"""

DO_NOT_FOLLOW = """
DROP TRIGGER follow_changed ON contacts;
DROP TRIGGER follow_new ON clients;
DROP TRIGGER follow_changed ON clients;
DROP TRIGGER follow_new ON client_contacts;
DROP TRIGGER follow_changed ON client_contacts;
DROP TRIGGER follow_gone ON client_contacts;
DROP FUNCTION follow_profiles;
DROP FUNCTION follow_contacts;
DROP FUNCTION follow_clients;
"""


KEY = models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False)
ORGANIZATION = models.ForeignKey(
    db_index=False,
    editable=False,
    on_delete=django.db.models.deletion.CASCADE,
    to="organizations.organization",
)


def of(model: str, *, null: bool = False) -> models.Field:
    return vocelio.db.fields.TenantForeignKey(
        db_index=False, null=null, on_delete=django.db.models.deletion.CASCADE, related_name="+", to=f"contacts.{model}"
    )


class Migration(migrations.Migration):
    dependencies = [("contacts", "0020_record_kinds")]

    operations = [
        migrations.CreateModel(
            "KeptSummary",
            [
                ("id", KEY),
                ("organization", ORGANIZATION),
                ("contact", of("contact")),
                ("kinds", django.contrib.postgres.fields.ArrayField(models.TextField())),
                ("profiles", models.PositiveIntegerField()),
                ("since", models.DateTimeField()),
                ("changed_at", models.DateTimeField()),
                ("dual_since", models.DateTimeField(null=True)),
                ("primaries", models.JSONField()),
                ("company", models.TextField()),
            ],
            options={
                "db_table": "profile_summaries",
                "indexes": [
                    models.Index(fields=["organization", "-changed_at", "-id"], name="summaries_changed"),
                    models.Index(fields=["organization", "-since", "-id"], name="summaries_newest"),
                    models.Index(fields=["organization", "contact"], name="summary_of_contact"),
                    models.Index(fields=["organization", "company"], name="summaries_by_company"),
                ],
            },
        ),
        ProtectTenantTable("KeptSummary"),
        migrations.RunSQL(SUMMARY, f"DROP VIEW contact_profile_summary; {VIEW_OF_SUMMARIES}"),
        migrations.RunSQL(
            "ALTER VIEW contact_insights RENAME TO insights_now", "ALTER VIEW insights_now RENAME TO contact_insights"
        ),
        migrations.DeleteModel("ContactInsight"),
        migrations.CreateModel(
            "ContactInsight",
            [
                ("id", KEY),
                ("organization", ORGANIZATION),
                ("contact", of("contact")),
                ("client", of("client", null=True)),
                (
                    "code",
                    models.TextField(
                        choices=[
                            ("candidate_at_prospect", "Candidate at a prospect"),
                            ("candidate_at_client", "Candidate at a client"),
                            ("candidate_has_a_say", "Candidate has a say at a company"),
                            ("buyer_looks_for_work", "Buyer looks for work"),
                            ("buyer_left", "Buyer left a company"),
                        ]
                    ),
                ),
                ("role", models.TextField()),
                ("basis", models.TextField()),
                ("since", models.DateField(null=True)),
                ("noticed_at", models.DateTimeField()),
            ],
            options={
                "db_table": "contact_insights",
                "indexes": [
                    models.Index(fields=["organization", "-noticed_at", "-id"], name="insights_newest"),
                    models.Index(fields=["organization", "code", "id"], name="insights_by_code"),
                    models.Index(fields=["organization", "contact"], name="insights_of_contact"),
                    models.Index(fields=["organization", "client"], name="insights_of_client"),
                ],
            },
        ),
        ProtectTenantTable("ContactInsight"),
        migrations.RunSQL(
            KEEP_PROFILES,
            "DROP FUNCTION keep_profiles(uuid, uuid[]); DROP FUNCTION keep_insights(uuid, uuid[])",
        ),
        migrations.RunSQL(FOLLOW, DO_NOT_FOLLOW),
    ]
