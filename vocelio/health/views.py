"""/health and /metrics"""

import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from vocelio.access.permissions import PUBLIC
from vocelio.api.errors import json_error
from vocelio.api.serializers import Serializer
from vocelio.api.viewsets import ApiViewSet
from vocelio.health import figures as _figures  # noqa: F401 - registers them
from vocelio.health import machine
from vocelio.health.access import has_token
from vocelio.health.checks import STATUSES, UNHEALTHY, check_services, overall
from vocelio.health.metrics import render_metrics


class ServicesSerializer(Serializer):
    """What the installation needs."""

    database = serializers.ChoiceField(STATUSES)
    redis = serializers.ChoiceField(STATUSES)
    s3 = serializers.ChoiceField(STATUSES, help_text="File storage, S3 or not.")
    queue = serializers.ChoiceField(STATUSES)


class MachineSerializer(serializers.Serializer[object]):
    """How busy the machine is; the document spells these in snake case."""

    uptime = serializers.IntegerField(help_text="Seconds since this process started.")
    memory_usage = serializers.CharField()
    cpu_usage = serializers.CharField()


class HealthSerializer(Serializer):
    """The state of the installation."""

    enveloped = False
    status = serializers.ChoiceField(STATUSES)
    timestamp = serializers.DateTimeField()
    services = ServicesSerializer()
    metrics = MachineSerializer()


class HealthViewSet(ApiViewSet):
    """Whether this installation works."""

    permissions = {"retrieve": PUBLIC}
    # A probe is not a caller: no token is read and nothing counted.
    authentication_classes = []
    throttle_classes = []
    serializer_class = HealthSerializer

    @extend_schema(responses={200: HealthSerializer, 503: HealthSerializer}, tags=["health"])
    def retrieve(self, request: Request) -> Response:
        """Try database, Redis, file storage and queue. 503 only when nothing can be served."""
        services = check_services()
        status = overall(services)
        body = {
            "status": status,
            "timestamp": timezone.now(),
            "services": services,
            "metrics": {
                "uptime": machine.uptime(),
                "memory_usage": machine.memory_usage(),
                "cpu_usage": machine.cpu_usage(),
            },
        }
        return Response(body, status=503 if status == UNHEALTHY else 200, headers={"Cache-Control": "no-store"})


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus: with METRICS_TOKEN as bearer token, or unset, from a private address without a proxy."""
    if not may_scrape(request):
        return json_error(403, "FORBIDDEN", "You may not do this.")
    return HttpResponse(render_metrics(), content_type=CONTENT_TYPE_LATEST)


def may_scrape(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        return has_token(request.headers.get("Authorization", ""))
    # What came through a proxy may come from anywhere, whatever address the proxy itself has.
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP")):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_private
    except ValueError:
        return False
