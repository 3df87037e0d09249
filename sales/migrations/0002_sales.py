from decimal import Decimal

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

# Status, pipeline and times follow from the stage, whoever writes. A foreign stage is invisible here; the foreign
# keys then refuse it.
FOLLOW_STAGE = """
CREATE FUNCTION follow_stage() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stage pipeline_stages%ROWTYPE;
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.stage_id IS DISTINCT FROM OLD.stage_id
       AND NEW.stage_entered_at = OLD.stage_entered_at THEN
        NEW.stage_entered_at := now();
    END IF;
    SELECT * INTO stage FROM pipeline_stages WHERE organization_id = NEW.organization_id AND id = NEW.stage_id;
    NEW.status := coalesce(stage.kind, 'open');
    IF TG_OP = 'UPDATE' OR NEW.pipeline_id IS NULL THEN
        NEW.pipeline_id := coalesce(stage.pipeline_id, NEW.stage_id);
    END IF;
    IF NEW.status = 'open' THEN
        NEW.closed_at := NULL;
    ELSIF TG_OP = 'INSERT' OR NEW.status <> OLD.status THEN
        NEW.closed_at := NEW.stage_entered_at;
    END IF;
    IF TG_OP = 'UPDATE' AND NEW.status <> 'lost' THEN
        NEW.lost_reason_id := NULL;
        NEW.lost_note := '';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER follow_stage BEFORE INSERT OR UPDATE OF stage_id, pipeline_id, status, closed_at, lost_reason_id, lost_note
    ON deals FOR EACH ROW EXECUTE FUNCTION follow_stage();

-- The kind of a stage that holds deals, trashed ones included, cannot change under them.
ALTER TABLE deals ADD CONSTRAINT deals_stage_kind_tenant FOREIGN KEY (organization_id, stage_id, pipeline_id, status)
    REFERENCES pipeline_stages (organization_id, id, pipeline_id, kind);
"""

KEEP_HISTORY = """
CREATE FUNCTION keep_stage_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO deal_stage_history (id, organization_id, moved_at, deal_id, pipeline_id, to_stage_id, base_amount,
            assigned_to_id, moved_by_id)
        VALUES (uuid7(), NEW.organization_id, NEW.stage_entered_at, NEW.id, NEW.pipeline_id, NEW.stage_id,
            NEW.base_amount, NEW.assigned_to_id, NEW.created_by_id);
    ELSE
        INSERT INTO deal_stage_history (id, organization_id, moved_at, deal_id, pipeline_id, from_stage_id, to_stage_id,
            seconds, base_amount, assigned_to_id, moved_by_id)
        VALUES (uuid7(), NEW.organization_id, NEW.stage_entered_at, NEW.id, NEW.pipeline_id, OLD.stage_id, NEW.stage_id,
            greatest(0, extract(epoch FROM NEW.stage_entered_at - OLD.stage_entered_at))::bigint,
            NEW.base_amount, NEW.assigned_to_id, NEW.moved_by_id);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER keep_history_new AFTER INSERT ON deals FOR EACH ROW EXECUTE FUNCTION keep_stage_history();
CREATE TRIGGER keep_history_moved AFTER UPDATE OF stage_id ON deals FOR EACH ROW
    WHEN (OLD.stage_id IS DISTINCT FROM NEW.stage_id) EXECUTE FUNCTION keep_stage_history();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON deal_stage_history EXECUTE FUNCTION refuse_change();
"""

