"""What webhooks tell of Do-Not-Call work. Numbers and addresses are never in it: read them by the API."""

from vocelio.webhooks.events import Data, EventType, Shown, register

LIST = Shown("list", "listId", "dnc.views.lists.DncListViewSet")
SCRUB = Shown("scrub", "scrubJobId", "dnc.views.scrubs.ScrubViewSet")
ID = "00000000-0000-0000-0000-000000000000"


def has_ended_early(data: Data) -> bool:
    return data.get("status") in ("failed", "cancelled")


register(
    EventType(
        "dnc_list.changed",
        "Numbers were added to a Do-Not-Call list, removed, or have run out.",
        topic="dnc_lists",
        on="dnc_list_changed",
        shows=LIST,
        example={"listId": ID, "added": 1},
    )
)
register(
    EventType(
        "dnc.opted_out",
        "People said no, by whatever door; `numbers` and `emails` say how many.",
        topic="dnc_lists",
        on="opted_out",
        example={"channel": "all", "source": "api", "numbers": 1, "emails": 0},
    )
)
register(
    EventType(
        "scrub.completed",
        "A scrub is over, with its certificate.",
        topic="scrub_progress",
        on="scrub_completed",
        shows=SCRUB,
        example={"scrubJobId": ID, "results": {}, "certificateId": ID},
    )
)
register(
    EventType(
        "scrub.failed",
        "A scrub failed or was cancelled.",
        topic="scrub_progress",
        on="scrub_progress",
        shows=SCRUB,
        when=has_ended_early,
        example={"jobId": ID, "status": "failed", "progress": 50, "processed": 10, "total": 20, "scrubJobId": ID},
    )
)
