"""Keep what providers say of numbers, and who may be called although listed."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

from contacts.phones import PhoneProblem, normalize
from dnc.models import ContactAttempt, Permission
from dnc.services.numbers import region_of_organization
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.copy import copy_to_temporary_table
from vocelio.db.ids import uuid7_series
from vocelio.errors import Conflict, Invalid
from vocelio.organizations.scope import current_organization_id

COLUMNS = {"id": "uuid", "number": "bigint", "kind": "text", "value": "text", "since": "date", "reported_on": "date"}


@dataclass(frozen=True)
class SentMessage:
    """A message to a number in E.164, by whom and as part of what."""

    phone_number: str
    user_id: uuid.UUID | None
    campaign: str = ""


def store_facts(rows: Sequence[dict[str, Any]], reported_on: date | None = None) -> dict[str, int]:
    """Keep the newest fact of each kind and number; return how many came anew, changed, or said the same."""
    today = reported_on or timezone.now().date()
    latest = {(row["number"], row["kind"]): row for row in rows}
    ids = uuid7_series(len(latest))
    copy_to_temporary_table(
        "dnc_new_facts",
        COLUMNS,
        (
            (fact_id, number, kind, row["value"], row["since"], today)
            for fact_id, ((number, kind), row) in zip(ids, latest.items(), strict=True)
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dnc_number_facts AS fact (organization_id, id, number, kind, value, since, reported_on)"
            " SELECT %s, id, number, kind, value, since, reported_on FROM dnc_new_facts"
            " ON CONFLICT (organization_id, number, kind) DO UPDATE SET value = excluded.value,"
            " since = excluded.since, reported_on = excluded.reported_on"
            " WHERE fact.reported_on <= excluded.reported_on"
            " AND (fact.value, fact.since, fact.reported_on)"
            " IS DISTINCT FROM (excluded.value, excluded.since, excluded.reported_on) RETURNING (xmax = 0)",
            [current_organization_id()],
        )
        new = [row[0] for row in cursor.fetchall()]
        cursor.execute("DROP TABLE dnc_new_facts")
    return {"added": sum(new), "updated": len(new) - sum(new), "unchanged": len(rows) - len(new)}


def number_of(text: str, field: str = "phoneNumber") -> int:
    """Return a number people typed as digits; raise Invalid when it is none."""
    phone = normalize(text, region_of_organization(), allow_unverified=True)
    if isinstance(phone, PhoneProblem):
        raise Invalid.field(field, f"Not a number: {phone.reason}.", value=text[:50], constraint="phone")
    return int(phone.e164)


def grant_permission(*, phone_number: str, kind: str, occurred_on: date, **fields: Any) -> Permission:
    """Note a purchase, an inquiry or a consent, with where its proof is kept."""
    if occurred_on > timezone.now().date():
        raise Invalid.field("occurredOn", "This day is in the future.", value=str(occurred_on), constraint="past")
    permission = Permission(
        number=number_of(phone_number),
        kind=kind,
        occurred_on=occurred_on,
        created_by_id=current_actor().user_id,
        **fields,
    )
    permission.save()
    record("dnc_permission.granted", "permission", permission.id, kind=kind)
    return _read(permission)


def revoke_permission(permission: Permission) -> Permission:
    """End a permission from now on; the record stays."""
    if permission.revoked_at is not None:
        raise Conflict("It has been revoked already.")
    permission.revoked_at = timezone.now()
    permission.save(update_fields=["revoked_at"])
    record("dnc_permission.revoked", "permission", permission.id, kind=permission.kind)
    return _read(permission)


def note_attempt(*, phone_number: str, **fields: Any) -> ContactAttempt:
    """Keep the record of a call or message, which frequency caps count from now on."""
    attempt = ContactAttempt(number=number_of(phone_number), user_id=current_actor().user_id, **fields)
    attempt.save()
    record("dnc_attempt.noted", "contactattempt", attempt.id, channel=attempt.channel)
    return attempt


def note_sends(sends: Sequence[SentMessage], *, channel: str, caller: str = "") -> None:
    """Keep the records of messages that are handed over after the open transaction, in one statement.

    They are not audited one by one: each is a message that is.
    """
    now = timezone.now()
    ContactAttempt.objects.bulk_create(
        ContactAttempt(
            number=int(send.phone_number.removeprefix("+")),
            channel=channel,
            caller=caller[:20],
            attempted_at=now,
            disposition="message",
            campaign=send.campaign[:100],
            user_id=send.user_id,
        )
        for send in sends
    )


def _read(permission: Permission) -> Permission:
    fresh: Permission = Permission.objects.select_related("created_by").get(pk=permission.pk)
    return fresh
