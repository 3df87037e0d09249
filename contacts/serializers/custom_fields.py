"""Custom field definitions and saved views as the API reads and shows them."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import CustomField, SavedView
from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField

KEY = r"^[A-Za-z0-9_-]{1,60}$"


@extend_schema_field({"anyOf": [{}]})
class AnyField(serializers.JSONField):
    """Whatever the type of the field takes; the service judges."""


class CustomFieldSerializer(ModelSerializer):
    key = serializers.RegexField(KEY, help_text="Its name in customFields.")
    type = serializers.ChoiceField(source="kind", choices=CustomField.Kind.choices)
    default = AnyField(required=False, allow_null=True)

    class Meta:
        model = CustomField
        fields = [
            "id",
            "key",
            "label",
            "description",
            "type",
            "options",
            "is_required",
            "default",
            "is_sensitive",
            "is_archived",
            "position",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {"options": {"max_length": 200}, "position": {"max_value": 1_000_000}}


class SavedViewSerializer(ModelSerializer):
    filter = PlainJSONField(required=False, help_text="Parameters of GET /contacts.")
    owner = PersonField(source="user")

    class Meta:
        model = SavedView
        fields = ["id", "name", "filter", "sort", "columns", "is_shared", "owner", "created_at", "updated_at"]
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {"columns": {"max_length": 100}}
