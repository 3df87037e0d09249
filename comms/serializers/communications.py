from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from comms.models import (
    ChannelAccount,
    Communication,
    CommunicationTemplate,
    Medium,
    MessageBatch,
)
from comms.services import subjects
from contacts.serializers.fields import MomentField
from vocelio.api.serializers import ModelSerializer, NamedSerializer, PersonField, PlainJSONField, Serializer

MAX_BODY = 100_000


class SubjectSerializer(Serializer):
    """Another record that a message belongs to."""

    type = serializers.CharField()
    id = serializers.UUIDField()
    name = serializers.CharField()


class AttachmentSerializer(Serializer):
    """A file of a message, as POST /communications/attachments answers it."""

    file = serializers.CharField(max_length=200)
    name = serializers.CharField(max_length=150)
    content_type = serializers.CharField(max_length=100)
    size = serializers.IntegerField(required=False, help_text="Bytes.")


class CommunicationSerializer(ModelSerializer):
    """A message to a person or from one."""

    contact = NamedSerializer(read_only=True, allow_null=True)
    client = NamedSerializer(read_only=True, allow_null=True)
    account = NamedSerializer(read_only=True, allow_null=True)
    about = serializers.SerializerMethodField(help_text="The deal, application or other record it belongs to.")
    template_id = serializers.UUIDField(source="version.template_id", read_only=True, allow_null=True, default=None)
    template_version = serializers.IntegerField(source="version.number", read_only=True, allow_null=True, default=None)
    batch_id = serializers.UUIDField(read_only=True, allow_null=True)
    reply_to_id = serializers.UUIDField(read_only=True, allow_null=True)
    attachments = serializers.ListField(child=PlainJSONField(), read_only=True)
    variables = PlainJSONField(read_only=True)
    created_by = PersonField()

    class Meta:
        model = Communication
        fields = [
            "id",
            "direction",
            "channel",
            "purpose",
            "status",
            "contact",
            "client",
            "about",
            "account",
            "address",
            "subject",
            "body_text",
            "body_html",
            "template_id",
            "template_version",
            "variables",
            "attachments",
            "batch_id",
            "reply_to_id",
            "scheduled_at",
            "in_window",
            "attempts",
            "provider_id",
            "error_code",
            "error_message",
            "sent_at",
            "delivered_at",
            "read_at",
            "clicked_at",
            "replied_at",
            "unsubscribed_at",
            "created_by",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields

    @extend_schema_field(SubjectSerializer(allow_null=True))
    def get_about(self, message: Communication) -> dict[str, Any] | None:
        if message.subject_id is None:
            return None
        name = self._names().get(message.subject_id)
        return {"type": message.subject_type, "id": message.subject_id, "name": name} if name is not None else None

    def _names(self) -> dict[Any, str]:
        """Read the names of all rows to be shown at once."""
        root: Any = self.root
        if not hasattr(root, "_subject_names"):
            rows = root.instance if isinstance(root.instance, (list, tuple)) else [root.instance]
            root._subject_names = subjects.names(
                (row.subject_type, row.subject_id) for row in rows if row is not None and row.subject_id
            )
        found: dict[Any, str] = root._subject_names
        return found


class _Wording(Serializer):
    """What messages of every kind are written with."""

    subject = serializers.CharField(required=False, allow_blank=True, max_length=300)
    body_text = serializers.CharField(required=False, allow_blank=True, max_length=MAX_BODY, trim_whitespace=False)
    body_html = serializers.CharField(required=False, allow_blank=True, max_length=MAX_BODY, trim_whitespace=False)
    variables = PlainJSONField(required=False, help_text="Values that templates name; they win over the contact's.")
    scheduled_at = MomentField(required=False, help_text="Not before; at once unless given.")
    in_window = serializers.BooleanField(required=False, help_text="Only within the recipient's local hours.")
    client_id = serializers.UUIDField(required=False, allow_null=True)
    subject_type = serializers.CharField(required=False, allow_blank=True, max_length=30, help_text="deal, ...")
    subject_id = serializers.UUIDField(required=False, allow_null=True)
    attachments = AttachmentSerializer(many=True, required=False)


class BatchOptionsSerializer(Serializer):
    """How a message to many is sent."""

    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    version_b = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=2**31 - 1, help_text="Compared with the one in force."
    )
    share_a = serializers.IntegerField(
        required=False, min_value=1, max_value=99, help_text="Percent of the one in force."
    )
    spread_minutes = serializers.IntegerField(required=False, min_value=0, max_value=43_200)


