"""What a contact would get, answered to the pages that show it while somebody writes (comms/composer.js)."""

from typing import Any

from django.http import JsonResponse

from comms.models import CommunicationTemplate, Medium
from comms.services import communications
from comms.services.templates import version_of
from contacts.models import Contact
from vocelio.access.principal import Principal
from vocelio.errors import VocelioError


def contact_named(principal: Principal, named: str) -> Contact | None:
    """Return the contact of an e-mail address or a phone, among those the person sees."""
    rows = Contact.objects.alive().visible_to(principal).defer("search")
    column = "email" if "@" in named else "phone"
    found: Contact | None = rows.filter(**{column: named.strip().lower()}).order_by("created_at").first()
    return found


def reachable_contact(principal: Principal, medium: str) -> Contact | None:
    """Return some contact who can be written to on the medium, to show a text for."""
    rows = Contact.objects.alive().visible_to(principal).defer("search")
    rows = rows.exclude(email="") if medium == Medium.EMAIL else rows.filter(phone__isnull=False)
    found: Contact | None = rows.order_by("-created_at", "-id").first()
    return found


def problem(message: str) -> JsonResponse:
    return JsonResponse({"problems": [{"message": message}]})


def shown(
    principal: Principal,
    contact: Contact,
    *,
    channel: str = "",
    template: CommunicationTemplate | None = None,
    wording: dict[str, str] | None = None,
    **more: Any,
) -> JsonResponse:
    """Answer a template, or a wording, as the contact would get it, with what stands in its way."""
    try:
        found = communications.preview(
            contact=contact,
            channel=template.channel if template else channel,
            user_id=principal.user_id,
            version=version_of(template, template.version) if template else None,
            wording=wording,
        )
    except VocelioError as error:
        return problem(error.message)
    return JsonResponse(found | more)
