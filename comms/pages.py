"""Pages that links in messages lead to: leave, a followed link, an opened mail. No sign-in; the link proves itself."""

import base64

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from comms.services.communications import note_seen
from comms.services.tokens import CLICKED, OPENED, read_token
from comms.services.unsubscribing import unsubscribe, who_leaves
from vocelio.errors import NotFound
from vocelio.organizations.scope import organization_scope

PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
TEMPLATE = "comms/unsubscribe.html"


@csrf_exempt
@require_http_methods(["GET", "POST"])
def leave(request: HttpRequest, token: str) -> HttpResponse:
    """Show who would leave; a POST leaves: from the page, or by the one click of a mail program (RFC 8058).

    A GET changes nothing, since programs that look for viruses follow every link.
    """
    try:
        if request.method == "GET":
            return render(request, TEMPLATE, {"leaving": who_leaves(token)})
        one_click = request.POST.get("List-Unsubscribe") == "One-Click"
        left = unsubscribe(token, everything=request.POST.get("everything") == "1", one_click=one_click)
    except NotFound:
        return render(request, TEMPLATE, status=404)
    return render(request, TEMPLATE, {"left": left})


@require_GET
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """Count the click and lead on. The target is part of what we signed, so nobody makes us lead elsewhere."""
    target = request.GET.get("to", "")
    named = read_token(CLICKED, token, target)
    if named is None or not target.startswith(("http://", "https://")):
        return render(request, TEMPLATE, status=404)
    with organization_scope(named[0]):
        note_seen(named[1], "clicked_at")
    return HttpResponseRedirect(target)


@require_GET
def opened(request: HttpRequest, token: str) -> HttpResponse:
    """Note that the picture was loaded, which says little: some programs load all, some none."""
    named = read_token(OPENED, token)
    if named is not None:
        with organization_scope(named[0]):
            note_seen(named[1], "read_at")
    return HttpResponse(PIXEL, content_type="image/gif", headers={"Cache-Control": "no-store"})


urlpatterns = [
    path("m/u/<str:token>", leave, name="unsubscribe"),
    path("m/c/<str:token>", follow, name="follow-link"),
    path("m/o/<str:token>.gif", opened, name="opened-mail"),
]
