"""/public/jobs: what strangers may read and send"""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from recruitment.models import JobOpening
from recruitment.serializers.cvs import ApplySerializer, PublicJobSerializer
from recruitment.services import careers
from recruitment.services.settings import own_settings
from vocelio.access.permissions import PUBLIC
from vocelio.api.parsers import OrjsonParser, UploadParser, form_fields
from vocelio.api.serializers import MessageSerializer
from vocelio.api.viewsets import ApiViewSet
from vocelio.errors import Invalid
from vocelio.organizations.scope import organization_scope
from vocelio.storage.serializers import in_json

THANKS = "Thank you. We have received your application."


class PublicJobViewSet(ApiViewSet):
    """Jobs on the careers page. Takes no Authorization header; whose job it is follows from its address."""

    authentication_classes = ()
    parser_classes = [UploadParser, OrjsonParser]
    permissions = {"retrieve": PUBLIC, "apply": PUBLIC}

    @extend_schema(responses=PublicJobSerializer)
    def retrieve(self, request: Request, slug: str) -> Response:
        """Show an open public job; 404 alike for one that is not public and one that never was."""
        with organization_scope(careers.organization_of(slug)):
            job = careers.public_job(slug)
            job.consent_text = own_settings().consent_text  # type: ignore[attr-defined]
            return self.respond(PublicJobSerializer(job).data)

    @extend_schema(
        request={"multipart/form-data": ApplySerializer, "application/json": in_json(ApplySerializer)},
        responses={202: MessageSerializer},
    )
    def apply(self, request: Request, slug: str) -> Response:
        """Apply for a public job. The answer is the same whether the person is known or not."""
        with organization_scope(careers.organization_of(slug)):
            job = careers.public_job(slug)
            data = self.validated(ApplySerializer(data=careers_form(request)))
            applied(job, data)
        return Response({"message": THANKS}, status=202)


def careers_form(request: Request) -> dict[str, Any]:
    """Return the fields of the request; those of a form named `answers.<key>` together."""
    given = form_fields(request.data)
    if not isinstance(given, dict):
        raise Invalid("The body is no object.")
    answers = {name.removeprefix("answers."): given.pop(name) for name in list(given) if name.startswith("answers.")}
    return {**given, "answers": answers} if answers else given


def applied(job: JobOpening, data: dict[str, Any]) -> None:
    """Send what a form of strangers holds."""
    names = {"first_name": "firstName", "last_name": "lastName", "cover_note": "coverNote"}
    file, consent = data.pop("file", None), data.pop("consent")
    values = {names.get(name, name): value for name, value in data.items()}
    careers.send_application(job=job, values=values, consent_text=consent, file=file)