TALLY_DEALS = """
CREATE FUNCTION tally_deals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO deal_tallies (id, organization_id, pipeline_id, stage_id, assigned_to_id, number, amount)
        SELECT gen_random_uuid(), organization_id, pipeline_id, stage_id, assigned_to_id, count(*), sum(base_amount)
        FROM came WHERE deleted_at IS NULL GROUP BY 2, 3, 4, 5;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO deal_tallies (id, organization_id, pipeline_id, stage_id, assigned_to_id, number, amount)
        SELECT gen_random_uuid(), organization_id, pipeline_id, stage_id, assigned_to_id, -count(*), -sum(base_amount)
        FROM gone WHERE deleted_at IS NULL GROUP BY 2, 3, 4, 5;
    ELSE
        INSERT INTO deal_tallies (id, organization_id, pipeline_id, stage_id, assigned_to_id, number, amount)
        SELECT gen_random_uuid(), organization_id, pipeline_id, stage_id, assigned_to_id, sum(number), sum(amount) FROM (
            SELECT organization_id, pipeline_id, stage_id, assigned_to_id, 1 AS number, base_amount AS amount
            FROM came WHERE deleted_at IS NULL
            UNION ALL
            SELECT organization_id, pipeline_id, stage_id, assigned_to_id, -1, -base_amount
            FROM gone WHERE deleted_at IS NULL
        ) AS change GROUP BY 2, 3, 4, 5 HAVING sum(number) <> 0 OR sum(amount) <> 0;
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER tally_new AFTER INSERT ON deals REFERENCING NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION tally_deals();
CREATE TRIGGER tally_changed AFTER UPDATE ON deals REFERENCING OLD TABLE AS gone NEW TABLE AS came
    FOR EACH STATEMENT EXECUTE FUNCTION tally_deals();
CREATE TRIGGER tally_gone AFTER DELETE ON deals REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION tally_deals();

-- As the owner, for every organization in one statement: it adds numbers up and shows none of them.
CREATE FUNCTION compact_deal_tallies() RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
    WITH many AS (
        SELECT organization_id, stage_id, assigned_to_id FROM deal_tallies GROUP BY 1, 2, 3 HAVING count(*) > 1
    ), taken AS (
        DELETE FROM deal_tallies AS tally USING many
        WHERE tally.organization_id = many.organization_id AND tally.stage_id = many.stage_id
          AND tally.assigned_to_id IS NOT DISTINCT FROM many.assigned_to_id
        RETURNING tally.organization_id, pipeline_id, tally.stage_id, tally.assigned_to_id, number, amount
    )
    INSERT INTO deal_tallies (id, organization_id, pipeline_id, stage_id, assigned_to_id, number, amount)
    SELECT gen_random_uuid(), organization_id, pipeline_id, stage_id, assigned_to_id, sum(number), sum(amount)
    FROM taken GROUP BY 2, 3, 4, 5 HAVING sum(number) <> 0 OR sum(amount) <> 0;
$$;
"""

