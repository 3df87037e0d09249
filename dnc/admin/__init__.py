"""Pages of Do-Not-Call lists, scrubs and evidence in the back office."""

from dnc.admin import evidence, lists, scrubs, sources

__all__ = ["evidence", "lists", "scrubs", "sources"]
