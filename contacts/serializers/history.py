"""The history and timeline of a contact as the API shows them."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from rest_framework import serializers

from contacts.models import ContactChange
from contacts.services.custom_fields import unseal_values
from contacts.services.timeline import api_name
from contacts.timeline import Entry
from vocelio.api.serializers import Serializer
from vocelio.crypto.envelope import unseal
from vocelio.users.models import User

HIDDEN = "hidden"


class ChangedBySerializer(Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()


class FieldChangeSerializer(Serializer):
    """One field of a change; `hidden` stands for what the caller's role may not read."""

    field = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()


class ContactChangeSerializer(Serializer):
    """One change of a contact; `change_rows` makes the answers."""

    id = serializers.UUIDField()
    changed_at = serializers.DateTimeField()
    changed_by = ChangedBySerializer(allow_null=True)
    cause = serializers.CharField(help_text="The door (api, admin) or the kind of run (import, bulk, merge, revert).")
    cause_id = serializers.UUIDField(allow_null=True, help_text="The run's id.")
    changes = FieldChangeSerializer(many=True)


class TimelineEntrySerializer(Serializer):
    """One thing that happened with a contact."""

    id = serializers.CharField()
    at = serializers.DateTimeField()
    kind = serializers.CharField(help_text="created, import, change, list, merge; other apps add their own.")
    title = serializers.CharField()
    by = ChangedBySerializer(allow_null=True)
    details = serializers.JSONField()


class RevertSerializer(Serializer):
    names = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        max_length=100,
        help_text="Fields as the history names them; all of the change without.",
    )
    force = serializers.BooleanField(default=False, help_text="Overwrite what was changed since.")


def change_rows(changes: Sequence[ContactChange], *, private: bool) -> list[dict[str, Any]]:
    """Return changes as the API shows them; what rests encrypted only for those who may read it."""
    people = names_of(change.user_id for change in changes)
    return [
        {
            "id": change.pk,
            "changedAt": change.changed_at,
            "changedBy": people.get(change.user_id),
            "cause": change.cause,
            "causeId": change.cause_id,
            "changes": list(_fields(change, private)),
        }
        for change in changes
    ]


def entry_rows(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return timeline entries as the API shows them."""
    people = names_of(entry.user_id for entry in entries)
    return [
        {
            "id": entry.id,
            "at": entry.at,
            "kind": entry.kind,
            "title": entry.title,
            "by": people.get(entry.user_id),
            "details": dict(entry.details),
        }
        for entry in entries
    ]


def names_of(user_ids: Iterable[uuid.UUID | None]) -> dict[uuid.UUID | None, dict[str, Any]]:
    """Return people as {id, name}; those who are gone are not there."""
    wanted = {user_id for user_id in user_ids if user_id}
    people = User.objects.filter(pk__in=wanted) if wanted else []
    return {person.pk: {"id": person.pk, "name": str(person)} for person in people}


def _fields(change: ContactChange, private: bool) -> Iterable[dict[str, Any]]:
    for column in sorted(change.before.keys() | change.after.keys()):
        before, after = change.before.get(column), change.after.get(column)
        if column == "custom_fields":
            yield from _keys(before or {}, after or {})
        elif column == "private_fields":
            yield from _private_keys(change, before or {}, after or {}, private)
        elif column == "private_notes":
            shown = [_notes(change, text) if private else HIDDEN for text in (before, after)]
            yield {"field": "privateNotes", "before": shown[0], "after": shown[1]}
        else:
            yield {"field": api_name(column), "before": before, "after": after}


def _keys(before: dict[str, Any], after: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for key in sorted(before.keys() | after.keys()):
        yield {"field": f"customFields.{key}", "before": before.get(key), "after": after.get(key)}


def _private_keys(
    change: ContactChange, before: dict[str, str], after: dict[str, str], private: bool
) -> Iterable[dict[str, Any]]:
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    sides = [{key: text for key, text in side.items() if key in changed} for side in (before, after)]
    if private:
        yield from _keys(*(unseal_values(change.contact_id, side) for side in sides))
    else:
        yield from _keys(*(dict.fromkeys(side, HIDDEN) for side in sides))


def _notes(change: ContactChange, sealed: str | None) -> str:
    return unseal(sealed, f"contacts|private_notes|{change.contact_id}") if sealed else ""
