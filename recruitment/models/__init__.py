from recruitment.models.profiles import (
    CandidateFile,
    CandidateProfile,
    DiscardedFile,
    JobSearch,
    RemotePreference,
    SalaryPeriod,
)
from recruitment.models.skills import CandidateSkill, SkillLevel

__all__ = [
    "CandidateFile",
    "CandidateProfile",
    "CandidateSkill",
    "DiscardedFile",
    "JobSearch",
    "RemotePreference",
    "SalaryPeriod",
    "SkillLevel",
]
