from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from comms.models import CommunicationTemplate, TemplateVersion
from comms.services import mustache
from comms.services.templates import wordings
from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField, Serializer

MAX_BODY = 100_000


class TemplateSerializer(ModelSerializer):
    """A template with the wording in force."""

    subject = serializers.CharField(required=False, allow_blank=True, max_length=300)
    body_text = serializers.CharField(required=False, allow_blank=True, max_length=MAX_BODY, trim_whitespace=False)
    body_html = serializers.CharField(required=False, allow_blank=True, max_length=MAX_BODY, trim_whitespace=False)
    parameters = serializers.ListField(
        child=serializers.CharField(max_length=500), required=False, max_length=20,
        help_text="What stands in the numbered places of a provider's template, in order.",
    )  # fmt: skip
    version = serializers.IntegerField(
        required=False, min_value=1, max_value=2**31 - 1, help_text="The one that is sent."
    )
    variables = serializers.SerializerMethodField(help_text="Names in the text; true where one may be missing.")
    remote_status = serializers.CharField(read_only=True, help_text="What the provider thinks of it.")
    created_by = PersonField()

    class Meta:
        model = CommunicationTemplate
        fields = [
            "id",
            "name",
            "category",
            "channel",
            "language",
            "is_active",
            "when_missing",
            "track_clicks",
            "track_opens",
            "version",
            "subject",
            "body_text",
            "body_html",
            "parameters",
            "variables",
            "remote_name",
            "remote_status",
            "remote_reason",
            "created_by",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["remote_name", "remote_status", "remote_reason", "created_at", "updated_at"]

    def to_representation(self, instance: CommunicationTemplate) -> Any:
        version = self._wording(instance)
        for name in ("subject", "body_text", "body_html", "parameters"):
            setattr(instance, name, getattr(version, name))
        return super().to_representation(instance)

    @extend_schema_field(serializers.DictField(child=serializers.BooleanField()))
    def get_variables(self, instance: CommunicationTemplate) -> dict[str, bool]:
        version = self._wording(instance)
        found: dict[str, bool] = {}
        for text in (version.subject, version.body_text, version.body_html, *version.parameters):
            for name, may_miss in mustache.variables(text).items():
                found[name] = found.get(name, True) and may_miss
        return found

    def _wording(self, instance: CommunicationTemplate) -> TemplateVersion:
        """Read the wordings of all rows to be shown at once."""
        root: Any = self.root
        if not hasattr(root, "_wordings"):
            rows = root.instance if isinstance(root.instance, (list, tuple)) else [instance]
            root._wordings = wordings(rows)
        found: TemplateVersion = root._wordings.get(instance.pk) or TemplateVersion()
        return found


class NewTemplateSerializer(TemplateSerializer):
    """A template to be added; its first version is 1."""

    class Meta(TemplateSerializer.Meta):
        read_only_fields = [*TemplateSerializer.Meta.read_only_fields, "version"]


class TemplateVersionSerializer(ModelSerializer):
    """One wording; never changed."""

    created_by = PersonField()

    class Meta:
        model = TemplateVersion
        fields = ["number", "subject", "body_text", "body_html", "parameters", "created_by", "created_at"]
        read_only_fields = fields


class TemplateVersionsSerializer(Serializer):
    versions = TemplateVersionSerializer(many=True)


class TemplateFiguresSerializer(Serializer):
    """What came of each version, and an honest comparison of the two that were sent most."""

    versions = serializers.ListField(child=PlainJSONField())
    comparisons = serializers.ListField(child=PlainJSONField())
    opens_tracked = serializers.BooleanField()
    clicks_tracked = serializers.BooleanField()


class SyncedSerializer(Serializer):
    templates = serializers.IntegerField(min_value=0)
