"""Dashboards as the API shows them."""

from rest_framework import serializers

from vocelio.api.serializers import ModelSerializer, PersonField, Serializer
from vocelio.dashboards.models import Dashboard, TileChart
from vocelio.dashboards.services.dashboards import MOST_TILES
from vocelio.reports.serializers import DefinitionSerializer, FiguresSerializer


class TileSerializer(Serializer):
    """A saved report, or a question of its own, drawn one way; tiles stand in the order they are given."""

    id = serializers.UUIDField(required=False, help_text="Of a tile that is there; a new one gets its own.")
    title = serializers.CharField(max_length=100, required=False, allow_blank=True)
    report_id = serializers.UUIDField(required=False, allow_null=True)
    definition = DefinitionSerializer(required=False, allow_null=True)
    chart = serializers.ChoiceField(choices=TileChart.choices)
    width = serializers.IntegerField(min_value=1, max_value=4, required=False, help_text="Columns.")
    height = serializers.IntegerField(min_value=1, max_value=4, required=False, help_text="Rows.")


class DashboardSerializer(ModelSerializer):
    tiles = TileSerializer(many=True, max_length=MOST_TILES, required=False)  # type: ignore[call-arg]  # of the list
    owner = PersonField()
    usual_for = serializers.CharField(read_only=True, help_text="The role whose usual dashboard it is, if any.")

    class Meta:
        model = Dashboard
        fields = [
            "id",
            "name",
            "description",
            "is_shared",
            "usual_for",
            "owner",
            "tiles",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]


class TileErrorSerializer(Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class TileFiguresSerializer(Serializer):
    """What a tile shows the caller: figures, or why there are none."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    chart = serializers.ChoiceField(choices=TileChart.choices)
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    figures = FiguresSerializer(allow_null=True)
    error = TileErrorSerializer(allow_null=True)


class DashboardFiguresSerializer(Serializer):
    """All tiles in one answer; each says itself as of when it is."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    tiles = TileFiguresSerializer(many=True)


class CopySerializer(Serializer):
    name = serializers.CharField(max_length=100)
