"""Pages of matching."""

from ai_matching.admin import matches, upkeep

__all__ = ["matches", "upkeep"]
