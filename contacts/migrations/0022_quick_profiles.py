"""Renewing what profiles tell each other costs the same a contact, however many an organization brings at once.

Planned for the organization at hand, which statistics do not know while its first contacts come in, one row of it was
expected: any index that begins with the organization looked as good as that of the contact, and every contact read all
the others. 4,000 contacts with profiles took 33 s, now 0.9 s. Planned for any organization the index of the contact is
taken, and planning, which took most of the time of a single change, is done once a connection.
"""

from django.db import migrations

FUNCTIONS = ("keep_profiles(uuid, uuid[])", "keep_insights(uuid, uuid[])")


class Migration(migrations.Migration):
    dependencies = [("contacts", "0021_kept_profiles")]

    operations = [
        migrations.RunSQL(
            [f"ALTER FUNCTION {each} SET plan_cache_mode = force_generic_plan" for each in FUNCTIONS],
            [f"ALTER FUNCTION {each} RESET plan_cache_mode" for each in FUNCTIONS],
        )
    ]
