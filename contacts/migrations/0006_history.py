"""The history of contacts: triggers write every change of a contact and every departure from a list.

Joins of the two transition tables must hash: the plan of a trigger is kept for the session, and one made for a single
row would compare each pair of a million.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import contacts.models.lists
import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

CURRENT_CAUSE = """
CREATE FUNCTION current_cause_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.cause_id', true), '')::uuid
$$;
"""

# The keys of `document` whose values are not the same in `other`.
CHANGED_KEYS = """
CREATE FUNCTION changed_keys(document jsonb, other jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(document)
    WHERE other -> key IS DISTINCT FROM value
$$;
"""

# Writes the function of the trigger from the columns the table has: call it in each migration that adds one.
# Text put together costs less than jsonb put together.
RECORD_CONTACT_CHANGES = r"""
CREATE FUNCTION write_record_contact_changes() RETURNS void LANGUAGE plpgsql AS $write$
DECLARE
    told text := $$CASE WHEN came.%1$I IS DISTINCT FROM gone.%1$I
        THEN '"%1$s":' || coalesce(to_json(%2$s.%1$I)::text, 'null') END$$;
    keys text := $$CASE WHEN came.%1$I IS DISTINCT FROM gone.%1$I
        THEN '"%1$s":' || changed_keys(%2$s.%1$I, %3$s.%1$I)::text END$$;
    before text;
    after text;
BEGIN
    SELECT string_agg(format(pattern, attname, 'gone', 'came'), ', '),
        string_agg(format(pattern, attname, 'came', 'gone'), ', ')
    INTO before, after
    FROM (
        SELECT attname, CASE attname WHEN 'custom_fields' THEN keys ELSE told END AS pattern FROM pg_attribute
        WHERE attrelid = 'contacts'::regclass AND attnum > 0 AND NOT attisdropped
            AND attname NOT IN ('id', 'organization_id', 'search', 'updated_at')
        ORDER BY attnum
    ) AS recorded;
    EXECUTE format($create$
        CREATE OR REPLACE FUNCTION record_contact_changes() RETURNS trigger LANGUAGE plpgsql
        SET enable_nestloop = off SET TimeZone = 'UTC' AS $body$
        DECLARE
            cause text := coalesce(nullif(current_setting('app.cause', true), ''), current_setting('app.door', true), '');
            cause_id uuid := current_cause_id();
            user_id uuid := nullif(current_setting('app.user', true), '')::uuid;
        BEGIN
            INSERT INTO contact_changes (id, organization_id, contact_id, user_id, cause, cause_id, before, after)
            SELECT uuid7(), pair.organization_id, pair.id, user_id, cause, cause_id,
                ('{' || pair.before || '}')::jsonb, ('{' || pair.after || '}')::jsonb
            FROM (
                SELECT came.organization_id, came.id, concat_ws(',', %s) AS before, concat_ws(',', %s) AS after
                FROM gone JOIN came ON came.organization_id = gone.organization_id AND came.id = gone.id
                OFFSET 0
            ) AS pair WHERE pair.after <> '';
            RETURN NULL;
        END $body$;
    $create$, before, after);
END $write$;

SELECT write_record_contact_changes();

CREATE TRIGGER record_changes AFTER UPDATE ON contacts REFERENCING OLD TABLE AS gone NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION record_contact_changes();
"""

# Of a list that is being deleted nothing is told: its departures go with it.
RECORD_DEPARTURES = """
CREATE FUNCTION record_list_departures() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO contact_list_departures
        (id, organization_id, contact_id, list_id, added_at, added_by_id, user_id, cause, cause_id)
    SELECT uuid7(), organization_id, contact_id, list_id, added_at, added_by_id,
        nullif(current_setting('app.user', true), '')::uuid,
        coalesce(nullif(current_setting('app.cause', true), ''), current_setting('app.door', true), ''),
        current_cause_id()
    FROM gone WHERE EXISTS (SELECT FROM contact_lists AS list
                            WHERE list.organization_id = gone.organization_id AND list.id = list_id);
    RETURN NULL;
END $$;

CREATE TRIGGER record_departures AFTER DELETE ON contact_list_memberships REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION record_list_departures();
"""

# After row triggers and cascades, which may have told of departures.
FORGET_CONTACTS = """
CREATE FUNCTION forget_contact_history() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    DELETE FROM contact_changes AS change USING gone
    WHERE change.organization_id = gone.organization_id AND change.contact_id = gone.id;
    DELETE FROM contact_list_departures AS departure USING gone
    WHERE departure.organization_id = gone.organization_id AND departure.contact_id = gone.id;
    RETURN NULL;
END $$;

CREATE TRIGGER forget_history AFTER DELETE ON contacts REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION forget_contact_history();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("contacts", "0005_statistics"),
        ("organizations", "0002_members"),
    ]

    operations = [
        migrations.RunSQL(CURRENT_CAUSE, "DROP FUNCTION current_cause_id"),
        migrations.AddField(
            model_name="contactlistmembership",
            name="cause_id",
            field=models.UUIDField(db_default=contacts.models.lists.CurrentCauseId(), editable=False, null=True),
        ),
        migrations.CreateModel(
            name="ContactChange",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("contact_id", models.UUIDField()),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("user_id", models.UUIDField(null=True)),
                ("cause", models.CharField(blank=True, default="", max_length=30)),
                ("cause_id", models.UUIDField(null=True)),
                ("before", models.JSONField()),
                ("after", models.JSONField()),
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
                "db_table": "contact_changes",
                "indexes": [
                    models.Index(
                        fields=["organization", "contact_id", "changed_at", "id"], name="contact_changes_of_contact"
                    ),
                    models.Index(
                        condition=models.Q(("cause_id__isnull", False)),
                        fields=["organization", "cause_id", "changed_at", "id"],
                        name="contact_changes_of_cause",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ListDeparture",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("contact_id", models.UUIDField()),
                ("changed_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("user_id", models.UUIDField(null=True)),
                ("cause", models.CharField(blank=True, default="", max_length=30)),
                ("cause_id", models.UUIDField(null=True)),
                ("added_at", models.DateTimeField()),
                ("added_by_id", models.UUIDField(null=True)),
                (
                    "list",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.contactlist",
                    ),
                ),
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
                "db_table": "contact_list_departures",
                "indexes": [
                    models.Index(fields=["organization", "contact_id", "changed_at"], name="departures_of_contact"),
                    models.Index(fields=["organization", "list"], name="departures_from_list"),
                    models.Index(
                        condition=models.Q(("cause_id__isnull", False)),
                        fields=["organization", "cause_id", "changed_at", "id"],
                        name="departures_of_cause",
                    ),
                ],
            },
        ),
        ProtectTenantTable("ContactChange"),
        ProtectTenantTable("ListDeparture"),
        migrations.RunSQL(CHANGED_KEYS, "DROP FUNCTION changed_keys"),
        migrations.RunSQL(
            RECORD_CONTACT_CHANGES,
            "DROP TRIGGER record_changes ON contacts; DROP FUNCTION record_contact_changes;"
            "DROP FUNCTION write_record_contact_changes",
        ),
        migrations.RunSQL(
            RECORD_DEPARTURES,
            "DROP TRIGGER record_departures ON contact_list_memberships; DROP FUNCTION record_list_departures",
        ),
        migrations.RunSQL(
            FORGET_CONTACTS, "DROP TRIGGER forget_history ON contacts; DROP FUNCTION forget_contact_history"
        ),
    ]
