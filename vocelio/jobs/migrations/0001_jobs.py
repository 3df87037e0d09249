from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Doorbell",
            fields=[
                ("job_id", models.UUIDField(primary_key=True, serialize=False)),
                ("organization_id", models.UUIDField()),
                ("task", models.CharField(max_length=100)),
                ("due_at", models.DateTimeField()),
            ],
            options={
                "db_table": "job_doorbells",
                "indexes": [models.Index(fields=["due_at"], name="job_doorbells_due")],
            },
        ),
    ]
