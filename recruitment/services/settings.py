"""How the organization recruits."""

from typing import Any

from recruitment.models import RecruitmentSettings
from vocelio.audit.services import record


def own_settings() -> RecruitmentSettings:
    """Return the open organization's settings; the defaults, not stored, until they are first changed."""
    found: RecruitmentSettings | None = RecruitmentSettings.objects.first()
    return found or RecruitmentSettings()


def update_settings(**fields: Any) -> RecruitmentSettings:
    settings, _ = RecruitmentSettings.objects.update_or_create(defaults=fields)
    record("recruitment_settings.updated", "recruitmentsettings", settings.pk, fields=sorted(fields))
    result: RecruitmentSettings = settings
    return result
