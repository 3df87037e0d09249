"""What contacts know of the profiles that apps above keep of them.

`contact_profiles` is the union of all kinds; AddProfileKind makes `profiles_of_<kind>` and builds it anew. The views
read with their caller's rights, so the policies of the tables hold.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

CONTACT_PROFILES = r"""
CREATE FUNCTION rebuild_contact_profiles(without text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    kinds text := (
        SELECT string_agg(format('SELECT * FROM %I', viewname), ' UNION ALL ' ORDER BY viewname) FROM pg_views
        WHERE schemaname = 'public' AND viewname LIKE 'profiles\_of\_%' AND viewname <> without);
BEGIN
    EXECUTE 'CREATE OR REPLACE VIEW contact_profiles WITH (security_invoker = true) AS'
        ' SELECT profile.* FROM (' || coalesce(kinds,
            'SELECT NULL::uuid AS id, NULL::uuid AS organization_id, NULL::timestamptz AS created_at,'
            ' NULL::timestamptz AS updated_at, NULL::text AS kind, NULL::uuid AS contact_id, NULL::boolean AS is_primary,'
            ' NULL::varchar(200) AS headline, NULL::text AS state, NULL::boolean AS is_open WHERE false')
        || ') AS profile JOIN contacts AS contact ON contact.organization_id = profile.organization_id'
        ' AND contact.id = profile.contact_id WHERE contact.deleted_at IS NULL';
END $$;

SELECT rebuild_contact_profiles('');
"""

# Grouped twice, so that "dual since" is when the second kind came.
SUMMARY = """
CREATE VIEW contact_profile_summary WITH (security_invoker = true) AS
    SELECT contact_id AS id, organization_id, min(since) AS created_at, max(changed) AS updated_at, contact_id,
        array_agg(kind ORDER BY kind) AS kinds, sum(number)::int AS profiles, count(*) > 1 AS is_dual,
        CASE WHEN count(*) > 1 THEN max(since) END AS dual_since,
        coalesce(jsonb_object_agg(kind, main) FILTER (WHERE main IS NOT NULL), '{}') AS primaries
    FROM (
        SELECT organization_id, contact_id, kind, count(*) AS number, min(created_at) AS since,
            max(updated_at) AS changed,
            (array_agg(jsonb_build_object('id', id, 'headline', headline, 'state', state, 'is_open', is_open))
                FILTER (WHERE is_primary))[1] AS main
        FROM contact_profiles GROUP BY organization_id, contact_id, kind
    ) AS of_kind
    GROUP BY organization_id, contact_id;
"""

# One row an insight: what one kind of profile tells those who work with the other.
INSIGHTS = """
CREATE VIEW contact_insights WITH (security_invoker = true) AS
WITH relation AS NOT MATERIALIZED (
    SELECT * FROM client_contacts WHERE ended_on IS NULL OR ended_on > current_date
), employer AS NOT MATERIALIZED (
    SELECT * FROM clients WHERE deleted_at IS NULL AND status IN ('prospect', 'active')
), candidate AS NOT MATERIALIZED (
    SELECT * FROM contact_profiles WHERE kind = 'candidate' AND is_primary
), buyer AS NOT MATERIALIZED (
    SELECT * FROM contact_profiles WHERE kind = 'sales' AND is_primary AND is_open
)
SELECT DISTINCT ON (organization_id, contact_id, code, client_id)
    md5(concat(code, contact_id, client_id))::uuid AS id, organization_id, noticed_at AS created_at,
    noticed_at AS updated_at, contact_id, code, client_id, coalesce(role, '') AS role, basis, since
FROM (
    -- Somebody who looks for work is at a company we want, or have, as a client: by relation ...
    SELECT candidate.organization_id, candidate.contact_id, greatest(candidate.updated_at, relation.updated_at) AS noticed_at,
        CASE employer.status WHEN 'prospect' THEN 'candidate_at_prospect' ELSE 'candidate_at_client' END AS code,
        employer.id AS client_id, relation.role, 'relation' AS basis, relation.started_on AS since
    FROM candidate
    JOIN relation ON relation.organization_id = candidate.organization_id AND relation.contact_id = candidate.contact_id
    JOIN employer ON employer.organization_id = relation.organization_id AND employer.id = relation.client_id
    WHERE candidate.is_open
    UNION ALL
    -- ... or, while no relation says where they are, by the company's name.
    SELECT candidate.organization_id, candidate.contact_id, candidate.updated_at,
        CASE employer.status WHEN 'prospect' THEN 'candidate_at_prospect' ELSE 'candidate_at_client' END,
        employer.id, NULL, 'company', NULL
    FROM candidate
    JOIN contacts AS contact ON contact.organization_id = candidate.organization_id
        AND contact.id = candidate.contact_id AND contact.company <> ''
    JOIN employer ON employer.organization_id = candidate.organization_id
        AND fold_text(employer.name) = fold_text(contact.company)
    WHERE candidate.is_open AND NOT EXISTS (
        SELECT FROM relation WHERE relation.organization_id = candidate.organization_id
        AND relation.contact_id = candidate.contact_id)
    UNION ALL
    -- Somebody who buys looks for work.
    SELECT buyer.organization_id, buyer.contact_id, greatest(buyer.updated_at, candidate.updated_at),
        'buyer_looks_for_work', place.client_id, place.role, 'profiles', NULL
    FROM buyer
    JOIN candidate ON candidate.organization_id = buyer.organization_id AND candidate.contact_id = buyer.contact_id
        AND candidate.is_open
    LEFT JOIN LATERAL (
        SELECT relation.client_id, relation.role FROM relation
        JOIN employer ON employer.organization_id = relation.organization_id AND employer.id = relation.client_id
        WHERE relation.organization_id = buyer.organization_id AND relation.contact_id = buyer.contact_id
        ORDER BY relation.is_primary DESC, relation.created_at DESC LIMIT 1
    ) AS place ON true
    UNION ALL
    -- A candidate who does not look for work has a say at a company.
    SELECT candidate.organization_id, candidate.contact_id, greatest(candidate.updated_at, relation.updated_at),
        'candidate_has_a_say', employer.id, relation.role, 'relation', relation.started_on
    FROM candidate
    JOIN relation ON relation.organization_id = candidate.organization_id AND relation.contact_id = candidate.contact_id
        AND relation.role IN ('decision_maker', 'buyer', 'hiring_manager')
    JOIN employer ON employer.organization_id = relation.organization_id AND employer.id = relation.client_id
    WHERE NOT candidate.is_open
    UNION ALL
    -- Somebody who buys left a company within the last half year, and took what they know of us along.
    SELECT buyer.organization_id, buyer.contact_id, greatest(buyer.updated_at, past.updated_at),
        'buyer_left', past.client_id, past.role, 'relation', past.ended_on
    FROM buyer
    JOIN client_contacts AS past ON past.organization_id = buyer.organization_id AND past.contact_id = buyer.contact_id
        AND past.ended_on BETWEEN current_date - 180 AND current_date
    JOIN employer ON employer.organization_id = past.organization_id AND employer.id = past.client_id
    WHERE NOT EXISTS (
        SELECT FROM relation WHERE relation.organization_id = past.organization_id
        AND relation.contact_id = past.contact_id AND relation.client_id = past.client_id)
) AS insight
ORDER BY organization_id, contact_id, code, client_id, noticed_at DESC;
"""


def view(name: str, table: str, **fields: models.Field) -> migrations.CreateModel:
    """Return the state of an unmanaged model over a view."""
    moment = django.db.models.functions.datetime.Now()
    key = models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False)
    columns = {
        "id": key,
        "created_at": models.DateTimeField(db_default=moment, editable=False),
        "updated_at": models.DateTimeField(db_default=moment, editable=False),
    }
    return migrations.CreateModel(
        name, [*columns.items(), *fields.items()], options={"db_table": table, "managed": False}
    )


class Migration(migrations.Migration):
    dependencies = [("contacts", "0014_client_search"), ("organizations", "0002_members")]

    operations = [
        migrations.CreateModel(
            name="ProfileChange",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("contact_id", models.UUIDField()),
                ("profile_id", models.UUIDField()),
                ("kind", models.CharField(max_length=20)),
                ("action", models.CharField(max_length=30)),
                (
                    "changed",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=60), default=list, size=None
                    ),
                ),
                ("user_id", models.UUIDField(null=True)),
                ("door", models.CharField(max_length=20)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "db_table": "contact_profile_audit_log",
                "indexes": [
                    models.Index(
                        fields=["organization", "contact_id", "-created_at"], name="profile_changes_of_contact"
                    )
                ],
            },
        ),
        ProtectTenantTable("ProfileChange"),
        migrations.RunSQL(CONTACT_PROFILES, "DROP VIEW contact_profiles; DROP FUNCTION rebuild_contact_profiles(text)"),
        migrations.RunSQL(SUMMARY, "DROP VIEW contact_profile_summary"),
        migrations.RunSQL(INSIGHTS, "DROP VIEW contact_insights"),
        view(
            "ContactProfile",
            "contact_profiles",
            kind=models.TextField(),
            is_primary=models.BooleanField(),
            headline=models.CharField(max_length=200),
            state=models.TextField(),
            is_open=models.BooleanField(),
        ),
        view(
            "ProfileSummary",
            "contact_profile_summary",
            kinds=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), size=None),
            profiles=models.PositiveIntegerField(),
            is_dual=models.BooleanField(),
            dual_since=models.DateTimeField(null=True),
            primaries=models.JSONField(),
        ),
        view(
            "ContactInsight",
            "contact_insights",
            code=models.TextField(),
            role=models.TextField(),
            basis=models.TextField(),
            since=models.DateField(null=True),
        ),
    ]
