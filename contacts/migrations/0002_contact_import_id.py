from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_contacts")]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="import_id",
            field=models.UUIDField(editable=False, null=True),
        ),
    ]
