"""/clients, and a contact's relations to them"""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.filters.clients import ClientFilter, PersonAtClientFilter
from contacts.models import Client, ClientContact, Contact, LiveClient
from contacts.models.clients import LiveClientQuerySet
from contacts.serializers.clients import (
    ClientBulkResultSerializer,
    ClientBulkSerializer,
    ClientHistorySerializer,
    ClientSerializer,
    ClientSummarySerializer,
    PersonAtClientSerializer,
    RelationSerializer,
    RelationsSerializer,
    TrashedClientSerializer,
    VerificationSerializer,
    client_rows,
)
from contacts.services import client_bulk, client_relations, clients
from contacts.services.client_summaries import summarize_client
from vocelio.api.filters import PAGING
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin
from vocelio.audit.models import AuditEntry
from vocelio.db.counting import bounded_count
from vocelio.users.models import User


class ClientViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Companies to sell to and to recruit for."""

    model = Client
    serializer_class = ClientSerializer
    filterset_class = ClientFilter
    sort_fields = {"createdAt": "created_at", "updatedAt": "updated_at", "name": "sort_name"}
    permissions = {
        "list": "clients:read",
        "retrieve": "clients:read",
        "summary": "clients:read",
        "history": "clients:read",
        "create": "clients:write",
        "update": "clients:write",
        "partial_update": "clients:write",
        "destroy": "clients:delete",
        "restore": "clients:delete",
        "trash": "clients:delete",
        "verify": "clients:verify",
        "bulk_operations": "clients:bulk",
    }

    def get_queryset(self) -> QuerySet[Any]:
        if self.action == "list" and not getattr(self, "swagger_fake_view", False):
            live: QuerySet[Any] = LiveClient.objects.get_queryset().visible_to(self.principal)
            return live
        visible: Any = super().get_queryset().defer("search")
        chosen: QuerySet[Any] = visible.in_trash() if self.action in ("trash", "restore") else visible.alive()
        return chosen

    def read_page(self, queryset: QuerySet[Any], offset: int, limit: int) -> tuple[Iterable[dict[str, Any]], int, bool]:
        if not isinstance(queryset, LiveClientQuerySet):
            return super().read_page(queryset, offset, limit)
        population, is_exact = self._population()
        if not self._is_narrowed():
            return list(queryset.keys()[offset : offset + limit]), population, is_exact
        return queryset.read_page(offset, limit, population=population)

    def read_on(self, queryset: QuerySet[Any], position: Q, limit: int) -> Sequence[dict[str, Any]]:
        if not isinstance(queryset, LiveClientQuerySet):
            return super().read_on(queryset, position, limit)
        if not self._is_narrowed():
            return list(queryset.filter(position).keys()[:limit])
        return queryset.read_page(0, limit, population=self._population()[0], position=position)[0]

    def serialize_page(self, page: Sequence[dict[str, Any]]) -> Any:
        return client_rows([key["id"] for key in page])

    def represent(self, instance: Client) -> Any:
        (row,) = client_rows([instance.pk])
        return row

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        client_id = kwargs["pk"]
        if self.principal.sees_own_team_only and not self.get_queryset().filter(pk=client_id).exists():
            raise Http404
        rows = client_rows([client_id])
        if not rows:
            raise Http404
        return self.respond(rows[0])

    def perform_create(self, data: dict[str, Any]) -> Client:
        return clients.create_client(principal=self.principal, **data)

    def perform_update(self, instance: Client, data: dict[str, Any]) -> Client:
        return clients.update_client(client=instance, principal=self.principal, **data)

    def perform_destroy(self, instance: Client) -> str:
        clients.delete_client(client=instance)
        return "Client deleted successfully"

    @extend_schema(responses=TrashedClientSerializer(many=True))
    @action(
        detail=False,
        serializer_class=TrashedClientSerializer,
        filterset_class=None,
        sort_fields={"deletedAt": "deleted_at"},
        default_sort="-deletedAt",
    )
    def trash(self, request: Request) -> Response:
        """List what was deleted in the last 30 days."""
        queryset = self.filter_queryset(self.get_queryset()).values("id", "deleted_at")
        page = self.paginate_queryset(queryset) or []
        return self.get_paginated_response(client_rows([key["id"] for key in page], trash=True))

    @extend_schema(request=None, responses=ClientSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: uuid.UUID) -> Response:
        """Bring a client back from the trash."""
        return self.respond(self.represent(clients.restore_client(client=self.get_object(), principal=self.principal)))

    @extend_schema(request=VerificationSerializer, responses=ClientSerializer)
    @action(detail=True, methods=["post"], serializer_class=VerificationSerializer)
    def verify(self, request: Request, pk: uuid.UUID) -> Response:
        """Say that the company was checked and is, or is not, what it says. Another name, domain or tax number undoes it."""
        client = self.get_object()
        return self.respond(self.represent(clients.verify_client(client=client, **self.validated())))

    @extend_schema(responses=ClientSummarySerializer)
    @action(detail=True, filterset_class=None)
    def summary(self, request: Request, pk: uuid.UUID) -> Response:
        """Show what matters at a glance: people, subsidiaries, open deals and jobs, when something last happened."""
        summary = summarize_client(client=self.get_object(), principal=self.principal)
        return self.respond(ClientSummarySerializer(summary).data)

    @extend_schema(responses=ClientHistorySerializer(many=True))
    @action(
        detail=True, url_path="audit-trail", filterset_class=None, sort_fields={"timestamp": "created_at"},
        default_sort="-timestamp",
    )  # fmt: skip
    def history(self, request: Request, pk: uuid.UUID) -> Response:
        """List who changed which fields of the client, without values."""
        client = self.get_object()
        entries = AuditEntry.objects.filter(resource="client", resource_id=str(client.pk))
        page = self.paginate_queryset(self.filter_queryset(entries)) or []
        return self.get_paginated_response(ClientHistorySerializer(with_names(page), many=True).data)

    @extend_schema(request=ClientBulkSerializer, responses=ClientBulkResultSerializer)
    @action(detail=False, methods=["post"], url_path="bulk-operations", serializer_class=ClientBulkSerializer)
    def bulk_operations(self, request: Request) -> Response:
        """Change up to 10,000 clients at once; each that fails is listed with the reason."""
        data = self.validated()
        operation = client_bulk.ACTIONS[data["action"]]
        result = operation(principal=self.principal, client_ids=data["client_ids"], **data.get("data", {}))
        return Response(result.answer())

    def _population(self) -> tuple[int, bool]:
        visible: Any = Client.objects.get_queryset().visible_to(self.principal)
        return bounded_count(visible.alive())

    def _is_narrowed(self) -> bool:
        if self.principal.sees_own_team_only:
            return True
        return any(value and name not in PAGING for name, value in self.request.query_params.items())


class ClientPeopleViewSet(TenantViewSet):
    """The people of one client."""

    model = Client
    serializer_class = PersonAtClientSerializer
    filterset_class = PersonAtClientFilter
    sort_fields = {"createdAt": "created_at", "isPrimary": "is_primary"}
    permissions = {"list": "clients:read", "create": "clients:write"}

    def get_object(self) -> Client:
        clients_of_caller: Any = self.get_queryset()
        client: Client | None = clients_of_caller.alive().filter(pk=self.kwargs["pk"]).first()
        if client is None:
            raise Http404
        return client

    def list(self, request: Request, pk: uuid.UUID) -> Response:
        """List who belongs, or belonged, to the client, and as what."""
        relations: Any = ClientContact.objects.alive().visible_to(self.principal).filter(client=self.get_object())
        page = self.paginate_queryset(self.filter_queryset(relations.select_related("contact"))) or []
        return self.get_paginated_response(PersonAtClientSerializer(page, many=True).data)

    @extend_schema(responses={201: PersonAtClientSerializer})
    def create(self, request: Request, pk: uuid.UUID) -> Response:
        """Add a person to the client."""
        client = self.get_object()
        data = self.validated()
        contact = client_relations.contact_to_add(data.pop("contact_id"), self.principal)
        relation = client_relations.add_relation(client=client, contact=contact, **data)
        return self.respond(PersonAtClientSerializer(relation).data, status=201)


class ContactRelationsViewSet(TenantViewSet):
    """The clients one contact belongs to."""

    model = Contact
    serializer_class = RelationsSerializer
    permissions = {"retrieve": "clients:read", "update": "clients:write"}

    def get_object(self) -> Contact:
        contacts_of_caller: Any = self.get_queryset()
        contact: Contact | None = contacts_of_caller.alive().defer("search").filter(pk=self.kwargs["pk"]).first()
        if contact is None:
            raise Http404
        return contact

    @extend_schema(responses=RelationsSerializer)
    def retrieve(self, request: Request, pk: uuid.UUID) -> Response:
        """Show where the contact belongs, or belonged, and as what."""
        return self.respond(self._shown(self.get_object()))

    @extend_schema(request=RelationsSerializer, responses=RelationsSerializer)
    def update(self, request: Request, pk: uuid.UUID) -> Response:
        """Set where the contact belongs, past relations included.

        One with an `id` changes that relation, one without is new, one that is missing is removed. A primary one
        takes the flag from whoever was the client's primary contact.
        """
        contact = self.get_object()
        client_relations.set_relations(
            contact=contact, principal=self.principal, relations=self.validated()["relationships"]
        )
        return self.respond(self._shown(contact))

    def _shown(self, contact: Contact) -> dict[str, Any]:
        relations: Any = ClientContact.objects.alive().visible_to(self.principal).filter(contact=contact)
        relations = relations.select_related("client").defer("client__search").order_by("-created_at", "-id")
        return {"relationships": RelationSerializer(relations, many=True).data}


def with_names(entries: Sequence[Any]) -> Sequence[Any]:
    """Give entries of a log the names of who made them, as `user`."""
    names = {user.pk: str(user) for user in User.objects.filter(pk__in={entry.user_id for entry in entries})}
    for entry in entries:
        entry.user = names.get(entry.user_id)
    return entries
