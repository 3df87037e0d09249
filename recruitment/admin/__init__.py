"""Pages of recruitment in the back office."""

from recruitment.admin import applications, cvs, jobs, profiles

__all__ = ["applications", "cvs", "jobs", "profiles"]
