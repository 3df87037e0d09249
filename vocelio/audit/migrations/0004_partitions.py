from django.db import migrations

from vocelio.db.partitions import PartitionByTime


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("audit", "0003_offset"), ("db", "0004_partitions")]

    operations = [PartitionByTime("AuditEntry", "month")]