# Read with the rights of the caller, so the policies of its tables hold.
PROJECT_TIMELINE = """
CREATE VIEW project_timeline WITH (security_invoker = true) AS
    SELECT id, organization_id, resource_id AS project_id, created_at AS at, kind, title::text, false AS is_planned,
           user_id, data
    FROM feed_entries WHERE resource = 'project'
    UNION ALL
    SELECT id, organization_id, project_id, coalesce(completed_at, due_on::timestamp AT TIME ZONE 'UTC'),
           CASE WHEN completed_at IS NULL THEN 'milestone.due' ELSE 'milestone.completed' END, name::text,
           completed_at IS NULL, completed_by_id, jsonb_build_object('dueOn', due_on)
    FROM project_milestones
    UNION ALL
    SELECT id, organization_id, project_id, coalesce(completed_at, due_at, created_at),
           CASE WHEN completed_at IS NULL THEN 'activity.planned' ELSE 'activity.completed' END, subject::text,
           completed_at IS NULL, coalesce(completed_by_id, assigned_to_id),
           jsonb_build_object('activityKind', kind, 'assignedTo', assigned_to_id)
    FROM sales_activities WHERE project_id IS NOT NULL AND deleted_at IS NULL
    UNION ALL
    SELECT md5(id || what)::uuid, organization_id, id, day::timestamp AT TIME ZONE 'UTC', 'project.' || what, name::text,
           day >= current_date, NULL, '{}'::jsonb
    FROM projects CROSS JOIN LATERAL (VALUES ('starts', starts_on), ('ends', ends_on)) AS dates (what, day)
    WHERE day IS NOT NULL;


"""


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0001_profiles"),
        ("notifications", "0001_notifications"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ProjectTimelineEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("project_id", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("kind", models.CharField(max_length=60)),
                ("title", models.CharField(max_length=300)),
                ("is_planned", models.BooleanField()),
                ("data", models.JSONField()),
            ],
            options={
                "db_table": "project_timeline",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="BulkMove",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("moves", models.JSONField(default=list)),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                "db_table": "deal_bulk_moves",
            },
        ),
        migrations.CreateModel(
            name="LostReason",
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
                ("name", models.CharField(max_length=100)),
                ("is_archived", models.BooleanField(default=False, help_text="Kept for old deals, offered to none.")),
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
                "db_table": "lost_reasons",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "name"), name="one_lost_reason_per_name")
                ],
            },
        ),
        migrations.CreateModel(
            name="Pipeline",
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
                ("name", models.CharField(max_length=100)),
                ("description", models.TextField(blank=True, default="")),
                ("is_default", models.BooleanField(default=False, help_text="Where deals go that name no stage.")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
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
                "db_table": "sales_pipelines",
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=("organization", "name"),
                        name="one_pipeline_per_name",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("is_default", True)), fields=("organization",), name="one_default_pipeline"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("is_default", False), ("deleted_at__isnull", True), _connector="OR"),
                        name="default_pipeline_in_use",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Deal",
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
                ("description", models.TextField(blank=True, default="")),
                (
                    "status",
                    models.CharField(
                        choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")],
                        default="open",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("amount", models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=18)),
                ("currency", models.CharField(max_length=3)),
                (
                    "base_amount",
                    models.DecimalField(decimal_places=2, default=Decimal("0"), editable=False, max_digits=20),
                ),
                ("expected_close_on", models.DateField(blank=True, null=True)),
                ("closed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "stage_entered_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("lost_note", models.CharField(blank=True, default="", max_length=500)),
                ("source", models.CharField(blank=True, default="", max_length=100)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("custom_fields", models.JSONField(blank=True, default=dict)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "client",
                    vocelio.db.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contacts.client",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deleted_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "moved_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                (
                    "lost_reason",
                    vocelio.db.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sales.lostreason",
                    ),
                ),
                (
                    "pipeline",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        default=None,
                        editable=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sales.pipeline",
                    ),
                ),
            ],
            options={
                "db_table": "deals",
            },
        ),
        migrations.CreateModel(
            name="Project",
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
                ("description", models.TextField(blank=True, default="")),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("planned", "Planned"),
                            ("active", "Active"),
                            ("on_hold", "On hold"),
                            ("completed", "Completed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="planned",
                        max_length=20,
                    ),
                ),
                ("starts_on", models.DateField(blank=True, null=True)),
                ("ends_on", models.DateField(blank=True, null=True)),
                ("budget", models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=18)),
                ("currency", models.CharField(max_length=3)),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "client",
                    vocelio.db.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contacts.client",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "deal",
                    vocelio.db.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="sales.deal",
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
                "db_table": "projects",
                "indexes": [
                    models.Index(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=["organization", "-created_at", "-id"],
                        name="projects_newest",
                    ),
                    models.Index(
                        condition=models.Q(("client__isnull", False)),
                        fields=["organization", "client"],
                        name="projects_of_client",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="project_has_name"),
                    models.CheckConstraint(
                        condition=models.Q(("status__in", ["planned", "active", "on_hold", "completed", "cancelled"])),
                        name="project_status_known",
                    ),
                    models.CheckConstraint(condition=models.Q(("budget__gte", 0)), name="project_budget_not_negative"),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="project_currency_is_iso"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_on__isnull", True),
                            ("ends_on__isnull", True),
                            ("ends_on__gte", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="project_ends_after_it_starts",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("deal__isnull", False), ("deleted_at__isnull", True)),
                        fields=("organization", "deal"),
                        name="one_project_per_deal",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Milestone",
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
                ("description", models.TextField(blank=True, default="")),
                ("due_on", models.DateField()),
                ("completed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "completed_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                (
                    "project",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="milestones",
                        to="sales.project",
                    ),
                ),
            ],
            options={
                "db_table": "project_milestones",
                "indexes": [models.Index(fields=["organization", "project", "due_on"], name="milestones_of_project")],
            },
        ),
        migrations.CreateModel(
            name="Activity",
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
                (
                    "kind",
                    models.CharField(
                        choices=[("call", "Call"), ("meeting", "Meeting"), ("task", "Task"), ("note", "Note")],
                        max_length=10,
                    ),
                ),
                ("subject", models.CharField(max_length=255)),
                ("notes", models.TextField(blank=True, default="")),
                ("location", models.CharField(blank=True, default="", max_length=255)),
                (
                    "priority",
                    models.CharField(
                        choices=[("low", "Low"), ("normal", "Normal"), ("high", "High")],
                        default="normal",
                        max_length=10,
                    ),
                ),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("duration_minutes", models.PositiveIntegerField(blank=True, null=True)),
                ("remind_minutes", models.PositiveIntegerField(blank=True, help_text="Before it is due.", null=True)),
                ("remind_at", models.DateTimeField(editable=False, null=True)),
                ("reminded_at", models.DateTimeField(editable=False, null=True)),
                (
                    "recurrence",
                    models.CharField(blank=True, default="", help_text="RFC 5545, e.g. FREQ=WEEKLY.", max_length=200),
                ),
                ("series_id", models.UUIDField(editable=False, null=True)),
                (
                    "occurrence",
                    models.PositiveIntegerField(default=1, editable=False, help_text="Which of its series."),
                ),
                ("series_starts_at", models.DateTimeField(editable=False, null=True)),
                ("completed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "disposition",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("connected", "Connected"),
                            ("voicemail", "Left a voicemail"),
                            ("no_answer", "No answer"),
                            ("busy", "Busy"),
                            ("callback", "Asked to be called back"),
                            ("not_interested", "Not interested"),
                            ("wrong_number", "Wrong number"),
                            ("do_not_call", "Do not call again"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                ("outcome", models.TextField(blank=True, default="")),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "client",
                    vocelio.db.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contacts.client",
                    ),
                ),
                (
                    "completed_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "contact",
                    vocelio.db.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                (
                    "deal",
                    vocelio.db.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="sales.deal",
                    ),
                ),
                (
                    "project",
                    vocelio.db.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="sales.project",
                    ),
                ),
            ],
            options={
                "verbose_name": "activity",
                "verbose_name_plural": "activities",
                "db_table": "sales_activities",
                "indexes": [
                    models.Index(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=["organization", "-created_at", "-id"],
                        name="activities_newest",
                    ),
                    models.Index(
                        condition=models.Q(("completed_at__isnull", True), ("deleted_at__isnull", True)),
                        fields=["organization", "assigned_to", "due_at"],
                        name="activities_to_do",
                    ),
                    models.Index(
                        condition=models.Q(("deal__isnull", False), ("deleted_at__isnull", True)),
                        fields=["organization", "deal", "due_at"],
                        name="activities_of_deal",
                    ),
                    models.Index(
                        condition=models.Q(("contact__isnull", False)),
                        fields=["organization", "contact"],
                        name="activities_of_contact",
                    ),
                    models.Index(
                        condition=models.Q(("client__isnull", False)),
                        fields=["organization", "client"],
                        name="activities_of_client",
                    ),
                    models.Index(
                        condition=models.Q(("project__isnull", False)),
                        fields=["organization", "project"],
                        name="activities_of_project",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("completed_at__isnull", True), ("remind_at__isnull", False), ("reminded_at__isnull", True)
                        ),
                        fields=["organization", "remind_at"],
                        name="activities_to_remind_of",
                    ),
                    models.Index(
                        condition=models.Q(("completed_at__isnull", False), ("deleted_at__isnull", True)),
                        fields=["organization", "completed_at"],
                        name="activities_done",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["call", "meeting", "task", "note"])),
                        name="activity_kind_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("priority__in", ["low", "normal", "high"])), name="activity_priority_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("disposition", ""),
                            models.Q(
                                (
                                    "disposition__in",
                                    [
                                        "connected",
                                        "voicemail",
                                        "no_answer",
                                        "busy",
                                        "callback",
                                        "not_interested",
                                        "wrong_number",
                                        "do_not_call",
                                    ],
                                ),
                                ("kind", "call"),
                            ),
                            _connector="OR",
                        ),
                        name="activity_disposition_of_calls",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("recurrence", ""), ("due_at__isnull", False), _connector="OR"),
                        name="recurring_activity_has_due_date",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("series_id__isnull", False)),
                        fields=("organization", "series_id", "occurrence"),
                        name="one_activity_per_occurrence",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ProjectMember",
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
                ("role", models.CharField(blank=True, default="", max_length=100)),
                ("allocation", models.PositiveSmallIntegerField(default=100, help_text="Percent of their time.")),
                ("starts_on", models.DateField(blank=True, null=True)),
                ("ends_on", models.DateField(blank=True, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "project",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="sales.project",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "project_team_members",
                "indexes": [models.Index(fields=["organization", "user"], name="projects_of_member")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "project", "user"), name="once_in_a_project"),
                    models.CheckConstraint(
                        condition=models.Q(("allocation__gte", 1), ("allocation__lte", 100)),
                        name="allocation_is_percent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("starts_on__isnull", True),
                            ("ends_on__isnull", True),
                            ("ends_on__gte", models.F("starts_on")),
                            _connector="OR",
                        ),
                        name="project_member_leaves_after_joining",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="SalesSettings",
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
                (
                    "currency",
                    models.CharField(default="USD", help_text="In which totals are shown; ISO 4217.", max_length=3),
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
                "verbose_name_plural": "sales settings",
                "db_table": "sales_settings",
                "constraints": [
                    models.UniqueConstraint(fields=("organization",), name="one_sales_settings_per_organization"),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="settings_currency_is_iso"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Stage",
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
                ("name", models.CharField(max_length=100)),
                ("position", models.PositiveIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[("open", "Open"), ("won", "Won"), ("lost", "Lost")], default="open", max_length=10
                    ),
                ),
                (
                    "probability",
                    models.PositiveSmallIntegerField(default=0, help_text="Percent of such deals that are won."),
                ),
                (
                    "required_fields",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("amount", "Amount"),
                                ("expectedCloseOn", "Expected close"),
                                ("client", "Client"),
                                ("contacts", "At least one contact"),
                                ("assignedTo", "Owner"),
                                ("lines", "At least one line"),
                                ("description", "Description"),
                                ("source", "Source"),
                                ("nextActivity", "A planned activity"),
                                ("lostReason", "Lost reason"),
                            ],
                            max_length=40,
                        ),
                        blank=True,
                        default=list,
                        size=None,
                    ),
                ),
                (
                    "rotting_days",
                    models.PositiveSmallIntegerField(
                        blank=True, help_text="A deal that stays longer is shown as rotting.", null=True
                    ),
                ),
                ("deleted_at", models.DateTimeField(editable=False, null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "pipeline",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stages",
                        to="sales.pipeline",
                    ),
                ),
            ],
            options={
                "db_table": "pipeline_stages",
                "indexes": [models.Index(fields=["organization", "pipeline", "position"], name="stages_in_order")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("deleted_at__isnull", True)),
                        fields=("organization", "pipeline", "name"),
                        name="one_stage_per_name",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["open", "won", "lost"])), name="stage_kind_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "open"), ("probability__lte", 100)),
                            models.Q(("kind", "won"), ("probability", 100)),
                            models.Q(("kind", "lost"), ("probability", 0)),
                            _connector="OR",
                        ),
                        name="stage_probability_fits_kind",
                    ),
                    models.UniqueConstraint(
                        fields=("organization", "id", "pipeline", "kind"), name="stages_are_what_deals_say"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PipelineSnapshot",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("day", models.DateField()),
                ("number", models.PositiveIntegerField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=24)),
                (
                    "weighted",
                    models.DecimalField(
                        decimal_places=2, help_text="Amount times the stage's probability.", max_digits=24
                    ),
                ),
                (
                    "assigned_to",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                (
                    "pipeline",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sales.pipeline",
                    ),
                ),
                (
                    "stage",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sales.stage"
                    ),
                ),
            ],
            options={
                "db_table": "pipeline_snapshots",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "day", "stage", "assigned_to"),
                        name="one_snapshot_per_day",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DealTally",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("number", models.BigIntegerField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=24)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                (
                    "pipeline",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sales.pipeline",
                    ),
                ),
                (
                    "stage",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sales.stage"
                    ),
                ),
            ],
            options={
                "db_table": "deal_tallies",
                "indexes": [models.Index(fields=["organization", "pipeline"], name="deal_tallies_of_pipeline")],
            },
        ),
        migrations.AddField(
            model_name="deal",
            name="stage",
            field=vocelio.db.fields.TenantForeignKey(
                db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sales.stage"
            ),
        ),
        migrations.CreateModel(
            name="StageMove",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("moved_at", models.DateTimeField()),
                ("deal_id", models.UUIDField()),
                ("seconds", models.BigIntegerField(help_text="Spent in the stage left.", null=True)),
                ("base_amount", models.DecimalField(decimal_places=2, max_digits=20)),
                (
                    "assigned_to",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "from_stage",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sales.stage",
                    ),
                ),
                (
                    "moved_by",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
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
                (
                    "pipeline",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="sales.pipeline",
                    ),
                ),
                (
                    "to_stage",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="sales.stage"
                    ),
                ),
            ],
            options={
                "db_table": "deal_stage_history",
                "indexes": [
                    models.Index(fields=["organization", "deal_id", "-moved_at"], name="history_of_deal"),
                    models.Index(
                        fields=["organization", "moved_at"],
                        include=("pipeline", "from_stage", "to_stage", "seconds", "base_amount", "assigned_to"),
                        name="history_by_time",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AssignmentRule",
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
                ("name", models.CharField(max_length=100)),
                ("position", models.PositiveIntegerField(default=0)),
                ("criteria", models.JSONField(blank=True, default=dict)),
                (
                    "members",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "turn",
                    models.BigIntegerField(default=0, editable=False, help_text="How many leads it has given out."),
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
                "db_table": "assignment_rules",
                "indexes": [models.Index(fields=["organization", "position"], name="assignment_rules_in_order")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "name"), name="one_assignment_rule_per_name"),
                    models.CheckConstraint(
                        condition=models.Q(("members", []), _negated=True), name="assignment_rule_has_members"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CalendarFeed",
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
                ("token_hash", models.BinaryField(max_length=32)),
                ("last_read_at", models.DateTimeField(null=True)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "calendar_feeds",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "user"), name="one_calendar_feed_per_person"),
                    models.UniqueConstraint(fields=("organization", "token_hash"), name="one_calendar_feed_per_token"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DealContact",
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
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("employee", "Employee"),
                            ("decision_maker", "Decision maker"),
                            ("buyer", "Buyer"),
                            ("influencer", "Influencer"),
                            ("technical", "Technical contact"),
                            ("billing", "Billing contact"),
                            ("hiring_manager", "Hiring manager"),
                            ("consultant", "Consultant"),
                            ("other", "Other"),
                        ],
                        default="other",
                        max_length=20,
                    ),
                ),
                ("is_primary", models.BooleanField(default=False)),
                (
                    "contact",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "deal",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="people",
                        to="sales.deal",
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
                "db_table": "deal_contacts",
                "indexes": [models.Index(fields=["organization", "contact"], name="deals_of_contact")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "deal", "contact"), name="once_in_a_deal"),
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("organization", "deal"),
                        name="one_primary_contact_per_deal",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                [
                                    "employee",
                                    "decision_maker",
                                    "buyer",
                                    "influencer",
                                    "technical",
                                    "billing",
                                    "hiring_manager",
                                    "consultant",
                                    "other",
                                ],
                            )
                        ),
                        name="deal_contact_role_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DealLine",
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
                ("position", models.PositiveIntegerField(default=0)),
                ("name", models.CharField(max_length=255)),
                ("quantity", models.DecimalField(decimal_places=3, default=Decimal("1"), max_digits=12)),
                ("unit_price", models.DecimalField(decimal_places=2, max_digits=18)),
                (
                    "discount",
                    models.DecimalField(decimal_places=2, default=Decimal("0"), help_text="Percent.", max_digits=5),
                ),
                (
                    "deal",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="sales.deal",
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
                "db_table": "deal_lines",
                "indexes": [models.Index(fields=["organization", "deal", "position"], name="lines_of_deal")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("quantity__gt", 0)), name="line_quantity_positive"),
                    models.CheckConstraint(condition=models.Q(("unit_price__gte", 0)), name="line_price_not_negative"),
                    models.CheckConstraint(
                        condition=models.Q(("discount__gte", 0), ("discount__lte", 100)),
                        name="line_discount_is_percent",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExchangeRate",
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
                ("currency", models.CharField(max_length=3)),
                ("valid_from", models.DateField()),
                ("rate", models.DecimalField(decimal_places=8, max_digits=18)),
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
                "db_table": "exchange_rates",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "currency", "valid_from"), name="one_rate_per_day"),
                    models.CheckConstraint(condition=models.Q(("rate__gt", 0)), name="rate_is_positive"),
                    models.CheckConstraint(
                        condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="rate_currency_is_iso"
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["organization", "-created_at", "-id"],
                name="deals_newest",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["organization", "stage", "-stage_entered_at", "-id"],
                name="deals_of_stage",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["organization", "stage", "-base_amount", "-id"],
                name="deals_of_stage_by_amount",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["organization", "status", "closed_at"],
                name="deals_closed",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                condition=models.Q(("client__isnull", False)), fields=["organization", "client"], name="deals_of_client"
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)),
                fields=["organization", "assigned_to", "stage"],
                name="deals_of_owner",
            ),
        ),
        migrations.AddIndex(
            model_name="deal",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", False)),
                fields=["organization", "-deleted_at"],
                name="deals_trash",
            ),
        ),
        migrations.AddConstraint(
            model_name="deal",
            constraint=models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="deal_has_name"),
        ),
        migrations.AddConstraint(
            model_name="deal",
            constraint=models.CheckConstraint(condition=models.Q(("amount__gte", 0)), name="deal_amount_not_negative"),
        ),
        migrations.AddConstraint(
            model_name="deal",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="deal_currency_is_iso"
            ),
        ),
        migrations.AddConstraint(
            model_name="deal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("closed_at__isnull", True), ("status", "open")),
                    models.Q(("closed_at__isnull", False), ("status__in", ["won", "lost"])),
                    _connector="OR",
                ),
                name="deal_closed_when_won_or_lost",
            ),
        ),
        ProtectTenantTable("Pipeline"),
        ProtectTenantTable("Stage"),
        ProtectTenantTable("SalesSettings"),
        ProtectTenantTable("ExchangeRate"),
        ProtectTenantTable("AssignmentRule"),
        ProtectTenantTable("LostReason"),
        ProtectTenantTable("Deal"),
        ProtectTenantTable("DealContact"),
        ProtectTenantTable("DealLine"),
        ProtectTenantTable("StageMove"),
        ProtectTenantTable("DealTally"),
        ProtectTenantTable("BulkMove"),
        ProtectTenantTable("PipelineSnapshot"),
        ProtectTenantTable("Project"),
        ProtectTenantTable("ProjectMember"),
        ProtectTenantTable("Milestone"),
        ProtectTenantTable("Activity"),
        ProtectTenantTable("CalendarFeed"),
        migrations.RunSQL(
            FOLLOW_STAGE,
            "ALTER TABLE deals DROP CONSTRAINT deals_stage_kind_tenant; DROP TRIGGER follow_stage ON deals;"
            "DROP FUNCTION follow_stage",
        ),
        migrations.RunSQL(
            KEEP_HISTORY,
            "DROP TRIGGER append_only ON deal_stage_history; DROP TRIGGER keep_history_new ON deals;"
            "DROP TRIGGER keep_history_moved ON deals; DROP FUNCTION keep_stage_history",
        ),
        migrations.RunSQL(
            TALLY_DEALS,
            "DROP TRIGGER tally_new ON deals; DROP TRIGGER tally_changed ON deals; DROP TRIGGER tally_gone ON deals;"
            "DROP FUNCTION tally_deals; DROP FUNCTION compact_deal_tallies",
        ),
        migrations.RunSQL(PROJECT_TIMELINE, "DROP VIEW project_timeline"),
    ]
