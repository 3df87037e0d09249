"""Pages with one form, and what a contact would get, shown beside it while somebody writes (comms/composer.js)."""

from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse

from comms.models import CommunicationTemplate, Medium
from comms.services import communications
from comms.services.templates import version_of
from contacts.models import Contact
from vocelio.access.principal import Principal
from vocelio.backoffice.tenant import TenantAdmin
from vocelio.errors import VocelioError
from vocelio.languages.translate import translated


def form_page(page: TenantAdmin, request: HttpRequest, form: Form, **shown: str) -> HttpResponse:
    """Show a form: `title`, the words on its `card` and its `button`, and the `preview_url` that is asked meanwhile."""
    context = {**page.admin_site.each_context(request), "form": form, "opts": page.opts, **shown}
    return TemplateResponse(request, "comms/composer.html", context)


def show_refusal(form: Form, error: VocelioError) -> None:
    """Say why a service refused, each reason at its field."""
    for each in error.details.get("errors") or [error.details]:
        field = each.get("field")
        form.add_error(field if field in form.fields else None, each.get("message") or error.message)


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
    return JsonResponse({"problems": [{"message": translated(message)}]})


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
