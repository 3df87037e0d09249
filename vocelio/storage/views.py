"""/uploads/presign and /uploads/files"""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.access.permissions import PUBLIC
from vocelio.api.parsers import UploadParser
from vocelio.api.viewsets import ApiViewSet, TenantViewSet
from vocelio.organizations.models import Organization
from vocelio.storage import uploads
from vocelio.storage.serializers import SentFileSerializer, UploadFormFieldsSerializer


class PresignViewSet(TenantViewSet):
    """Forms for files that go past this server."""

    model = Organization
    permissions = {"create": "files:upload"}

    @extend_schema(request=None, responses={201: UploadFormFieldsSerializer})
    def create(self, request: Request) -> Response:
        """Return a signed form for one file, valid five minutes.

        Post its fields and, last, `file` to its `url` as multipart/form-data, without an Authorization header; the
        answer is 204. Then name the `key` where you would send the file: `POST /uploads/contacts {key, filename}`.
        The file leads nowhere else, and is deleted a day later unless it was taken.
        """
        return self.respond(UploadFormFieldsSerializer(uploads.presign_upload()).data, status=201)


class SentFileViewSet(ApiViewSet):
    """Where such a form leads when the files lie in a folder. Its signature lets it in, no Authorization header."""

    authentication_classes = ()
    parser_classes = [UploadParser]
    permissions = {"create": PUBLIC}

    @extend_schema(request={"multipart/form-data": SentFileSerializer}, responses={204: None})
    def create(self, request: Request) -> Response:
        """Take the file of a signed form."""
        uploads.receive_upload(**self.validated(SentFileSerializer(data=request.data)))
        return Response(status=204)
