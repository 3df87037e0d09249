"""Pages of recruitment in the back office."""

from recruitment.admin import agency, applications, cvs, hiring, jobs, profiles, setup

__all__ = ["agency", "applications", "cvs", "hiring", "jobs", "profiles", "setup"]
