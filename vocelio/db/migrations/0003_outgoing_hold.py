from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("db", "0002_schedule_ticks")]

    operations = [
        migrations.CreateModel(
            name="OutgoingHold",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("held_at", models.DateTimeField()),
                ("taken_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=500)),
            ],
            options={
                "db_table": "outgoing_holds",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_outgoing_hold")],
            },
        ),
    ]
