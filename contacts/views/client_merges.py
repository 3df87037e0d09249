"""/clients/merge and /clients/{id}/unmerge"""

import uuid
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from contacts.models import Client, ClientMerge
from contacts.serializers.clients import ClientSerializer, client_rows
from contacts.serializers.duplicates import (
    ClientMergeRequestSerializer,
    ClientMergeSerializer,
    UnmergeClientRequestSerializer,
)
from contacts.services import client_merges
from contacts.services.clients import visible_client
from vocelio.api.viewsets import TenantViewSet
from vocelio.errors import Invalid


class ClientMergeViewSet(TenantViewSet):
    """Clients that are made one, and two again."""

    model = Client
    serializer_class = ClientSerializer
    pagination_class = None
    filter_backends: list[Any] = []
    permissions = {"merge": "clients:delete", "merges": "clients:read", "unmerge": "clients:delete"}

    @extend_schema(request=ClientMergeRequestSerializer, responses=ClientSerializer)
    def merge(self, request: Request) -> Response:
        """Make one client of several; people, deals, projects, subsidiaries and all else follow, and can be taken back."""
        data = self.validated(ClientMergeRequestSerializer(data=request.data))
        survivor = visible_client(data["client_id"], self.principal)
        others = [visible_client(each, self.principal, "mergeIds") for each in data["merge_ids"]]
        if len({survivor.pk, *(each.pk for each in others)}) <= len(others):
            raise Invalid.field("mergeIds", "Name each client once.", constraint="unique")
        merged = client_merges.merge_clients(
            survivor=survivor, others=others, principal=self.principal, choices=data.get("choices")
        )
        (row,) = client_rows([merged.pk])
        return self.respond(row)

    @extend_schema(responses=ClientMergeSerializer(many=True), operation_id="client_merges")
    def merges(self, request: Request, pk: uuid.UUID) -> Response:
        """List the merges that made the client what it is, the newest first; those taken back as well."""
        rows = ClientMerge.objects.filter(survivor=self.get_object()).order_by("-merged_at", "-id")
        return Response({"data": ClientMergeSerializer(rows[:100], many=True).data})

    @extend_schema(request=UnmergeClientRequestSerializer, responses=ClientMergeSerializer)
    def unmerge(self, request: Request, pk: uuid.UUID) -> Response:
        """Bring back the client that was merged in last, with all that hung on it."""
        data = self.validated(UnmergeClientRequestSerializer(data=request.data))
        merge = client_merges.unmerge_client(
            client=self.get_object(), principal=self.principal, merge_id=data.get("merge_id")
        )
        return self.respond(ClientMergeSerializer(merge).data)
