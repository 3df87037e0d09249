import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organizations", "0002_members"),
        ("reports", "0001_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Dashboard",
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
                ("is_shared", models.BooleanField(default=False, help_text="Everybody in the organization sees it.")),
                (
                    "usual_for",
                    models.CharField(
                        blank=True,
                        choices=[("admin", "Admin"), ("manager", "Manager"), ("agent", "Agent")],
                        default="",
                        editable=False,
                        max_length=20,
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
                    "owner",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "dashboards",
            },
        ),
        migrations.CreateModel(
            name="DashboardTile",
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
                ("position", models.PositiveSmallIntegerField()),
                ("title", models.CharField(blank=True, default="", max_length=100)),
                ("definition", models.JSONField(null=True)),
                (
                    "chart",
                    models.CharField(
                        choices=[
                            ("number", "Number"),
                            ("line", "Line"),
                            ("bar", "Bars"),
                            ("stacked", "Stacked bars"),
                            ("funnel", "Funnel"),
                            ("table", "Table"),
                            ("donut", "Donut"),
                        ],
                        max_length=10,
                    ),
                ),
                ("width", models.PositiveSmallIntegerField(default=1, help_text="Columns, 1 to 4.")),
                ("height", models.PositiveSmallIntegerField(default=1, help_text="Rows, 1 to 4.")),
                (
                    "dashboard",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="tiles",
                        to="dashboards.dashboard",
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
                    "report",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="reports.savedreport",
                    ),
                ),
            ],
            options={
                "db_table": "dashboard_tiles",
                "ordering": ["position", "id"],
            },
        ),
        migrations.AddIndex(
            model_name="dashboard",
            index=models.Index(fields=["organization", "-created_at", "-id"], name="dashboards_newest"),
        ),
        migrations.AddConstraint(
            model_name="dashboard",
            constraint=models.UniqueConstraint(
                condition=models.Q(("usual_for", "")),
                fields=("organization", "owner", "name"),
                name="one_dashboard_per_name",
            ),
        ),
        migrations.AddConstraint(
            model_name="dashboard",
            constraint=models.UniqueConstraint(
                condition=models.Q(("usual_for", ""), _negated=True),
                fields=("organization", "usual_for"),
                name="one_usual_dashboard_per_role",
            ),
        ),
        migrations.AddConstraint(
            model_name="dashboard",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True), name="dashboard_has_name"
            ),
        ),
        migrations.AddConstraint(
            model_name="dashboard",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("owner__isnull", False), models.Q(("usual_for", ""), _negated=True), _connector="OR"
                ),
                name="dashboard_has_owner_or_role",
            ),
        ),
        migrations.AddIndex(
            model_name="dashboardtile",
            index=models.Index(fields=["organization", "dashboard", "position"], name="tiles_of_dashboard"),
        ),
        migrations.AddConstraint(
            model_name="dashboardtile",
            constraint=models.CheckConstraint(
                condition=models.Q(("chart__in", ["number", "line", "bar", "stacked", "funnel", "table", "donut"])),
                name="tile_chart_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="dashboardtile",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("definition__isnull", False), ("report__isnull", True)),
                    models.Q(("definition__isnull", True), ("report__isnull", False)),
                    _connector="OR",
                ),
                name="tile_shows_one_thing",
            ),
        ),
        migrations.AddConstraint(
            model_name="dashboardtile",
            constraint=models.CheckConstraint(
                condition=models.Q(("height__gte", 1), ("height__lte", 4), ("width__gte", 1), ("width__lte", 4)),
                name="tile_fits_the_grid",
            ),
        ),
        ProtectTenantTable("Dashboard"),
        ProtectTenantTable("DashboardTile"),
    ]
