import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.fields
import vocelio.db.ids
from contacts.operations import AddProfileKind
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contacts", "0015_profiles"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SalesProfile",
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
                ("is_primary", models.BooleanField(default=False)),
                ("headline", models.CharField(blank=True, default="", max_length=200)),
                (
                    "buying_role",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("decision_maker", "Decision maker"),
                            ("economic_buyer", "Economic buyer"),
                            ("champion", "Champion"),
                            ("influencer", "Influencer"),
                            ("user", "User"),
                            ("gatekeeper", "Gatekeeper"),
                            ("blocker", "Blocker"),
                        ],
                        default="",
                        max_length=20,
                    ),
                ),
                (
                    "lead_status",
                    models.CharField(
                        choices=[
                            ("new", "New"),
                            ("contacted", "Contacted"),
                            ("qualified", "Qualified"),
                            ("nurturing", "Nurturing"),
                            ("customer", "Customer"),
                            ("unqualified", "Unqualified"),
                            ("lost", "Lost"),
                        ],
                        default="new",
                        max_length=20,
                    ),
                ),
                ("lead_source", models.CharField(blank=True, default="", max_length=100)),
                ("score", models.PositiveSmallIntegerField(blank=True, help_text="0 to 100.", null=True)),
                ("budget", models.DecimalField(blank=True, decimal_places=2, max_digits=18, null=True)),
                ("lifetime_value", models.DecimalField(blank=True, decimal_places=2, max_digits=18, null=True)),
                ("currency", models.CharField(blank=True, default="", help_text="ISO 4217.", max_length=3)),
                ("territory", models.CharField(blank=True, default="", max_length=100)),
                (
                    "interests",
                    models.TextField(blank=True, default="", help_text="What they may buy, in their own words."),
                ),
                ("notes", models.TextField(blank=True, default="")),
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
                    "contact",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
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
            ],
            options={
                "db_table": "sales_profiles",
                "indexes": [
                    models.Index(fields=["organization", "contact"], name="sales_profiles_of_contact"),
                    models.Index(fields=["organization", "-created_at", "-id"], name="sales_profiles_newest"),
                    models.Index(
                        fields=["organization", "lead_status", "-created_at"], name="sales_profiles_by_status"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("organization", "contact"),
                        name="one_primary_sales_profile",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "lead_status__in",
                                ["new", "contacted", "qualified", "nurturing", "customer", "unqualified", "lost"],
                            )
                        ),
                        name="sales_profile_status_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("score__isnull", True), ("score__lte", 100), _connector="OR"),
                        name="sales_profile_score_in_percent",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("budget__isnull", True), ("lifetime_value__isnull", True)),
                            models.Q(("currency", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="sales_profile_amounts_have_currency",
                    ),
                ],
            },
        ),
        ProtectTenantTable("SalesProfile"),
        AddProfileKind(
            "sales", "SalesProfile", state="lead_status", is_open="lead_status NOT IN ('unqualified', 'lost')"
        ),
    ]
