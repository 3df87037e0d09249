from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts.models import ContactList
from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField


@extend_schema_field({"anyOf": [{"type": "object", "additionalProperties": {}}, {"type": "null"}]})
class FilterField(PlainJSONField):
    """Parameters of GET /contacts, or null."""


class ContactListSerializer(ModelSerializer):
    settings = PlainJSONField(required=False)
    filter = FilterField(
        required=False,
        allow_null=True,
        help_text='Makes the list dynamic: parameters of GET /contacts, e.g. {"state": "CA", "tags": "vip"}.',
    )
    is_dynamic = serializers.BooleanField(read_only=True)
    contact_count = serializers.IntegerField(
        read_only=True, help_text="Members outside the trash; null for a dynamic list among many.", allow_null=True
    )
    created_by = PersonField()

    class Meta:
        model = ContactList
        fields = [
            "id",
            "name",
            "description",
            "status",
            "contact_count",
            "tags",
            "settings",
            "filter",
            "is_dynamic",
            "created_at",
            "updated_at",
            "created_by",
        ]
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {"tags": {"max_length": 100}}
