"""Mails that stayed on this machine: what a newcomer's demo, or a developer's, would have sent."""

import email
import email.policy
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from comms.channels.catch_all import CatchAll, kept_mail
from vocelio.backoffice.tenant import TenantAdmin

NEWEST = 100
HEADERS = ("From", "To", "Subject", "Date", "Reply-To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")


def inbox(page: TenantAdmin) -> Callable[[HttpRequest], HttpResponse]:
    """Show the newest mails that accounts of the kind "stays on this machine" took."""

    def view(request: HttpRequest) -> HttpResponse:
        mails = _caught(page, request).order_by("-created_at", "-id")[:NEWEST]
        return _page(page, request, "comms/caught.html", "Caught mail", {"mails": mails})

    return view


def mail(page: TenantAdmin) -> Callable[..., HttpResponse]:
    """Show one mail as its file holds it."""

    def view(request: HttpRequest, pk: Any) -> HttpResponse:
        message = _caught(page, request).filter(pk=pk).first()
        raw = kept_mail(message.pk) if message is not None else None
        if raw is None:
            raise Http404
        parsed = email.message_from_bytes(raw, policy=email.policy.default)
        context = {
            "headers": [(name, str(parsed[name])) for name in HEADERS if parsed[name]],
            "text": _part(parsed, "plain"),
            "html": _part(parsed, "html"),
            "files": [
                {
                    "name": part.get_filename(),
                    "type": part.get_content_type(),
                    "size": len(part.get_payload(decode=True)),
                }
                for part in parsed.iter_attachments()
            ],
            "raw": raw.decode("utf-8", "replace"),
            "message": message,
        }
        return _page(page, request, "comms/caught_mail.html", str(parsed["Subject"] or "Mail"), context)

    return view


def _caught(page: TenantAdmin, request: HttpRequest) -> Any:
    if not page.may(request, "view"):
        raise PermissionDenied
    rows = page.get_queryset(request).filter(account__provider=CatchAll.slug, attempted_at__isnull=False)
    return rows.select_related("contact").defer("contact__search")


def _part(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def _page(page: TenantAdmin, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
    base = {**page.admin_site.each_context(request), "title": title, "opts": page.opts}
    return TemplateResponse(request, template, base | context)
