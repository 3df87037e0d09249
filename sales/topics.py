"""What sockets may follow of sales."""

from collections.abc import Mapping
from typing import Any

from vocelio.realtime.topics import Topic, register


def of_pipeline(filters: Mapping[str, str], data: Mapping[str, Any]) -> bool:
    return "pipelineId" not in filters or filters["pipelineId"] == data.get("pipelineId")


register(Topic("deals", permission="deals:read", owned=True, filters=("pipelineId",), matches=of_pipeline))
register(Topic("pipelines", permission="pipelines:read"))
register(Topic("projects", permission="projects:read", owned=True))
register(Topic("activities", permission="activities:read", owned=True))
