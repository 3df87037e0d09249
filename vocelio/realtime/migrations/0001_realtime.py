import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

import vocelio.db.ids
from vocelio.db.operations import ProtectTenantTable


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("db", "0001_functions"),
        ("organizations", "0002_members"),
    ]

    operations = [
        migrations.CreateModel(
            name="EventHead",
            fields=[
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="organizations.organization",
                    ),
                ),
                ("sequence", models.BigIntegerField(default=0)),
            ],
            options={
                "db_table": "event_heads",
            },
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("sequence", models.BigIntegerField()),
                ("topic", models.CharField(max_length=40)),
                ("key", models.CharField(blank=True, max_length=60)),
                ("type", models.CharField(max_length=40)),
                ("data", models.JSONField()),
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
                "db_table": "events",
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "sequence"), name="one_event_per_sequence")
                ],
            },
        ),
        ProtectTenantTable("Event"),
    ]
