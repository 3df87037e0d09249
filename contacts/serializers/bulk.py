"""Bulk jobs as the API reads and shows them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import BulkFailure, BulkJob, ContactExport
from contacts.serializers.contacts import BulkDataSerializer, BulkOperationSerializer, ContactErrorSerializer
from contacts.services.bulk import ACTIONS, MAX_CONTACTS
from vocelio.api.bulk import IdsField
from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField, Serializer

FIRST_FAILURES = 100
# Writes a file of the contacts and changes nothing.
EXPORT = "export"


class BulkRequestDataSerializer(BulkDataSerializer):
    format = serializers.ChoiceField(ContactExport.Format.choices, required=False, help_text="For export; csv.")


class BulkRequestSerializer(BulkOperationSerializer):
    """One action on up to 10,000 contacts by id, or on whatever a filter finds."""

    MAY_USE = {**BulkOperationSerializer.MAY_USE, EXPORT: {"format"}}

    action = serializers.ChoiceField(choices=[*ACTIONS, EXPORT])
    data = BulkRequestDataSerializer(required=False)
    contact_ids = IdsField(max_length=MAX_CONTACTS, required=False)
    filter = PlainJSONField(required=False, help_text="Parameters of GET /contacts; the change then runs as a job.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("contact_ids" in attrs) is ("filter" in attrs):
            message = serializers.ErrorDetail("Give either contactIds or filter.", code="required")
            raise serializers.ValidationError({"contactIds": [message]})
        if attrs["action"] == "restore" and attrs.get("filter"):
            message = serializers.ErrorDetail("Of the trash, everything is restored: give {}.", code="unknown")
            raise serializers.ValidationError({"filter": [message]})
        return super().validate(attrs)


class BulkPreviewRequestSerializer(Serializer):
    filter = PlainJSONField(help_text="Parameters of GET /contacts.")


class BulkPreviewSerializer(Serializer):
    count = serializers.IntegerField()
    is_estimate = serializers.BooleanField()


class BulkJobSerializer(ModelSerializer):
    job_id = serializers.UUIDField(source="id", read_only=True)
    undoes = serializers.UUIDField(source="undoes_id", read_only=True, allow_null=True)
    filter = PlainJSONField(read_only=True)
    error = serializers.CharField(source="error_message", read_only=True)
    created_by = PersonField()

    class Meta:
        model = BulkJob
        fields = [
            "job_id", "action", "filter", "status", "progress", "total", "processed", "succeeded", "failed", "undoes",
            "error", "created_by", "created_at", "started_at", "completed_at",
        ]  # fmt: skip
        read_only_fields = fields


class BulkJobDetailSerializer(BulkJobSerializer):
    failures = serializers.SerializerMethodField()

    class Meta(BulkJobSerializer.Meta):
        fields = [*BulkJobSerializer.Meta.fields, "failures"]
        read_only_fields = fields

    @extend_schema_field(ContactErrorSerializer(many=True))
    def get_failures(self, job: BulkJob) -> list[dict[str, Any]]:
        failures = BulkFailure.objects.filter(job=job).order_by("contact_id")[:FIRST_FAILURES]
        return [{"contactId": each.contact_id, "code": each.code, "error": each.error} for each in failures]
