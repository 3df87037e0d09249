from rest_framework import serializers

from contacts.models import ContactList
from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField


class ContactListSerializer(ModelSerializer):
    settings = PlainJSONField(required=False)
    contact_count = serializers.IntegerField(read_only=True, help_text="Members outside the trash.")
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
            "created_at",
            "updated_at",
            "created_by",
        ]
        read_only_fields = ["created_at", "updated_at"]
        extra_kwargs = {"tags": {"max_length": 100}}
