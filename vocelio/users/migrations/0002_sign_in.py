import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.db.ids


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0001_users"),
    ]

    operations = [
        migrations.CreateModel(
            name="LoginAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "account",
                    models.CharField(help_text="Keyed hash of the address as typed, known or not.", max_length=64),
                ),
                ("network", models.CharField(help_text="The caller's address; of IPv6 its /64.", max_length=43)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                "db_table": "login_attempts",
                "indexes": [
                    models.Index(fields=["account", "-created_at"], name="login_attempts_newest"),
                    models.Index(fields=["created_at"], name="login_attempts_age"),
                ],
            },
        ),
        migrations.CreateModel(
            name="PasswordReset",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("email", models.EmailField(max_length=254)),
                ("token_hash", models.BinaryField(max_length=32, null=True, unique=True)),
                ("ip_address", models.GenericIPAddressField(null=True)),
                ("user_agent", models.CharField(blank=True, max_length=300)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ("sent_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(null=True)),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "password_resets",
                "indexes": [
                    models.Index(fields=["email", "-created_at"], name="password_resets_newest"),
                    models.Index(fields=["created_at"], name="password_resets_age"),
                ],
            },
        ),
    ]
