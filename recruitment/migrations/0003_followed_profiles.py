from django.db import migrations

from contacts.operations import FollowProfiles


class Migration(migrations.Migration):
    dependencies = [("recruitment", "0002_recruiting"), ("contacts", "0021_kept_profiles")]

    operations = [FollowProfiles("CandidateProfile")]
