from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm_sync.models import CrmConflict, CrmLink, CrmSyncItem, CrmSyncRun
from crm_sync.services.runs import describe, estimate_duration
from vocelio.api.serializers import ModelSerializer, PersonField, Serializer

# What the document lets a person start.
BY_HAND = [("manual_sync", "By hand")]


class SyncOptionsSerializer(Serializer):
    full_sync = serializers.BooleanField(default=False, help_text="Read everything, not only what changed.")
    date_from = serializers.DateTimeField(required=False, allow_null=True, help_text="Only what changed since.")
    dry_run = serializers.BooleanField(
        default=False, help_text="Show what would be done on both sides; change nothing."
    )
    confirm_mass_change = serializers.BooleanField(
        default=False, help_text="Go on although a run was stopped for changing or deleting too much."
    )


class SyncSerializer(Serializer):
    """The body of POST /crm-integrations/{id}/sync."""

    sync_type = serializers.ChoiceField(BY_HAND, default="manual_sync")
    options = SyncOptionsSerializer(required=False)


class SyncStartedSerializer(Serializer):
    sync_job_id = serializers.UUIDField(source="id")
    status = serializers.SerializerMethodField()
    estimated_duration = serializers.SerializerMethodField()

    def get_status(self, run: CrmSyncRun) -> str:
        return "started"

    def get_estimated_duration(self, run: CrmSyncRun) -> str:
        return estimate_duration(run)


class RunSerializer(ModelSerializer):
    """A sync log: processed = added + updated + skipped + errors, on both sides and of all kinds of record together."""

    status = serializers.ChoiceField(source="outcome", choices=CrmSyncRun.Outcome.choices, read_only=True)
    integration_id = serializers.UUIDField(read_only=True)
    full_sync = serializers.BooleanField(source="is_full", read_only=True)
    dry_run = serializers.BooleanField(source="is_dry", read_only=True)
    duration = serializers.IntegerField(read_only=True, allow_null=True, help_text="Milliseconds.")
    contacts_processed = serializers.IntegerField(source="processed", read_only=True)
    error_message = serializers.CharField(read_only=True)
    created_by = PersonField()
    undoes_id = serializers.UUIDField(read_only=True, allow_null=True)

    class Meta:
        model = CrmSyncRun
        fields = [
            "id",
            "integration_id",
            "sync_type",
            "status",
            "full_sync",
            "dry_run",
            "progress",
            "started_at",
            "completed_at",
            "duration",
            "contacts_processed",
            "contacts_added",
            "contacts_updated",
            "contacts_skipped",
            "error_count",
            "error_code",
            "error_message",
            "parked_until",
            "undoes_id",
            "created_by",
            "created_at",
        ]
        read_only_fields = fields


class RunDetailSerializer(RunSerializer):
    """One run with its breakdown by kind and side, the plan and cost of a dry run included."""

    sync_details = serializers.SerializerMethodField()

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "sync_details"]
        read_only_fields = fields

    @extend_schema_field({"type": "object"})
    def get_sync_details(self, run: CrmSyncRun) -> dict[str, Any]:
        return describe(run)


class ItemSerializer(ModelSerializer):
    """What a run did, or would do, with one record on one side."""

    run_id = serializers.UUIDField(read_only=True)
    contact_id = serializers.UUIDField(read_only=True, allow_null=True)
    client_id = serializers.UUIDField(read_only=True, allow_null=True)
    before = serializers.DictField(read_only=True)
    after = serializers.DictField(read_only=True)

    class Meta:
        model = CrmSyncItem
        fields = [
            "id",
            "run_id",
            "kind",
            "contact_id",
            "client_id",
            "remote_id",
            "side",
            "action",
            "outcome",
            "fields",
            "before",
            "after",
            "code",
            "message",
            "created_at",
        ]
        read_only_fields = fields


class DeadLetterSerializer(ModelSerializer):
    """A record that could not be stored: `quarantined` here, `rejected` by the CRM."""

    integration_id = serializers.UUIDField(read_only=True)
    contact_id = serializers.UUIDField(read_only=True, allow_null=True)
    client_id = serializers.UUIDField(read_only=True, allow_null=True)

    class Meta:
        model = CrmLink
        fields = [
            "id",
            "integration_id",
            "kind",
            "contact_id",
            "client_id",
            "remote_id",
            "state",
            "code",
            "field",
            "reason",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


LIST_OF_ANYTHING: dict[str, Any] = {"type": "array", "items": {}}


@extend_schema_field({"anyOf": [*({"type": t} for t in ("string", "number", "boolean", "null")), LIST_OF_ANYTHING]})
class ValueField(serializers.JSONField):
    """A value of either side."""


class ConflictSerializer(ModelSerializer):
    """A field that both sides changed."""

    integration_id = serializers.UUIDField(read_only=True)
    kind = serializers.CharField(source="link.kind", read_only=True)
    contact_id = serializers.UUIDField(read_only=True, allow_null=True)
    client_id = serializers.UUIDField(read_only=True, allow_null=True)
    remote_id = serializers.CharField(source="link.remote_id", read_only=True)
    local_value = ValueField(read_only=True)
    remote_value = ValueField(read_only=True)
    resolved_by = PersonField()

    class Meta:
        model = CrmConflict
        fields = [
            "id",
            "integration_id",
            "kind",
            "contact_id",
            "client_id",
            "remote_id",
            "field",
            "local_value",
            "remote_value",
            "status",
            "resolution",
            "resolved_by",
            "resolved_at",
            "created_at",
        ]
        read_only_fields = fields


class ResolveSerializer(Serializer):
    """Which value both sides are to have."""

    choice = serializers.ChoiceField(["local", "remote", "value"])
    value = ValueField(required=False, allow_null=True, help_text="With the choice `value`.")
