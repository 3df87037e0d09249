"""What files hold is a register that apps above add to, so their kinds make no migration here."""

from django.db import migrations, models

import contacts.record_kinds

RECORD_TYPE = models.CharField(
    choices=contacts.record_kinds.record_choices, db_default="contact", default="contact", max_length=10
)


class Migration(migrations.Migration):
    dependencies = [("contacts", "0019_client_merges")]

    operations = [
        migrations.AlterField("contactimport", "record_type", RECORD_TYPE),
        migrations.AlterField("importpreset", "record_type", RECORD_TYPE),
    ]
