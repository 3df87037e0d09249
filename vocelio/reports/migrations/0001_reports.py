import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable

# Asked each minute, by nobody's organization: as the owner, it tells which have something due and nothing else.
DUE = """
CREATE FUNCTION organizations_with_due_reports() RETURNS TABLE (organization_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT DISTINCT schedule.organization_id FROM report_schedules AS schedule
    JOIN organizations AS organization ON organization.id = schedule.organization_id AND organization.is_active
    WHERE schedule.is_active AND schedule.next_at <= now()
$$;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedReport",
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
                ("description", models.CharField(blank=True, default="", max_length=500)),
                ("definition", models.JSONField()),
                ("chart", models.CharField(blank=True, default="", help_text="How it is drawn.", max_length=10)),
                ("is_shared", models.BooleanField(default=False, help_text="Everybody in the organization sees it.")),
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
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "report",
                "db_table": "saved_reports",
            },
        ),
        migrations.CreateModel(
            name="ReportSchedule",
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
                    "frequency",
                    models.CharField(
                        choices=[("daily", "Every day"), ("weekly", "Every week"), ("monthly", "Every month")],
                        max_length=10,
                    ),
                ),
                (
                    "hour",
                    models.PositiveSmallIntegerField(
                        default=8, validators=[django.core.validators.MaxValueValidator(23)]
                    ),
                ),
                (
                    "day",
                    models.PositiveSmallIntegerField(
                        default=1, validators=[django.core.validators.MaxValueValidator(28)]
                    ),
                ),
                (
                    "format",
                    models.CharField(
                        choices=[("csv", "CSV"), ("xlsx", "Excel"), ("pdf", "PDF")], default="pdf", max_length=5
                    ),
                ),
                (
                    "recipients",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.UUIDField(), help_text="Members.", size=None
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                ("next_at", models.DateTimeField(editable=False)),
                ("failures", models.PositiveSmallIntegerField(default=0, editable=False, help_text="In a row.")),
                ("stopped_reason", models.CharField(blank=True, default="", editable=False, max_length=300)),
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
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "report",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="schedules",
                        to="reports.savedreport",
                    ),
                ),
            ],
            options={
                "db_table": "report_schedules",
            },
        ),
        migrations.CreateModel(
            name="ReportDelivery",
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
                    "status",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("processing", "Processing"),
                            ("completed", "Completed"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=20,
                    ),
                ),
                ("total", models.PositiveIntegerField(help_text="Units of work, once known.", null=True)),
                ("processed", models.PositiveIntegerField(default=0)),
                ("progress", models.PositiveSmallIntegerField(default=0, help_text="Percent.")),
                ("checkpoint", models.JSONField(default=dict)),
                ("error_code", models.CharField(blank=True, max_length=60)),
                ("error_message", models.TextField(blank=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("completed_at", models.DateTimeField(null=True)),
                ("cancel_requested_at", models.DateTimeField(null=True)),
                ("epoch", models.PositiveIntegerField(default=0)),
                (
                    "attempt",
                    models.PositiveSmallIntegerField(default=0, help_text="Claims since the last step that committed."),
                ),
                ("lease_until", models.DateTimeField(null=True)),
                (
                    "due_at",
                    models.DateTimeField(help_text="The tick it is of; null when somebody asked for it.", null=True),
                ),
                ("sent", models.PositiveIntegerField(default=0)),
                ("skipped", models.PositiveIntegerField(default=0)),
                ("outcomes", models.JSONField(default=list)),
                (
                    "created_by",
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
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "schedule",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="reports.reportschedule",
                    ),
                ),
                (
                    "report",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reports.savedreport",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "report deliveries",
                "db_table": "report_deliveries",
                "abstract": False,
            },
        ),
        migrations.AddIndex(
            model_name="savedreport",
            index=models.Index(fields=["organization", "-created_at", "-id"], name="saved_reports_newest"),
        ),
        migrations.AddConstraint(
            model_name="savedreport",
            constraint=models.UniqueConstraint(fields=("organization", "owner", "name"), name="one_report_per_name"),
        ),
        migrations.AddConstraint(
            model_name="savedreport",
            constraint=models.CheckConstraint(condition=models.Q(("name", ""), _negated=True), name="report_has_name"),
        ),
        migrations.AddIndex(
            model_name="reportschedule",
            index=models.Index(fields=["organization", "report"], name="schedules_of_report"),
        ),
        migrations.AddIndex(
            model_name="reportschedule",
            index=models.Index(condition=models.Q(("is_active", True)), fields=["next_at"], name="schedules_due"),
        ),
        migrations.AddConstraint(
            model_name="reportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("frequency__in", ["daily", "weekly", "monthly"])), name="schedule_frequency_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="reportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("format__in", ["csv", "xlsx", "pdf"])), name="schedule_format_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="reportschedule",
            constraint=models.CheckConstraint(condition=models.Q(("hour__lte", 23)), name="schedule_hour_of_a_day"),
        ),
        migrations.AddConstraint(
            model_name="reportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("day__gte", 1), ("day__lte", 28)), name="schedule_day_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="reportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("frequency", "weekly"), _negated=True), ("day__lte", 7), _connector="OR"),
                name="schedule_day_of_a_week",
            ),
        ),
        migrations.AddConstraint(
            model_name="reportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("recipients", []), _negated=True), name="schedule_has_recipients"
            ),
        ),
        migrations.AddConstraint(
            model_name="reportschedule",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_active", False), ("stopped_reason", ""), _connector="OR"),
                name="stopped_schedule_says_why_and_rests",
            ),
        ),
        migrations.AddIndex(
            model_name="reportdelivery",
            index=models.Index(fields=["organization", "-created_at"], name="reportdelivery_newest"),
        ),
        migrations.AddIndex(
            model_name="reportdelivery",
            index=models.Index(fields=["organization", "schedule", "-created_at"], name="deliveries_of_schedule"),
        ),
        migrations.AddConstraint(
            model_name="reportdelivery",
            constraint=models.UniqueConstraint(
                fields=("organization", "schedule", "due_at"), name="one_delivery_per_tick"
            ),
        ),
        ProtectTenantTable("SavedReport"),
        ProtectTenantTable("ReportSchedule"),
        ProtectTenantTable("ReportDelivery"),
        migrations.RunSQL(DUE, "DROP FUNCTION organizations_with_due_reports"),
    ]
