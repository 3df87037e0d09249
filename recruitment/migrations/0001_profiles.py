import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import vocelio.crypto.fields
import vocelio.db.fields
import vocelio.db.ids
from contacts.operations import AddProfileKind
from vocelio.db.operations import ProtectTenantTable

# Rows also go with their profile, contact or the trash: whatever removes one, its file is to leave the storage.
NOTE_DISCARDED = """
ALTER TABLE discarded_files ALTER COLUMN id SET DEFAULT gen_random_uuid();

CREATE FUNCTION note_discarded_file() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM organizations WHERE id = OLD.organization_id) THEN
        INSERT INTO discarded_files (organization_id, file) VALUES (OLD.organization_id, OLD.file);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER note_discarded AFTER DELETE ON candidate_files FOR EACH ROW EXECUTE FUNCTION note_discarded_file();
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("contacts", "0015_profiles"),
        ("organizations", "0002_members"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="CandidateProfile",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("is_primary", models.BooleanField(default=False)),
                ("headline", models.CharField(blank=True, default="", max_length=200)),
                ("summary", models.TextField(blank=True, default="")),
                (
                    "job_search",
                    models.CharField(
                        choices=[
                            ("active", "Actively looking"),
                            ("open", "Open to offers"),
                            ("not_looking", "Not looking"),
                            ("placed", "Placed by us"),
                        ],
                        default="open",
                        max_length=20,
                    ),
                ),
                ("years_of_experience", models.DecimalField(blank=True, decimal_places=1, max_digits=4, null=True)),
                ("experience", models.JSONField(blank=True, default=list)),
                ("education", models.JSONField(blank=True, default=list)),
                ("languages", models.JSONField(blank=True, default=list)),
                ("desired_salary", vocelio.crypto.fields.EncryptedTextField(blank=True, default="")),
                ("current_salary", vocelio.crypto.fields.EncryptedTextField(blank=True, default="")),
                ("city", models.CharField(blank=True, default="", max_length=100)),
                ("state", models.CharField(blank=True, default="", max_length=50)),
                ("country", models.CharField(blank=True, default="", max_length=2)),
                (
                    "remote_preference",
                    models.CharField(
                        choices=[("onsite", "On site"), ("hybrid", "Hybrid"), ("remote", "Remote"), ("any", "Any")],
                        default="any",
                        max_length=20,
                    ),
                ),
                ("will_relocate", models.BooleanField(default=False)),
                ("notice_period_days", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("available_on", models.DateField(blank=True, null=True)),
                ("work_authorization", models.JSONField(blank=True, default=list)),
                ("source", models.CharField(blank=True, default="", max_length=100)),
                ("linkedin_url", models.CharField(blank=True, default="", max_length=500)),
                ("portfolio_url", models.CharField(blank=True, default="", max_length=500)),
                ("notes", models.TextField(blank=True, default="")),
                (
                    "contact",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="contacts.contact",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "db_table": "candidate_profiles",
                "indexes": [
                    models.Index(fields=["organization", "contact"], name="candidate_profiles_of_contact"),
                    models.Index(fields=["organization", "-created_at", "-id"], name="candidate_profiles_newest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("is_primary", True)),
                        fields=("organization", "contact"),
                        name="one_primary_candidate_profile",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("job_search__in", ["active", "open", "not_looking", "placed"])),
                        name="candidate_profile_search_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("remote_preference__in", ["onsite", "hybrid", "remote", "any"])),
                        name="candidate_profile_remote_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="CandidateFile",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                (
                    "updated_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("filename", models.CharField(max_length=255)),
                ("kind", models.CharField(choices=[("pdf", "PDF"), ("docx", "Word")], max_length=10)),
                ("size", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("file", models.CharField(help_text="Where the storage keeps it.", max_length=500)),
                (
                    "created_by",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "profile",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="recruitment.candidateprofile",
                    ),
                ),
            ],
            options={
                "db_table": "candidate_files",
                "indexes": [models.Index(fields=["organization", "profile"], name="files_of_candidate")],
            },
        ),
        migrations.CreateModel(
            name="CandidateSkill",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=100)),
                ("folded", models.CharField(max_length=200)),
                (
                    "level",
                    models.PositiveSmallIntegerField(
                        choices=[(1, "Beginner"), (2, "Basic"), (3, "Intermediate"), (4, "Advanced"), (5, "Expert")],
                        default=3,
                    ),
                ),
                ("years", models.DecimalField(decimal_places=1, default=0, max_digits=4)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
                (
                    "profile",
                    vocelio.db.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="skills",
                        to="recruitment.candidateprofile",
                    ),
                ),
            ],
            options={
                "db_table": "candidate_skills",
                "ordering": ["-level", "-years", "name"],
                "indexes": [models.Index(fields=["organization", "folded", "profile"], name="candidates_with_skill")],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "profile", "folded"), name="one_skill_per_name"),
                    models.CheckConstraint(
                        condition=models.Q(("level__gte", 1), ("level__lte", 5)), name="candidate_skill_level_known"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="DiscardedFile",
            fields=[
                (
                    "id",
                    models.UUIDField(default=vocelio.db.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False),
                ),
                ("file", models.CharField(max_length=500)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="organizations.organization",
                    ),
                ),
            ],
            options={
                "db_table": "discarded_files",
            },
        ),
        ProtectTenantTable("CandidateProfile"),
        ProtectTenantTable("CandidateSkill"),
        ProtectTenantTable("CandidateFile"),
        ProtectTenantTable("DiscardedFile"),
        migrations.RunSQL(
            NOTE_DISCARDED, "DROP TRIGGER note_discarded ON candidate_files; DROP FUNCTION note_discarded_file"
        ),
        AddProfileKind("candidate", "CandidateProfile", state="job_search", is_open="job_search IN ('active', 'open')"),
    ]
