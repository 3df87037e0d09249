"""/dnc/scrub-campaign, /dnc/scrub-results, /dnc/certificates, /dnc/registry-accesses, /dnc/analytics"""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dnc.filters import CertificateFilter, ScrubFilter, ScrubResultFilter
from dnc.models import Certificate, RegistryAccess, Scrub, ScrubOutcome, ScrubResult
from dnc.serializers.scrubs import (
    AnalyticsSerializer,
    CertificateSerializer,
    ChainSerializer,
    RegistryAccessSerializer,
    ScrubRequestSerializer,
    ScrubResultSerializer,
    ScrubSerializer,
    ScrubStartedSerializer,
)
from dnc.services import scrubs
from dnc.services.analytics import compliance
from dnc.services.certificate_pdf import render_pdf
from dnc.services.certificates import verify_chain
from dnc.services.decision import CODES
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.pagination import whole_number
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.errors import Invalid


class ScrubViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Scrubs of contact lists."""

    model = Scrub
    serializer_class = ScrubSerializer
    filterset_class = ScrubFilter
    permissions = dict.fromkeys(["list", "retrieve", "create", "cancel", "unwatch"], "dnc:manage")

    def get_queryset(self) -> Any:
        return super().get_queryset().select_related("created_by")

    @extend_schema(request=ScrubRequestSerializer, responses={202: ScrubStartedSerializer})
    def create(self, request: Request) -> Response:
        """Scrub contact lists against Do-Not-Call lists in the background.

        Without `dncListIds` all active lists are consulted; the company's own always are. The clean list is kept
        clean: a change of a list scrubs again, unless `options.keepClean` is off.
        """
        data = self.validated(ScrubRequestSerializer(data=request.data))
        options = data.get("options") or {}
        scrub = scrubs.start_scrub(
            contact_list_ids=data["contact_list_ids"],
            dnc_list_ids=data["dnc_list_ids"],
            campaign_id=data.get("campaign_id"),
            mode=options.get("mode", "manual"),
            create_clean_list=options.get("create_clean_list", True),
            clean_list_name=options.get("clean_list_name", "").strip(),
            watch=options.get("keep_clean", True),
        )
        return self.respond(ScrubStartedSerializer(scrub).data, status=202)

    @extend_schema(request=None, responses=ScrubSerializer)
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop a scrub after the chunk in hand."""
        return self.respond(self.represent(scrubs.cancel_scrub(self.get_object())))

    @extend_schema(request=None, responses=ScrubSerializer)
    def unwatch(self, request: Request, pk: str) -> Response:
        """Leave the clean list as it is when lists change."""
        return self.respond(self.represent(scrubs.stop_watching(self.get_object())))


class ScrubResultViewSet(ListMixin, TenantViewSet):
    """What a scrub found for each number."""

    model = Scrub
    serializer_class = ScrubResultSerializer
    filterset_class = ScrubResultFilter
    sort_fields = {"phoneNumber": "id"}
    default_sort = "phoneNumber"
    permissions = {"list": "dnc:manage"}

    @extend_schema(operation_id="dnc_scrub_results_numbers_list")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Show a scrub's numbers, each with its code and every reason."""
        scrub = self.get_object()
        outcomes = {each.number: each.verdict for each in ScrubOutcome.objects.filter(scrub=scrub)}
        rows = self.filter_queryset(ScrubResult.objects.get_queryset().of(scrub))
        page = self.paginator.paginate_queryset(rows, request, view=self)  # type: ignore[union-attr]
        data = ScrubResultSerializer(page, many=True, context={"outcomes": outcomes}).data
        response: Response = self.paginator.get_paginated_response(data)  # type: ignore[union-attr]
        return response


class ScrubFileViewSet(TenantViewSet):
    """A scrub's results and certificates as files."""

    model = Scrub
    content_negotiation_class = DownloadNegotiation
    permissions = {"export": "dnc:manage"}

    @extend_schema(
        parameters=[OpenApiParameter("code", enum=list(CODES), description="Only numbers with this code.")],
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
    )
    def export(self, request: Request, pk: str) -> StreamingHttpResponse:
        """Download a scrub's numbers as CSV, each with its code, reasons and what is allowed."""
        scrub, code = self.get_object(), request.query_params.get("code", "")
        if code and code not in CODES:
            raise Invalid.field("code", f"There is: {', '.join(CODES)}.", value=code[:10], constraint="choice")
        return StreamingHttpResponse(
            scrubs.export_results(scrub, code),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="scrub-{scrub.id}.csv"'},
        )


class CertificateViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Evidence of checks and scrubs."""

    model = Certificate
    serializer_class = CertificateSerializer
    filterset_class = CertificateFilter
    sort_fields = {"createdAt": "created_at", "number": "number"}
    permissions = dict.fromkeys(["list", "retrieve", "verify"], "dnc:manage")

    @extend_schema(responses=ChainSerializer)
    def verify(self, request: Request) -> Response:
        """Recompute the chain of certificates up to the first that does not hold."""
        return self.respond(ChainSerializer(verify_chain()).data)


class CertificateFileViewSet(TenantViewSet):
    """A certificate as a page."""

    model = Certificate
    content_negotiation_class = DownloadNegotiation
    permissions = {"pdf": "dnc:manage"}

    @extend_schema(responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    def pdf(self, request: Request, pk: str) -> HttpResponse:
        """Download a certificate as PDF."""
        certificate = self.get_object()
        return HttpResponse(
            render_pdf(certificate),
            content_type="application/pdf",
            headers={"Content-Disposition": f'attachment; filename="dnc-certificate-{certificate.number}.pdf"'},
        )


class RegistryAccessViewSet(ListMixin, TenantViewSet):
    """Who looked into which registries, when and under which subscription."""

    model = RegistryAccess
    serializer_class = RegistryAccessSerializer
    permissions = {"list": "dnc:manage"}


class AnalyticsViewSet(TenantViewSet):
    """Compliance in figures."""

    model = Scrub
    permissions = {"retrieve": "dnc:manage"}

    @extend_schema(
        operation_id="dnc_analytics_retrieve",
        parameters=[OpenApiParameter("days", int, description="How many days back, 30 unless given.")],
        responses=AnalyticsSerializer,
    )
    def retrieve(self, request: Request) -> Response:
        """Show rates, counts and their trend over some days."""
        return self.respond(AnalyticsSerializer(compliance(whole_number(request, "days", 30, 1, 366))).data)
