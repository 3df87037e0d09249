"""The careers page for installations without a frontend of their own: plain HTML that posts a form."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from recruitment.serializers.cvs import ApplySerializer, PublicJobSerializer
from recruitment.services import careers
from recruitment.services.retention import answer_renewal, renewal_page
from recruitment.services.settings import own_settings
from recruitment.views.careers import THANKS, applied
from vocelio.errors import NotFound, VocelioError
from vocelio.organizations.scope import organization_scope


# Nobody is signed in here, so there is no session for a foreign page to use.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def job_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a public job with a form to apply, and take what the form sends."""
    try:
        with organization_scope(careers.organization_of(slug)):
            job = careers.public_job(slug)
            job.consent_text = own_settings().consent_text  # type: ignore[attr-defined]
            context = {"job": job, "shown": PublicJobSerializer(job).data, "values": request.POST}
            status = 200
            if request.method == "POST":
                serializer = ApplySerializer(data=form_of(request))
                if serializer.is_valid():
                    applied(job, dict(serializer.validated_data))
                    context["thanks"] = THANKS
                else:
                    context["errors"] = dict(serializer.errors)
                    status = 422
            return render(request, "careers/job.html", context, status=status)
    except NotFound:
        return render(request, "careers/gone.html", status=404)
    except VocelioError as error:
        return render(request, "careers/refused.html", {"error": error}, status=error.status)


def form_of(request: HttpRequest) -> dict[str, object]:
    """Return what the form sent, as the API takes it; an empty file field is none."""
    names = [*ApplySerializer().fields]
    given: dict[str, object] = {name: request.POST[name] for name in names if request.POST.get(name)}
    answers = {
        name.removeprefix("answers."): text for name, text in request.POST.items() if name.startswith("answers.")
    }
    given["answers"] = {key: text for key, text in answers.items() if text}
    if request.FILES.get("file"):
        given["file"] = request.FILES["file"]
    return given


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def renewal(request: HttpRequest, token: str) -> HttpResponse:
    """Ask a candidate whether they may be kept, and do as they answer; anything but an answer asks again."""
    answer = request.POST.get("answer")
    try:
        if answer in ("keep", "remove"):
            done = answer_renewal(token=token, keep=answer == "keep")
            return render(request, "careers/renewal.html", {"done": done})
        return render(request, "careers/renewal.html", renewal_page(token))
    except NotFound:
        return render(request, "careers/gone.html", status=404)


urlpatterns = [
    path("careers/<slug:slug>", job_page, name="careers-job"),
    path("careers/consent/<str:token>", renewal, name="careers-consent"),
]
