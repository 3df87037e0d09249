"""/analytics/contacts, /contacts/{id}/erase and /erasures"""

import csv
import io
import uuid
from datetime import date, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Contact, Erasure
from contacts.serializers.reports import ANALYTICS, EraseRequestSerializer, ErasureSerializer
from contacts.services.analytics import describe_contacts, flat_rows
from contacts.services.erasures import erase_contact
from vocelio.api.negotiation import DownloadNegotiation
from vocelio.api.viewsets import ListMixin, RetrieveMixin, TenantViewSet
from vocelio.errors import Invalid
from vocelio.formulas import harmless

RANGE = [
    OpenApiParameter("from", OpenApiTypes.DATE, description="First day (UTC); 30 days back by default."),
    OpenApiParameter("to", OpenApiTypes.DATE, description="Last day (UTC); today by default."),
]


class ContactAnalyticsViewSet(TenantViewSet):
    """The organization's contacts in figures."""

    model = Contact
    permissions = {"figures": "analytics:read"}

    @extend_schema(parameters=RANGE, responses={200: ANALYTICS}, operation_id="contact_analytics")
    def figures(self, request: Request) -> Response:
        """Show growth, sources, validity, duplicates, list sizes and import outcomes over some days."""
        return self.respond(_figures(request))


class ContactAnalyticsFileViewSet(TenantViewSet):
    """The same figures as a file."""

    model = Contact
    content_negotiation_class = DownloadNegotiation
    permissions = {"export": "analytics:read"}

    @extend_schema(parameters=RANGE, responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def export(self, request: Request) -> HttpResponse:
        """Download the figures as CSV: section, name, value."""
        figures = _figures(request)
        text = io.StringIO()
        csv.writer(text).writerows([harmless(str(cell)) for cell in row] for row in flat_rows(figures))
        name = f"contacts-{figures['from']}-{figures['to']}.csv"
        return HttpResponse(
            "\ufeff" + text.getvalue(),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


class ErasureViewSet(ListMixin, RetrieveMixin, TenantViewSet):
    """Certificates of erasure."""

    model = Erasure
    serializer_class = ErasureSerializer
    sort_fields = {"erasedAt": "erased_at"}
    default_sort = "-erasedAt"
    permissions = dict.fromkeys(["list", "retrieve"], "contacts:erase")


class EraseViewSet(TenantViewSet):
    """The right to be forgotten."""

    model = Contact
    permissions = {"erase": "contacts:erase"}

    @extend_schema(request=EraseRequestSerializer, responses=ErasureSerializer)
    def erase(self, request: Request, pk: uuid.UUID) -> Response:
        """Remove a person from every part of the product, for good; numbers and addresses stay suppressed."""
        contact = self.get_object()
        data = self.validated(EraseRequestSerializer(data=request.data))
        return self.respond(ErasureSerializer(erase_contact(contact=contact, reason=data.get("reason", ""))).data)


def _figures(request: Request) -> dict[str, Any]:
    today = timezone.now().date()
    last = _day(request, "to", today)
    return describe_contacts(first=_day(request, "from", last - timedelta(days=29)), last=last)


def _day(request: Request, name: str, default: date) -> date:
    text = request.query_params.get(name)
    if not text:
        return default
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = date.min
    if not 1970 <= day.year <= 9000:
        raise Invalid.field(name, "This must be a date, as in 2026-12-31.", value=text[:50], constraint="date")
    return day
