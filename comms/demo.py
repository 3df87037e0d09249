"""The demo's messages: templates, a sequence, and mails that stay on this machine."""

from typing import Any

from django.utils import timezone

from comms.channels.values import Inbound
from comms.models import ChannelAccount
from comms.services.accounts import create_account
from comms.services.communications import create_communication
from comms.services.inbound import receive
from comms.services.sequences import create_sequence
from comms.services.templates import create_template
from contacts.models import Contact
from vocelio.access.principal import principal_of_member
from vocelio.audit.context import Actor, acting
from vocelio.organizations.models import Membership, Organization, Role
from vocelio.organizations.scope import organization_scope

TEMPLATES = [
    ("First contact", "outreach", "{{company|Your team}} and {{organization.name}}",
     "Dear {{first_name|there}},\n\nmay I show you in ten minutes what {{organization.name}} does?\n\n{{sender.name}}"),
    ("A short reminder", "follow_up", "Did you see my last mail?",
     "Dear {{first_name|there}},\n\nI wanted to ask once more. Is next week any good?\n\n{{sender.name}}"),
    ("Invitation to an interview", "interview", "Your interview at {{organization.name}}",
     "Dear {{first_name|there}},\n\nwe would like to meet you. Which day suits you?\n\n{{sender.name}}"),
]  # fmt: skip
MAILS = 8
ANSWERS = [
    ("Your offer", "Good morning,\n\ncould you send me the prices?\n\nBest regards"),
    ("Next week", "Hello,\n\nTuesday at ten suits me.\n\nKind regards"),
]
BY_HAND = "Hello {name}, I saw your work and would like to hear what you do next. May I write to you?"


def load(organization: Organization) -> None:
    """Fill the organization, unless it has an account for messages already."""
    with organization_scope(organization.pk):
        if ChannelAccount.objects.exists():
            return
        member = Membership.objects.filter(organization=organization, role=Role.ADMIN).order_by("pk").first()
        principal = principal_of_member(member.user_id, organization.pk) if member is not None else None
        if principal is None:
            return
        with acting(Actor(door="demo", user_id=principal.user_id)):
            account = create_account(
                provider="catch_all",
                name="Demo mail",
                settings={"fromEmail": f"sales@{organization.slug}.test", "fromName": organization.name},
            )
            templates = [
                create_template(name=name, category=category, channel="email", subject=subject, body_text=text)
                for name, category, subject, text in TEMPLATES
            ]
            steps: list[dict[str, Any]] = [{"template": templates[0]}, {"template": templates[1], "wait_hours": 72}]
            create_sequence(name="Outreach in two steps", steps=steps)
            found = Contact.objects.alive().exclude(email="").defer("search").order_by("id")
            people = list(found[: MAILS + len(ANSWERS)])
            for contact in people[:MAILS]:
                create_communication(principal=principal, contact=contact, channel="email", template=templates[0])
            for contact, (subject, text) in zip(people[MAILS:], ANSWERS, strict=False):
                name = f"<{contact.pk.hex}@{organization.slug}.test>"
                receive(account, Inbound(name, contact.email, text, timezone.now(), subject=subject))
                create_communication(
                    principal=principal,
                    contact=contact,
                    channel="linkedin",
                    body_text=BY_HAND.format(name=contact.first_name),
                )
