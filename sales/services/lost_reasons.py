"""Keep the reasons why deals are lost."""

from typing import Any

from django.db import IntegrityError, transaction

from sales.models import Deal, LostReason
from vocelio.audit.services import record
from vocelio.errors import Conflict


class LostReasonExists(Conflict):
    code = "LOST_REASON_EXISTS"
    message = "There is already a lost reason of this name."


class LostReasonInUse(Conflict):
    code = "LOST_REASON_IN_USE"
    message = "Deals were lost for this reason; archive it instead."


def create_reason(*, name: str, **fields: Any) -> LostReason:
    reason = LostReason(name=name, **fields)
    _save(reason)
    record("lost_reason.created", "lostreason", reason.pk)
    return reason


def update_reason(reason: LostReason, **fields: Any) -> LostReason:
    for name, value in fields.items():
        setattr(reason, name, value)
    _save(reason)
    record("lost_reason.updated", "lostreason", reason.pk, fields=sorted(fields))
    return reason


def delete_reason(reason: LostReason) -> None:
    """Remove a reason that no deal was lost for."""
    if Deal.objects.filter(lost_reason=reason).exists():
        raise LostReasonInUse
    reason_id = reason.pk
    reason.delete()
    record("lost_reason.deleted", "lostreason", reason_id)


def _save(reason: LostReason) -> None:
    try:
        with transaction.atomic():
            reason.save()
    except IntegrityError as error:
        if "one_lost_reason_per_name" not in str(error):
            raise
        raise LostReasonExists(field="name", value=reason.name, constraint="unique") from None
