from typing import Any

from rest_framework import serializers

from vocelio.api.serializers import Serializer
from vocelio.storage.uploads import open_upload


class UploadFormFieldsSerializer(Serializer):
    """A form for one file."""

    key = serializers.CharField(help_text="What to name where the file is to be used.")
    url = serializers.CharField(help_text="Where to post the form, as multipart/form-data.")
    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.CharField(), help_text="Fields of the form; the file comes last, as `file`."
    )
    max_bytes = serializers.IntegerField()
    expires_at = serializers.DateTimeField()


class SentFileSerializer(Serializer):
    """A form that this server signed, with its file."""

    key = serializers.CharField(max_length=200)
    policy = serializers.CharField(max_length=500)
    file = serializers.FileField(max_length=500)


class TakenFileSerializer(Serializer):
    """A file: in the request itself as `file`, or uploaded before and named by `key` and `filename`.

    Needs the context of a TenantViewSet.
    """

    file = serializers.FileField(max_length=255, allow_empty_file=True, required=False)
    key = serializers.CharField(
        max_length=200, required=False, help_text="In place of a file: the key of POST /uploads/presign."
    )
    filename = serializers.CharField(max_length=255, required=False, help_text="With a key: the name of the file.")

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        key, filename = data.pop("key", ""), data.pop("filename", "")
        if bool(key) == ("file" in data):
            message = "Give either a file, or the key of one that was uploaded."
            raise serializers.ValidationError({"file": [message]}, code="required")
        if key:
            if not filename:
                raise serializers.ValidationError({"filename": ["A file named by its key needs a name."]}, "required")
            data["file"] = open_upload(key, filename=filename)
            self.context["view"].close_at_end(data["file"])
        return data


def in_json(kind: type[Serializer]) -> type[Serializer]:
    """Return how the same request looks as JSON, which holds no file. For the description, where each has its name."""
    name = f"{kind.__name__.removesuffix('Serializer')}JSONSerializer"
    return type(name, (kind,), {"file": None, "__doc__": kind.__doc__, "__module__": kind.__module__})
