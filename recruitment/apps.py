from django.apps import AppConfig


class RecruitmentConfig(AppConfig):
    name = "recruitment"
    verbose_name = "Recruitment"

    def ready(self) -> None:
        from contacts.profile_kinds import ProfileKind, register_profile_kind
        from recruitment import receivers  # noqa: F401 - connects the signals
        from recruitment.models import CandidateProfile
        from recruitment.panels import register_panels
        from recruitment.services.profiles import KIND, create_candidate_profile

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
