import django.db.models.functions.datetime
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.triggers import KeepUpdatedAt


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("db", "0001_functions"),
    ]

    operations = [
        migrations.CreateModel(
            name="Membership",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "role",
                    models.CharField(
                        choices=[("admin", "Admin"), ("manager", "Manager"), ("agent", "Agent")], max_length=20
                    ),
                ),
                (
                    "team",
                    models.CharField(
                        blank=True, help_text="Members with the same team see each other's records.", max_length=100
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
            options={
                "db_table": "memberships",
            },
        ),
        migrations.CreateModel(
            name="Organization",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=255)),
                ("slug", models.SlugField(max_length=100, unique=True)),
                ("settings", models.JSONField(blank=True, default=dict)),
                (
                    "subscription_tier",
                    models.CharField(
                        choices=[("free", "Free"), ("pro", "Pro"), ("enterprise", "Enterprise")],
                        default="free",
                        max_length=50,
                    ),
                ),
                (
                    "default_region",
                    models.CharField(
                        default="US",
                        help_text="Country whose dialling rules apply to numbers without a + (ISO 3166).",
                        max_length=2,
                    ),
                ),
                (
                    "visibility",
                    models.CharField(
                        choices=[("organization", "All of the organization's"), ("team", "Their own and their team's")],
                        default="organization",
                        max_length=20,
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
            ],
            options={
                "db_table": "organizations",
                "ordering": ["name"],
            },
        ),
        KeepUpdatedAt("organizations"),
        KeepUpdatedAt("memberships"),
    ]
