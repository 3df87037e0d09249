"""What sockets may follow of notifications and the feed."""

from vocelio.access.roles import SELF
from vocelio.realtime.topics import Topic, register

register(Topic("notifications", permission=SELF, personal=True))
register(Topic("feed", permission="feed:read", owned=True))
