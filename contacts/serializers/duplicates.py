"""Duplicates and merges as the API reads and shows them."""

import uuid
from collections.abc import Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import ClientMerge, ContactDuplicate, ContactMerge, DuplicateScan, Merge
from contacts.serializers.contacts import ContactSerializer, contact_rows
from vocelio.api.serializers import ModelSerializer, Serializer

MAX_MERGED = 20


class DuplicateSerializer(ModelSerializer):
    """A pair that may be one person, the older contact first; `duplicate_rows` makes the answers."""

    contacts = ContactSerializer(many=True, read_only=True)

    class Meta:
        model = ContactDuplicate
        fields = ["id", "kind", "score", "reasons", "status", "found_at", "contacts"]
        read_only_fields = fields


class DuplicateScanSerializer(ModelSerializer):
    job_id = serializers.UUIDField(source="id", read_only=True)
    error = serializers.CharField(source="error_message", read_only=True)

    class Meta:
        model = DuplicateScan
        fields = [
            "job_id", "status", "progress", "total", "processed", "exact", "fuzzy", "compared", "error",
            "created_at", "started_at", "completed_at",
        ]  # fmt: skip
        read_only_fields = fields


class MergeRequestSerializer(Serializer):
    contact_id = serializers.UUIDField(help_text="The contact that stays.")
    merge_ids = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MAX_MERGED, help_text="Those that become part of it."
    )
    choices = serializers.DictField(
        child=serializers.CharField(max_length=40),
        required=False,
        help_text='By field, the id of the contact whose value is kept, e.g. {"email": "<id>", '
        '"customFields.size": "<id>"}; `both` joins notes.',
    )


class UnmergeRequestSerializer(Serializer):
    merge_id = serializers.UUIDField(required=False, help_text="The latest merge of the contact without.")


class MergeSerializer(ModelSerializer):
    survivor_id = serializers.UUIDField(read_only=True)
    absorbed_id = serializers.UUIDField(read_only=True)
    moved = serializers.SerializerMethodField(help_text="How many rows of each kind followed.")

    class Meta:
        model = ContactMerge
        fields = ["id", "survivor_id", "absorbed_id", "merged_at", "choices", "moved", "unmerged_at"]
        read_only_fields = fields

    @extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
    def get_moved(self, merge: Merge) -> dict[str, int]:
        moved: dict[str, int] = merge.moved
        return moved


class ClientMergeRequestSerializer(Serializer):
    client_id = serializers.UUIDField(help_text="The client that stays.")
    merge_ids = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MAX_MERGED, help_text="Those that become part of it."
    )
    choices = serializers.DictField(
        child=serializers.CharField(max_length=40),
        required=False,
        help_text='By field, the id of the client whose value is kept, e.g. {"name": "<id>", "parentId": "<id>", '
        '"customFields.erp": "<id>"}; `both` joins notes.',
    )


class UnmergeClientRequestSerializer(Serializer):
    merge_id = serializers.UUIDField(required=False, help_text="The latest merge of the client without.")


class ClientMergeSerializer(MergeSerializer):
    class Meta(MergeSerializer.Meta):
        model = ClientMerge  # type: ignore[assignment]


def duplicate_rows(pairs: Sequence[ContactDuplicate]) -> list[dict[str, Any]]:
    """Return pairs as the API shows them, with both contacts, in one more statement."""
    wanted: list[uuid.UUID] = [each for pair in pairs for each in (pair.first_id, pair.second_id)]
    contacts = {row["id"]: row for row in contact_rows(list(dict.fromkeys(wanted)))} if wanted else {}
    return [
        {
            "id": pair.pk,
            "kind": pair.kind,
            "score": pair.score,
            "reasons": pair.reasons,
            "status": pair.status,
            "foundAt": pair.found_at,
            "contacts": [contacts[each] for each in (pair.first_id, pair.second_id) if each in contacts],
        }
        for pair in pairs
    ]
