"""Metrics, questions, answers and saved reports as the API shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from vocelio.api.serializers import ModelSerializer, PersonField, Serializer
from vocelio.jobs.models import JobStatus
from vocelio.languages.translate import translated
from vocelio.reports.models import ReportDelivery, ReportSchedule, SavedReport
from vocelio.reports.periods import Granularity, Preset
from vocelio.reports.registry import Metric
from vocelio.reports.services.questions import MOST_DIMENSIONS, MOST_METRICS, MOST_SHOWN, MOST_VALUES

UNITS = [(unit, unit) for unit in ("number", "money", "percent", "days", "seconds", "bytes")]
CHARTS = [("line", "Line"), ("bar", "Bars"), ("stacked", "Stacked bars"), ("donut", "Donut"), ("table", "Table")]


class FigureValue(serializers.Field):  # type: ignore[type-arg]
    """A figure: a number, money as text, null of nothing."""

    def to_representation(self, value: Any) -> Any:
        return value

    def to_internal_value(self, data: Any) -> Any:
        return data


FIGURE = {"oneOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}]}
extend_schema_field(FIGURE)(FigureValue)


class DimensionSerializer(Serializer):
    """What a metric is divided or narrowed by; `choices` where its values are known beforehand."""

    key = serializers.CharField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=[("text", "Text"), ("id", "Id")])
    choices = serializers.SerializerMethodField()

    @extend_schema_field({"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}})
    def get_choices(self, dimension: Any) -> list[dict[str, str]]:
        return [{"value": value, "label": translated(label)} for value, label in dimension.choices]


class MetricSerializer(Serializer):
    """Something that can be counted."""

    name = serializers.CharField()
    group = serializers.CharField()
    title = serializers.CharField()
    counts = serializers.CharField(help_text="What it counts.")
    unit = serializers.ChoiceField(choices=UNITS)
    is_dated = serializers.SerializerMethodField(help_text="False: a state as of now.")
    dimensions = DimensionSerializer(many=True)

    def get_is_dated(self, metric: Metric) -> bool:
        return bool(metric.date)


class RangeSerializer(Serializer):
    """A preset, or from and to."""

    preset = serializers.ChoiceField(choices=Preset.choices, required=False)
    to = serializers.DateField(required=False)

    def get_fields(self) -> Any:
        # `from` is a word of Python.
        return {"from": serializers.DateField(required=False), **super().get_fields()}


class DefinitionSerializer(Serializer):
    """A question of metrics. What the metrics know is judged by them."""

    metrics = serializers.ListField(child=serializers.CharField(max_length=60), min_length=1, max_length=MOST_METRICS)
    dimensions = serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=MOST_DIMENSIONS, required=False
    )
    filters = serializers.DictField(
        child=serializers.ListField(
            child=serializers.CharField(max_length=300, allow_null=True, allow_blank=True),
            min_length=1,
            max_length=MOST_VALUES,
        ),
        required=False,
        help_text="By dimension, the values to keep; null keeps rows without one.",
    )
    range = RangeSerializer(required=False)
    granularity = serializers.ChoiceField(choices=Granularity.choices, required=False, allow_blank=True)
    compare = serializers.BooleanField(required=False, help_text="With the period before.")
    limit = serializers.IntegerField(min_value=1, max_value=MOST_SHOWN, required=False)

    def to_internal_value(self, data: Any) -> Any:
        """Return the definition as it was given: what is stored is what the API takes."""
        read = super().to_internal_value(data)
        for name, day in read.get("range", {}).items():
            read["range"][name] = str(day)
        return read

    def to_representation(self, instance: Any) -> Any:
        return instance


class ComparisonSerializer(Serializer):
    """The same of the period before."""

    data = serializers.ListField(child=FigureValue())  # type: ignore[assignment]  # the API's name
    total = FigureValue(allow_null=True)


class SeriesSerializer(Serializer):
    """A value for each label."""

    metric = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # the API's name
    unit = serializers.ChoiceField(choices=UNITS)
    data = serializers.ListField(child=FigureValue())  # type: ignore[assignment]  # the API's name
    total = FigureValue(allow_null=True)
    previous = ComparisonSerializer(allow_null=True)


class TotalSerializer(Serializer):
    """A metric over the whole period; `change` in percent of what it was before."""

    metric = serializers.CharField()
    title = serializers.CharField()
    unit = serializers.ChoiceField(choices=UNITS)
    value = FigureValue(allow_null=True)
    previous = FigureValue(allow_null=True)
    change = serializers.FloatField(allow_null=True)


class AxisSerializer(Serializer):
    kind = serializers.ChoiceField(choices=[("time", "Time"), ("dimension", "Dimension"), ("none", "None")])
    key = serializers.CharField(allow_blank=True)
    title = serializers.CharField(allow_blank=True)


class DaysSerializer(Serializer):
    """Days, both included."""

    to = serializers.DateField()

    def get_fields(self) -> Any:
        return {"from": serializers.DateField(), **super().get_fields()}


class FiguresSerializer(Serializer):
    """An answer, ready to be drawn."""

    title = serializers.CharField()
    range = DaysSerializer()
    time_zone = serializers.CharField()
    compared_with = DaysSerializer(allow_null=True)
    currency = serializers.CharField(allow_blank=True, help_text="What money is in.")
    axis = AxisSerializer()
    labels = serializers.ListField(child=serializers.CharField())
    series = SeriesSerializer(many=True)
    totals = TotalSerializer(many=True)
    is_cut = serializers.BooleanField(help_text="Small values were put together, or left out.")
    as_of = serializers.DateTimeField()


class SavedReportSerializer(ModelSerializer):
    definition = DefinitionSerializer()
    chart = serializers.ChoiceField(choices=CHARTS, required=False, allow_blank=True)
    owner = PersonField()

    class Meta:
        model = SavedReport
        fields = [
            "id",
            "name",
            "description",
            "definition",
            "chart",
            "is_shared",
            "owner",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]


class ScheduleSerializer(ModelSerializer):
    recipients = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=50)
    owner = PersonField()

    class Meta:
        model = ReportSchedule
        fields = [
            "id",
            "report_id",
            "frequency",
            "hour",
            "day",
            "format",
            "recipients",
            "is_active",
            "next_at",
            "failures",
            "stopped_reason",
            "owner",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["report_id", "next_at", "failures", "stopped_reason", "created_at", "updated_at"]
        extra_kwargs = {"hour": {"max_value": 23}, "day": {"min_value": 1, "max_value": 28}}


class OutcomeSerializer(Serializer):
    user_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=[("sent", "Sent"), ("skipped", "Skipped")])
    reason = serializers.CharField(allow_blank=True)


class DeliverySerializer(ModelSerializer):
    status = serializers.ChoiceField(choices=JobStatus.choices)
    outcomes = OutcomeSerializer(many=True)

    class Meta:
        model = ReportDelivery
        fields = [
            "id",
            "report_id",
            "schedule_id",
            "status",
            "due_at",
            "sent",
            "skipped",
            "outcomes",
            "error_code",
            "error_message",
            "created_at",
            "completed_at",
        ]
        read_only_fields = fields
