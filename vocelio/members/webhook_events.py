"""What webhooks tell of members."""

from vocelio.webhooks.events import EventType, Shown, register

MEMBER = Shown("member", "memberId", "vocelio.members.views.MemberViewSet")
EXAMPLE = {"memberId": "00000000-0000-0000-0000-000000000000", "role": "agent", "isActive": True}

for on, summary in (
    ("added", "Somebody joined the organization."),
    ("updated", "A member has another role or team, or is let in again."),
    ("removed", "A membership ended."),
):
    register(EventType(f"member.{on}", summary, topic="members", on=f"member_{on}", shows=MEMBER, example=EXAMPLE))
