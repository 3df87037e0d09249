"""Pages of recruitment in the back office."""

from recruitment.admin import profiles

__all__ = ["profiles"]
