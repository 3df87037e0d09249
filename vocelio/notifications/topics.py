"""What sockets may follow of notifications and the feed."""

from vocelio.access.roles import SELF
from vocelio.realtime.shapes import FREE, ID, OPTIONAL_ID, TEXT, TIME, shape
from vocelio.realtime.topics import Topic, register

NOTIFICATION = shape(id=ID, kind=TEXT, title=TEXT, body=TEXT, resource=TEXT, resourceId=OPTIONAL_ID, createdAt=TIME)
READ = shape(ids={"type": ["array", "null"], "items": ID, "description": "Null for all."})
FEED_ENTRY = shape(
    id=ID, kind=TEXT, resource=TEXT, resourceId=ID, title=TEXT, data=FREE, userId=OPTIONAL_ID, createdAt=TIME
)

register(
    Topic(
        "notifications",
        "What the caller is told.",
        permission=SELF,
        personal=True,
        events={"notification": NOTIFICATION, "notification_read": READ},
    )
)
register(Topic("feed", "What people did.", permission="feed:read", owned=True, events={"feed_entry": FEED_ENTRY}))
