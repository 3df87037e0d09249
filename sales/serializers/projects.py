from rest_framework import serializers

from contacts.serializers.fields import DayField, OwnerField, currency_field, money_field, version_field
from sales.models import Milestone, Project, ProjectMember, ProjectTimelineEntry
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, Serializer


class ProjectMemberSerializer(ModelSerializer):
    """Who works on the project, as what and with how much of their time."""

    user = PersonField()
    user_id = serializers.UUIDField(write_only=True)
    allocation = serializers.IntegerField(min_value=1, max_value=100, required=False, help_text="Percent.")
    starts_on = DayField(required=False, allow_null=True)
    ends_on = DayField(required=False, allow_null=True)

    class Meta:
        model = ProjectMember
        fields = ["id", "user", "user_id", "role", "allocation", "starts_on", "ends_on"]


class ProjectMemberChangeSerializer(ProjectMemberSerializer):
    """What may change of it; another person is another member."""

    class Meta(ProjectMemberSerializer.Meta):
        fields = ["id", "user", "role", "allocation", "starts_on", "ends_on"]

    user_id = None  # type: ignore[assignment]


class MilestoneSerializer(ModelSerializer):
    """Something the project reaches on a day."""

    description = serializers.CharField(required=False, allow_blank=True, max_length=5_000)
    due_on = DayField()
    is_completed = serializers.SerializerMethodField()
    completed_by = PersonField()

    class Meta:
        model = Milestone
        fields = ["id", "name", "description", "due_on", "is_completed", "completed_at", "completed_by"]
        read_only_fields = ["completed_at"]

    def get_is_completed(self, milestone: Milestone) -> bool:
        return milestone.completed_at is not None


class MilestoneChangeSerializer(MilestoneSerializer):
    """What may change of a milestone, whether it was reached included."""

    is_completed = serializers.BooleanField(required=False, write_only=True)  # type: ignore[assignment]


class ProjectSerializer(ModelSerializer):
    name = serializers.CharField(max_length=255)
    description = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    client = NamedSerializer()
    client_id = serializers.UUIDField(required=False, allow_null=True, write_only=True)
    deal = NamedSerializer()
    deal_id = serializers.UUIDField(required=False, allow_null=True, write_only=True, help_text="A won deal.")
    starts_on = DayField(required=False, allow_null=True)
    ends_on = DayField(required=False, allow_null=True)
    budget = money_field(required=False)
    currency = currency_field(required=False)
    assigned_to = OwnerField()
    created_by = PersonField()
    members = ProjectMemberSerializer(many=True, required=False, max_length=100)  # type: ignore[call-arg]
    milestones = MilestoneSerializer(many=True, required=False, max_length=100)  # type: ignore[call-arg]
    version = version_field()

    class Meta:
        model = Project
        fields = [
            "id",
            "name",
            "description",
            "status",
            "client",
            "client_id",
            "deal",
            "deal_id",
            "starts_on",
            "ends_on",
            "budget",
            "currency",
            "assigned_to",
            "created_by",
            "members",
            "milestones",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]


class ProjectChangeSerializer(ProjectSerializer):
    """What may change of a project; team and milestones have addresses of their own."""

    members = ProjectMemberSerializer(many=True, read_only=True)
    milestones = MilestoneSerializer(many=True, read_only=True)


class ProjectOfDealSerializer(ProjectSerializer):
    """What the project shall have otherwise than its deal."""

    name = serializers.CharField(max_length=255, required=False)

    class Meta(ProjectSerializer.Meta):
        fields = [
            "name",
            "description",
            "status",
            "starts_on",
            "ends_on",
            "budget",
            "assigned_to",
            "members",
            "milestones",
        ]


class ProjectEntrySerializer(ModelSerializer):
    """What happened in a project, and what is planned."""

    user = PersonField()
    data = serializers.DictField(read_only=True)  # type: ignore[assignment]  # the API's name

    class Meta:
        model = ProjectTimelineEntry
        fields = ["id", "at", "kind", "title", "is_planned", "user", "data"]
        read_only_fields = fields


class NothingSerializer(Serializer):
    """An empty body."""