class NewCommunicationSerializer(_Wording):
    """A message to one contact, or with listId or filter to many: then from a template, and 202 with a batch."""

    contact_id = serializers.UUIDField(required=False)
    list_id = serializers.UUIDField(required=False)
    filter = PlainJSONField(required=False, help_text="Parameters of GET /contacts.")
    channel = serializers.ChoiceField(choices=Medium.choices, required=False, help_text="The template's unless given.")
    template_id = serializers.PrimaryKeyRelatedField(
        queryset=CommunicationTemplate.objects, required=False, source="template", pk_field=serializers.UUIDField()
    )
    account_id = serializers.PrimaryKeyRelatedField(
        queryset=ChannelAccount.objects, required=False, source="account", pk_field=serializers.UUIDField()
    )
    reply_to_id = serializers.PrimaryKeyRelatedField(
        queryset=Communication.objects, required=False, source="reply_to", pk_field=serializers.UUIDField()
    )
    batch = BatchOptionsSerializer(required=False)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        wanted = [name for name in ("contact_id", "list_id", "filter") if name in data]
        if len(wanted) != 1:
            raise serializers.ValidationError(
                {"contactId": "Give one of contactId, listId and filter."}, code="required"
            )
        if wanted != ["contact_id"]:
            alone = {
                "subject",
                "body_text",
                "body_html",
                "client_id",
                "subject_type",
                "subject_id",
                "attachments",
                "reply_to",
            }
            if mixed := sorted(alone & set(data)):
                raise serializers.ValidationError({mixed[0]: "A message to many is made of a template."}, code="batch")
            if "template" not in data:
                raise serializers.ValidationError(
                    {"templateId": "A message to many is made of a template."}, code="required"
                )
        elif "template" not in data and "channel" not in data:
            raise serializers.ValidationError({"channel": "Give a channel or a template."}, code="required")
        return data


class CommunicationChangeSerializer(_Wording):
    """Changes of a message that is not sent yet."""

    status = serializers.ChoiceField(choices=[("cancelled", "cancelled")], required=False)


class RetrySerializer(Serializer):
    """Whether to risk that it arrives twice."""

    confirm = serializers.BooleanField(required=False)


class PreviewRequestSerializer(Serializer):
    """A template, or a wording, and the contact to show it for."""

    contact_id = serializers.UUIDField()
    channel = serializers.ChoiceField(choices=Medium.choices, required=False)
    template_id = serializers.PrimaryKeyRelatedField(
        queryset=CommunicationTemplate.objects, required=False, source="template", pk_field=serializers.UUIDField()
    )
    version = serializers.IntegerField(required=False, min_value=1, max_value=2**31 - 1)
    subject = serializers.CharField(required=False, allow_blank=True, max_length=300)
    body_text = serializers.CharField(required=False, allow_blank=True, max_length=MAX_BODY, trim_whitespace=False)
    body_html = serializers.CharField(required=False, allow_blank=True, max_length=MAX_BODY, trim_whitespace=False)
    variables = PlainJSONField(required=False)


class ProblemSerializer(Serializer):
    code = serializers.CharField()
    message = serializers.CharField()


class PreviewSerializer(Serializer):
    """A message as the contact would get it, and what stands in its way."""

    to = serializers.CharField()
    subject = serializers.CharField()
    body_text = serializers.CharField()
    body_html = serializers.CharField()
    problems = ProblemSerializer(many=True)


class UploadSerializer(Serializer):
    file = serializers.FileField()


class BatchSerializer(ModelSerializer):
    """A message to many."""

    state = serializers.CharField(read_only=True, help_text="queueing, sending, paused, cancelled, failed or finished.")
    template = NamedSerializer(read_only=True)
    account = NamedSerializer(read_only=True)
    filter = PlainJSONField(read_only=True)
    messages = serializers.SerializerMethodField(help_text="How many have each status; of one batch alone.")
    created_by = PersonField()

    class Meta:
        model = MessageBatch
        fields = [
            "id",
            "name",
            "state",
            "status",
            "template",
            "version_a",
            "version_b",
            "share_a",
            "account",
            "filter",
            "scheduled_at",
            "spread_minutes",
            "in_window",
            "total",
            "processed",
            "queued",
            "skipped",
            "messages",
            "paused_at",
            "stopped_at",
            "finished_at",
            "error_message",
            "created_by",
            "created_at",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DictField(child=serializers.IntegerField()))
    def get_messages(self, batch: MessageBatch) -> dict[str, int]:
        # Counted for one batch, not for a list of them.
        is_one = not isinstance(self.root.instance, (list, tuple))
        counts: dict[str, int] = Communication.objects.tally(batch) if is_one else {}
        return counts


class BatchPreviewSerializer(Serializer):
    """How many people a batch would reach, and about what it would cost."""

    total = serializers.IntegerField()
    with_address = serializers.IntegerField()
    without_address = serializers.IntegerField()
    parts = serializers.IntegerField(help_text="In how many parts a text message is sent.")
    cost = serializers.CharField()
    currency = serializers.CharField()


class CommsFigureSerializer(Serializer):
    """What became of one channel's messages."""

    channel = serializers.CharField()
    total = serializers.IntegerField()
    sent = serializers.IntegerField()
    delivered = serializers.IntegerField()
    opened = serializers.IntegerField()
    clicked = serializers.IntegerField()
    replied = serializers.IntegerField()
    unsubscribed = serializers.IntegerField()
    failed = serializers.IntegerField()
    bounced = serializers.IntegerField()
    unknown = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    waiting = serializers.IntegerField()
    received = serializers.IntegerField()


class CommsFiguresSerializer(Serializer):
    channels = CommsFigureSerializer(many=True)
