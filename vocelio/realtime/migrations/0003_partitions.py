from django.db import migrations

from vocelio.db.partitions import PartitionByTime


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("realtime", "0002_event_owners"), ("db", "0004_partitions")]

    operations = [PartitionByTime("Event", "day", may_be_dropped=True)]
