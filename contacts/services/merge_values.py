"""What merging contacts and merging clients share: who takes part, whose value is kept, what is joined, the way back."""

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Model

from contacts.models.duplicates import Merge
from contacts.services.bulk import MAX_TAGS
from contacts.services.followers import of_model
from contacts.services.history import Change, put_back
from vocelio.errors import Conflict, Invalid

# The choice that keeps both texts.
TOGETHER = "both"


def lock_records(survivor: Any, others: Sequence[Any]) -> dict[uuid.UUID, Any]:
    """Lock what is to become one, in order, so that two merges of the same records take turns."""
    model = type(survivor)
    ids = {survivor.pk, *(each.pk for each in others)}
    locked = {each.pk: each for each in model.objects.select_for_update().alive().filter(pk__in=ids).order_by("pk")}
    if not others or len(ids) <= len(others) or len(locked) < len(ids):
        raise Conflict(f"Each {model._meta.verbose_name} must be there, and be named once.")
    return locked


def check_choices(
    choices: Mapping[str, str], records: Sequence[Model], *, fields: Collection[str], texts: Collection[str]
) -> None:
    """Refuse a choice of a field that is not there, or of neither of the records; both is for texts alone."""
    ids = {str(each.pk) for each in records}
    errors = []
    for name, value in choices.items():
        known = name in fields or name.startswith("customFields.")
        if not known or (value not in ids and not (value == TOGETHER and name in texts)):
            plural = records[0]._meta.verbose_name_plural
            message = f"This must be the id of one of the {plural}." if known else "There is no such field."
            errors.append({"field": f"choices.{name[:80]}", "value": value, "constraint": "choice", "message": message})
    if errors:
        raise Invalid("The choices are not valid.", errors=errors)


def kept_value(kept: Any, other: Any, *, choice: str | None, absorbed: Model, is_text: bool) -> Any:
    """Return the survivor's value, or the other one where it was chosen or the survivor's is blank; texts are joined."""
    if choice == TOGETHER or (choice is None and is_text):
        return "\n\n".join(dict.fromkeys(text for text in (kept, other) if text))
    return other if choice == str(absorbed.pk) or (choice is None and not kept) else kept


def joined_values(survivor: Any, absorbed: Any, choices: Mapping[str, str]) -> dict[str, Any]:
    """Return the survivor's tags and custom fields where the absorbed one adds to them, or a choice changes them."""
    values: dict[str, Any] = {}
    if added := [tag for tag in absorbed.tags if tag not in survivor.tags]:
        values["tags"] = [*survivor.tags, *added][:MAX_TAGS]
    custom = absorbed.custom_fields | survivor.custom_fields
    for name, choice in choices.items():
        key = name.removeprefix("customFields.")
        if key != name and choice == str(absorbed.pk):
            custom.pop(key, None)
            custom |= {each: value for each, value in absorbed.custom_fields.items() if each == key}
    if custom != survivor.custom_fields:
        values["custom_fields"] = custom
    return values


def put_fields_back(merge: Merge, changes: Iterable[tuple[uuid.UUID, Any]]) -> list[Change]:
    """Give both records the values from before; return the changes of the one that something else stands in the way of.

    `changes` are those the merge caused, the newest first, each with the id of its record.
    """
    rows = [Change(record_id, change.before, change.after) for record_id, change in changes]
    for record_id in (merge.survivor_id, merge.absorbed_id):
        of_one = [change for change in rows if change.row_id == record_id]
        if put_back(of_one, of_model(merge)).failed:
            return of_one
    return []
