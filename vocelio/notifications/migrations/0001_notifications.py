import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FeedEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("kind", models.CharField(max_length=60)),
                ("resource", models.CharField(max_length=60)),
                ("resource_id", models.UUIDField()),
                ("title", models.CharField(max_length=300)),
                ("data", models.JSONField(default=dict)),
                (
                    "owners",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
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
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "feed entries",
                "db_table": "feed_entries",
                "indexes": [
                    models.Index(fields=["organization", "-created_at", "-id"], name="feed_newest"),
                    models.Index(fields=["organization", "resource_id", "-created_at"], name="feed_of_resource"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("kind", models.CharField(max_length=60)),
                ("title", models.CharField(max_length=300)),
                ("body", models.TextField(blank=True, default="")),
                ("resource", models.CharField(blank=True, default="", max_length=60)),
                ("resource_id", models.UUIDField(null=True)),
                ("key", models.CharField(max_length=120)),
                ("read_at", models.DateTimeField(null=True)),
                ("emailed_at", models.DateTimeField(null=True)),
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
                "db_table": "notifications",
                "indexes": [
                    models.Index(fields=["organization", "user", "-created_at", "-id"], name="notifications_newest"),
                    models.Index(
                        condition=models.Q(("read_at__isnull", True)),
                        fields=["organization", "user"],
                        name="notifications_unread",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "user", "key"), name="one_notification_per_occasion"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="NotificationPreference",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("kind", models.CharField(max_length=60)),
                (
                    "channel",
                    models.CharField(
                        choices=[("socket", "At once, on the WebSocket"), ("email", "By e-mail")], max_length=20
                    ),
                ),
                ("is_enabled", models.BooleanField()),
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
                "db_table": "notification_preferences",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "user", "kind", "channel"), name="one_wish_per_channel"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("channel__in", ["socket", "email"])), name="preference_channel_known"
                    ),
                ],
            },
        ),
        ProtectTenantTable("Notification"),
        ProtectTenantTable("NotificationPreference"),
        ProtectTenantTable("FeedEntry"),
    ]
