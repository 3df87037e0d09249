"""Pages of sales in the back office."""

from sales.admin import deals, pipelines, profiles, work

__all__ = ["deals", "pipelines", "profiles", "work"]
