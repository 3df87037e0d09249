"""The base of every view that serves an organization's data, and the actions most resources have.

class ContactListViewSet(ListMixin, CreateMixin, TenantViewSet):
    model = ContactList
    serializer_class = ContactListSerializer
    permissions = {"list": "lists:read", "create": "lists:manage"}

    def perform_create(self, data):
        return create_list(**data)
"""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import Any, ClassVar

from django.core.files.base import File
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.template.response import SimpleTemplateResponse
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import ViewSetMixin

from vocelio.access.permissions import required_permission
from vocelio.access.principal import Principal
from vocelio.api.idempotency import StoredAnswer, claim_key, keep_answer
from vocelio.api.models import IdempotencyKey
from vocelio.api.serializers import MessageSerializer
from vocelio.api.throttles import Count, rate_limit_headers
from vocelio.audit.context import identify
from vocelio.audit.services import record
from vocelio.db.counting import bounded_count
from vocelio.languages.middleware import speak_to
from vocelio.languages.translate import translated
from vocelio.organizations.scope import organization_scope


class ApiViewSet(ViewSetMixin, GenericAPIView):  # type: ignore[type-arg]
    """Base of views outside any organization, such as signing in."""

    permissions: ClassVar[dict[str, str]]
    throttle_scopes: ClassVar[dict[str, str]] = {}
    rate_limit: Count | None = None
    sort_fields: ClassVar[dict[str, str]] = {"createdAt": "created_at"}
    default_sort = "-createdAt"
    lookup_value_converter = "uuid"
    # Whether a repeated Idempotency-Key replays the first answer.
    keeps_answers = False

    @property
    def principal(self) -> Principal:
        """The signed-in caller."""
        assert isinstance(self.request.user, Principal)  # noqa: S101 - RolePermission let nobody else through
        return self.request.user

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.format_kwarg = self.get_format_suffix(**kwargs)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        request.version, request.versioning_scheme = None, None
        self.perform_authentication(request)
        if isinstance(request.user, Principal):
            identify(request.user.user_id)
            speak_to(request.user, with_time_zone=False)
        self.check_throttles(request)
        self.check_permissions(request)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in rate_limit_headers(self.rate_limit).items():
            response[name] = value
        return response

    def respond(self, data: Any, status: int = 200) -> Response:
        """Answer one resource in its envelope."""
        return Response({"data": data}, status=status)

    def represent(self, instance: Any) -> Any:
        """Return one resource as API data; override for speed."""
        return self.get_serializer(instance).data

    def message(self, message: str, **extra: Any) -> Response:
        """Answer a confirmation without a resource."""
        return Response({"message": translated(message), **extra})

    def validated(self, serializer: BaseSerializer[Any] | None = None) -> dict[str, Any]:
        """Return the body's valid data; raise with every bad field otherwise."""
        serializer = serializer or self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        return data

    def read_page(self, queryset: QuerySet[Any], offset: int, limit: int) -> tuple[Iterable[Any], int, bool]:
        """Return a page's rows, the list's total and whether that is exact; override where more is known."""
        total, is_exact = bounded_count(queryset)
        if offset < 1000:
            return queryset[offset : offset + limit], total, is_exact
        # Skipping ids in the index costs a tenth of skipping whole rows.
        keys = list(queryset.values_list("pk", flat=True)[offset : offset + limit])
        return queryset.filter(pk__in=keys), total, is_exact

    def read_on(self, queryset: QuerySet[Any], position: Q, limit: int) -> Sequence[Any]:
        """Return the rows that follow a cursor's position in the queryset's order."""
        return list(queryset.filter(position)[:limit])


class TenantViewSet(ApiViewSet):
    """Opens the caller's organization scope around the action, keeps idempotency keys, audits refusals."""

    # A tenant table, or one outside the policies whose QuerySet has visible_to() all the same.
    model: ClassVar[Any]
    keeps_answers = True
    # The actions that take If-Match (conditions.py).
    versioned_actions: ClassVar[tuple[str, ...]] = ()
    _scope: ExitStack
    _key: IdempotencyKey | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        with ExitStack() as self._scope:
            response: Any = super().dispatch(request, *args, **kwargs)
            if isinstance(response, SimpleTemplateResponse):
                # Rendered inside the scope, since the browsable API still reads tables. A file is its own body.
                response.render()
            if connection.in_atomic_block and response.status_code >= 400:
                transaction.set_rollback(True)
            elif self._key is not None:
                keep_answer(self._key, response)
        if response.status_code == 403:
            self._audit_refusal()
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        caller = self.principal
        self._scope.enter_context(organization_scope(caller.organization_id))
        if request.method not in SAFE_METHODS and self.keeps_answers:
            self._key = claim_key(request, caller)

    def close_at_end(self, file: "File[bytes]") -> None:
        """Have a file closed once the action is over, however it ends."""
        self._scope.callback(file.close)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, StoredAnswer):
            return exc.response
        return super().handle_exception(exc)

    def get_queryset(self) -> QuerySet[Any]:
        """Return what the caller may see; override to add joins or annotations, never to widen."""
        is_described = getattr(self, "swagger_fake_view", False)
        objects = self.model.objects
        rows: QuerySet[Any] = objects.none() if is_described else objects.get_queryset().visible_to(self.principal)
        return rows

    def get_object(self) -> Any:
        """Return the row of the address among those the caller may see; a foreign id reads like an unknown one."""
        return get_object_or_404(self.get_queryset(), pk=self.kwargs["pk"])

    def _audit_refusal(self) -> None:
        request = self.request
        if isinstance(request.user, Principal):
            with organization_scope(request.user.organization_id):
                record(
                    "access.refused",
                    self.model._meta.model_name or "",
                    self.kwargs.get("pk", ""),
                    permission=required_permission(self, request) or "",
                    method=request.method,
                    path=request.path[:200],
                )


class ListMixin:
    """GET a page of the collection."""

    def list(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        queryset = self.filter_queryset(self.get_queryset())
        page = self.paginator.paginate_queryset(queryset, request, view=self)
        response: Response = self.paginator.get_paginated_response(self.serialize_page(page))
        return response

    def serialize_page(self: Any, page: Sequence[Any]) -> Any:
        """Return the rows of a page as API data; override for speed."""
        return self.get_serializer(page, many=True).data


class RetrieveMixin:
    """GET one."""

    def retrieve(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = self.respond(self.represent(self.get_object()))
        return response


class CreateMixin:
    """POST one; `perform_create(data)` calls the service and returns the instance."""

    def create(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        instance = self.perform_create(self.validated())
        response: Response = self.respond(self.represent(instance), status=201)
        return response


class UpdateMixin:
    """PUT and PATCH, both with a partial body; `perform_update(instance, data)` calls the service."""

    def update(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        instance = self.get_object()
        data = self.validated(self.get_serializer(instance, data=request.data, partial=True))
        response: Response = self.respond(self.represent(self.perform_update(instance, data)))
        return response

    def partial_update(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = self.update(request, *args, **kwargs)
        return response


class DestroyMixin:
    """DELETE one; `perform_destroy(instance)` calls the service and returns the message."""

    @extend_schema(responses={200: MessageSerializer})
    def destroy(self: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = self.message(self.perform_destroy(self.get_object()))
        return response
