"""Leave by the link of a mail: the person needs no account, and one click is enough (RFC 8058)."""

import uuid
from dataclasses import dataclass

from comms.models import Communication
from comms.services.statuses import note_opt_out
from comms.services.tokens import UNSUBSCRIBE, read_token
from vocelio.audit.services import record
from vocelio.errors import NotFound
from vocelio.organizations.models import Organization
from vocelio.organizations.scope import organization_scope


@dataclass(frozen=True)
class Leaving:
    """Who would leave whom; the address is shown in part, since links are passed on."""

    organization: str
    address: str


def who_leaves(token: str) -> Leaving:
    """Return what the page of a link shows; raise NotFound for a link that is none of ours."""
    organization_id, message_id = _named(token)
    with organization_scope(organization_id):
        message = _message(message_id)
        name, _, domain = message.address.partition("@")
        organization = Organization.objects.values_list("name", flat=True).get(pk=organization_id)
        return Leaving(organization, f"{name[:1]}***@{domain}")


def unsubscribe(token: str, *, everything: bool = False, one_click: bool = False) -> Leaving:
    """Store that the person wants no more mail, or with `everything` no contact at all; a second time changes nothing."""
    organization_id, message_id = _named(token)
    with organization_scope(organization_id):
        message = _message(message_id)
        source = "List-Unsubscribe" if one_click else "unsubscribe page"
        note_opt_out(message, source=source, reason="Unsubscribed", channel="all" if everything else "")
        record("communication.unsubscribed", "communication", message.pk, everything=everything)
    return who_leaves(token)


def _named(token: str) -> tuple[uuid.UUID, uuid.UUID]:
    named = read_token(UNSUBSCRIBE, token)
    if named is None:
        raise NotFound
    return named


def _message(message_id: uuid.UUID) -> Communication:
    message: Communication | None = Communication.objects.filter(pk=message_id, channel="email").first()
    if message is None:
        raise NotFound
    return message
