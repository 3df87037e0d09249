"""Find contacts by what other systems call them; built beside the running work."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("contacts", "0011_import_depth")]

    operations = [
        AddIndexConcurrently(
            model_name="contact",
            index=models.Index(
                condition=models.Q(("external_id", ""), _negated=True),
                fields=["organization", "external_id"],
                name="contacts_external_id",
            ),
        ),
    ]
