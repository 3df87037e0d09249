"""What sockets may follow of members."""

from vocelio.realtime.shapes import FLAG, ID, TEXT, shape
from vocelio.realtime.topics import Topic, register

MEMBER = shape(memberId=ID, role=TEXT, isActive=FLAG)

register(
    Topic(
        "members",
        "People who join the organization, leave it, or get another role.",
        permission="members:read",
        events=dict.fromkeys(("member_added", "member_updated", "member_removed"), MEMBER),
    )
)
