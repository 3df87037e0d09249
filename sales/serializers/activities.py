from rest_framework import serializers

from contacts.serializers.fields import MomentField, OwnerField
from sales.models import Activity, Disposition
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, Serializer

FOUR_WEEKS = 40_320


class ActivitySerializer(ModelSerializer):
    """A call, meeting, task or note."""

    notes = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    outcome = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    due_at = MomentField(required=False, allow_null=True)
    duration_minutes = serializers.IntegerField(min_value=1, max_value=FOUR_WEEKS, required=False, allow_null=True)
    remind_minutes = serializers.IntegerField(
        min_value=0, max_value=FOUR_WEEKS, required=False, allow_null=True, help_text="Before it is due."
    )
    recurrence = serializers.CharField(
        required=False, allow_blank=True, max_length=200, help_text="RFC 5545: FREQ=WEEKLY;BYDAY=MO, for example."
    )
    deal = NamedSerializer()
    deal_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    client = NamedSerializer()
    client_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    contact = NamedSerializer()
    contact_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    project = NamedSerializer()
    project_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    disposition = serializers.CharField(read_only=True, help_text="How the call ended; empty until it did.")
    assigned_to = OwnerField(help_text="The caller unless given.")
    created_by = PersonField()
    completed_by = PersonField()

    class Meta:
        model = Activity
        fields = [
            "id",
            "kind",
            "subject",
            "notes",
            "location",
            "priority",
            "due_at",
            "duration_minutes",
            "remind_minutes",
            "remind_at",
            "recurrence",
            "series_id",
            "occurrence",
            "completed_at",
            "completed_by",
            "disposition",
            "outcome",
            "deal",
            "deal_id",
            "client",
            "client_id",
            "contact",
            "contact_id",
            "project",
            "project_id",
            "assigned_to",
            "created_by",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            "remind_at",
            "series_id",
            "occurrence",
            "completed_at",
            "disposition",
            "created_at",
            "updated_at",
        ]


class CompletionSerializer(Serializer):
    """How it went."""

    disposition = serializers.ChoiceField(
        choices=[("", ""), *Disposition.choices], required=False, allow_blank=True, help_text="Of a call."
    )
    outcome = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    callback_at = MomentField(required=False, allow_null=True, help_text="Plans a call back.")


class CompletedSerializer(ActivitySerializer):
    """The activity, and what follows it: the next of its series, or the call back."""

    following = ActivitySerializer(read_only=True, allow_null=True)

    class Meta(ActivitySerializer.Meta):
        fields = [*ActivitySerializer.Meta.fields, "following"]


class DayCountsSerializer(Serializer):
    overdue = serializers.IntegerField(min_value=0)
    today = serializers.IntegerField(min_value=0)
    done_today = serializers.IntegerField(min_value=0)
    rotting_deals = serializers.IntegerField(min_value=0)


class DealHintSerializer(Serializer):
    """A deal that needs attention."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    stage = serializers.CharField(source="stage.name")
    stage_entered_at = serializers.DateTimeField()


class DaySerializer(Serializer):
    """What the caller has to do today; each list its first 100."""

    date = serializers.DateField()
    time_zone = serializers.CharField()
    counts = DayCountsSerializer()
    overdue = ActivitySerializer(many=True)
    today = ActivitySerializer(many=True)
    done_today = ActivitySerializer(many=True)
    rotting_deals = DealHintSerializer(many=True)


class CalendarSerializer(Serializer):
    """The secret address, shown this once."""

    url = serializers.CharField()
    created_at = serializers.DateTimeField()
