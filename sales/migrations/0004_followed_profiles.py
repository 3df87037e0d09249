from django.db import migrations

from contacts.operations import FollowProfiles


class Migration(migrations.Migration):
    dependencies = [("sales", "0003_deal_imports"), ("contacts", "0021_kept_profiles")]

    operations = [FollowProfiles("SalesProfile")]
