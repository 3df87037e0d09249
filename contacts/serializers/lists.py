from contacts.models import ContactList
from vocelio.api.serializers import ModelSerializer, PersonField, PlainJSONField


class ContactListSerializer(ModelSerializer):
    settings = PlainJSONField(required=False)
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
        read_only_fields = ["contact_count", "created_at", "updated_at"]
        extra_kwargs = {"tags": {"max_length": 100}}
