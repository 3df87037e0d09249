from django.apps import AppConfig


class RecruitmentConfig(AppConfig):
    name = "recruitment"
    verbose_name = "Recruitment"

    def ready(self) -> None:
        from contacts.profile_kinds import ProfileKind, register_profile_kind
        from recruitment import receivers  # noqa: F401 - connects the signals
        from recruitment.models import CandidateFile, CandidateProfile, Cv, CvBatch, DiscardedFile, SentApplication
        from recruitment.panels import register_panels
        from recruitment.services.interviews import interview_entries
        from recruitment.services.profiles import KIND, create_candidate_profile
        from vocelio import ical
        from vocelio.storage.orphans import named_by, register_files

        register_profile_kind(
            ProfileKind(
                slug=KIND,
                label="Candidate",
                model=CandidateProfile,
                serializer="recruitment.serializers.profiles.CandidateProfileSerializer",
                create=create_candidate_profile,
                related=("created_by",),
                prefetch=("skills", "files__created_by"),
            )
        )
        register_panels()
        register_files("candidates", named_by(CandidateFile, Cv, CvBatch, SentApplication, DiscardedFile))
        ical.register("interviews", interview_entries)
