"""/dnc/sources"""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from dnc.models import DncList, Source
from dnc.services import sources
from dnc.sources import all_places
from vocelio.api.serializers import ModelSerializer, PlainJSONField
from vocelio.api.viewsets import CreateMixin, DestroyMixin, ListMixin, RetrieveMixin, TenantViewSet, UpdateMixin


class SourceSerializer(ModelSerializer):
    """Where a list's files come from. The secret is never shown."""

    kind = serializers.ChoiceField(
        [(slug, place.label) for slug, place in all_places().items() if not place.for_operators]
    )
    list_id: serializers.PrimaryKeyRelatedField[DncList] = serializers.PrimaryKeyRelatedField(
        source="list", queryset=DncList.objects
    )
    settings = PlainJSONField(required=False)
    secret = serializers.CharField(write_only=True, required=False, allow_blank=True, max_length=10_000)
    has_secret = serializers.SerializerMethodField()
    update_frequency = serializers.IntegerField(required=False, min_value=1, max_value=8784, help_text="Hours.")

    class Meta:
        model = Source
        fields = [
            "id",
            "kind",
            "list_id",
            "settings",
            "secret",
            "has_secret",
            "auto_update",
            "update_frequency",
            "next_run_at",
            "last_run_at",
            "last_error",
            "failures",
            "created_at",
        ]
        read_only_fields = ["next_run_at", "last_run_at", "last_error", "failures", "created_at"]

    def get_has_secret(self, source: Source) -> bool:
        return bool(source.__dict__.get("secret"))


class SourceChangeSerializer(SourceSerializer):
    """What may change of a source."""

    kind = serializers.CharField(read_only=True)  # type: ignore[assignment]
    list_id = serializers.UUIDField(read_only=True)  # type: ignore[assignment]


class SourceViewSet(ListMixin, CreateMixin, RetrieveMixin, UpdateMixin, DestroyMixin, TenantViewSet):
    """Where lists' files come from by themselves."""

    model = Source
    serializer_class = SourceSerializer
    permissions = dict.fromkeys(["list", "retrieve", "create", "update", "partial_update", "destroy"], "dnc:manage")

    def get_serializer_class(self) -> Any:
        return SourceChangeSerializer if self.action in ("update", "partial_update") else SourceSerializer

    def get_queryset(self) -> QuerySet[Source]:
        return super().get_queryset().filter(list__isnull=False)

    def perform_create(self, data: dict[str, Any]) -> Source:
        return sources.create_source(dnc_list=data.pop("list"), **data)

    def perform_update(self, instance: Source, data: dict[str, Any]) -> Source:
        return sources.update_source(instance, **data)

    def perform_destroy(self, instance: Source) -> str:
        sources.delete_source(instance)
        return "Source deleted successfully"
