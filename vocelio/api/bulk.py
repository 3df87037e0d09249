"""One action on many records, and what became of each: the shapes that every bulk endpoint shares."""

import uuid
from collections.abc import Mapping, Set
from typing import Any, ClassVar

from rest_framework import serializers

from vocelio.api.serializers import Serializer


class IdsField(serializers.ListField):
    """Ids of records, each counted once; at least one."""

    def __init__(self, *, max_length: int, **kwargs: Any) -> None:
        super().__init__(child=serializers.UUIDField(), min_length=1, max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> list[uuid.UUID]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class BulkActionSerializer(Serializer):
    """An action with its data: `{"action": "move", "data": {"stageId": "..."}, ...}`.

    Subclasses declare `action` and `data`, and name for each action what of the data it needs and what it may use;
    whatever else is given is refused, so that nothing is believed to be done that was not.
    """

    NEEDS: ClassVar[Mapping[str, str]]
    MAY_USE: ClassVar[Mapping[str, Set[str]]] = {}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        action, data = attrs["action"], attrs.get("data", {})
        needed = self.NEEDS.get(action)
        if needed and (needed not in data or data[needed] in ([], {})):
            raise self._about(needed, f"{action} needs this.", "required")
        for name in sorted(data.keys() - {needed} - self.MAY_USE.get(action, set())):
            raise self._about(name, f"{action} has no use for this.", "unknown")
        return attrs

    def _about(self, source: str, message: str, code: str) -> serializers.ValidationError:
        data: Any = self.fields["data"]
        shown = next(name for name, field in data.fields.items() if field.source == source)
        return serializers.ValidationError({"data": {shown: [serializers.ErrorDetail(message, code=code)]}})


class BulkErrorSerializer(Serializer):
    """Why one record was left as it was."""

    error = serializers.CharField()
    code = serializers.CharField()


class BulkOutcomeSerializer(Serializer):
    """What became of a bulk operation; the document's shape, without an envelope."""

    enveloped = False
    message = serializers.CharField()
    processed = serializers.IntegerField()
    successful = serializers.IntegerField()
    failed = serializers.IntegerField()
