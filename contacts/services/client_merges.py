"""Make two clients one, and bring both back."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from contacts import merging
from contacts.models import (
    Client,
    ClientChange,
    ClientContact,
    ClientMerge,
    ContactInsight,
    KeptSummary,
    Verification,
)
from contacts.services.client_announcements import announce_clients
from contacts.services.clients import name_taken
from contacts.services.followers import CAUSE, bring_followers_back, merge_to_undo, move_followers
from contacts.services.history import change_cause
from contacts.services.merge_values import check_choices, joined_values, kept_value, lock_records, put_fields_back
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import Invalid, NotFound

# Fields with a value to choose, by their API names; the currency goes with the revenue. Tags and custom fields are
# joined.
CHOICES = {
    "name": "name",
    "legalName": "legal_name",
    "domain": "domain",
    "website": "website",
    "linkedinUrl": "linkedin_url",
    "industry": "industry",
    "size": "size",
    "annualRevenue": "annual_revenue",
    "taxId": "tax_id",
    "email": "email",
    "phone": "phone",
    "address": "address",
    "city": "city",
    "state": "state",
    "zip": "zip",
    "country": "country",
    "status": "status",
    "source": "source",
    "notes": "notes",
    "parentId": "parent_id",
    "assignedTo": "assigned_to_id",
}
# Texts are joined unless one was chosen.
TEXTS = ("notes",)
_ABOVE = """
    WITH RECURSIVE above AS (
        SELECT id, parent_id FROM clients WHERE organization_id = %(organization)s AND id = %(client)s
        UNION
        SELECT client.id, client.parent_id FROM clients AS client
        JOIN above ON client.organization_id = %(organization)s AND client.id = above.parent_id
    ) SELECT EXISTS (SELECT FROM above WHERE id = %(other)s)
"""


def merge_clients(
    *,
    survivor: Client,
    others: Sequence[Client],
    principal: Principal | None,
    choices: Mapping[str, str] | None = None,
) -> Client:
    """Make one client of several, and return it.

    `choices` names for a field the id of the client whose value is kept (or `both`, for notes); otherwise the
    survivor's holds, blanks are filled from the others, tags and custom fields are joined. A choice by which the
    company would stand above itself is refused. A job that merges on nobody's behalf has no `principal`.
    """
    chosen = dict(choices or {})
    check_choices(chosen, [survivor, *others], fields=CHOICES, texts=TEXTS)
    locked = lock_records(survivor, others)
    owners = {each.assigned_to_id for each in locked.values()}
    for other in others:
        # Anew: an earlier one may have moved it.
        locked[other.pk].refresh_from_db(fields=["parent"])
        _merge(locked[survivor.pk], locked[other.pk], chosen, principal)
    fresh: Client = Client.objects.get(pk=survivor.pk)
    announce_clients("merged", list(locked), owners)
    return fresh


def unmerge_client(*, client: Client, principal: Principal | None, merge_id: uuid.UUID | None = None) -> ClientMerge:
    """Bring back the client that was merged in last, or the one of the given merge; return the merge.

    Fields that were changed since the merge keep their new values, and rows that came since stay with the survivor;
    everything else is as it was. Raise ClientExists where a name and domain were taken meanwhile.
    """
    merge: ClientMerge = merge_to_undo(ClientMerge, client, merge_id)
    both = list(Client.objects.select_for_update().filter(pk__in=[merge.survivor_id, merge.absorbed_id]).order_by("pk"))
    seen = Client.objects.alive() if principal is None else Client.objects.alive().visible_to(principal)
    if not seen.filter(pk=merge.survivor_id).exists():
        raise NotFound
    with change_cause("unmerge", merge.pk):
        changes = ClientChange.objects.caused_by(CAUSE, merge.pk).reverse()
        if put_fields_back(merge, [(each.client_id, each) for each in changes]):
            absorbed = next(each for each in both if each.pk == merge.absorbed_id)
            raise name_taken(absorbed.name, absorbed.domain, principal)
        bring_followers_back(merge)
    ClientMerge.objects.filter(pk=merge.pk).update(unmerged_at=Now(), unmerged_by_id=current_actor().user_id)
    record("client.unmerged", "client", merge.survivor_id, mergeId=str(merge.pk), absorbedId=str(merge.absorbed_id))
    announce_clients("unmerged", [merge.survivor_id, merge.absorbed_id], {each.assigned_to_id for each in both})
    merge.refresh_from_db()
    return merge


def register_rules() -> None:
    """Say what becomes of rows of which a client has one only."""
    merging.register(ClientContact, _one_primary, of=Client)
    # The database keeps these as profiles and relations follow.
    merging.stays(KeptSummary)
    merging.stays(ContactInsight)


def _one_primary(*, survivor_id: uuid.UUID, absorbed_id: uuid.UUID) -> None:
    if ClientContact.objects.filter(client_id=survivor_id, is_primary=True).exists():
        ClientContact.objects.filter(client_id=absorbed_id, is_primary=True).update(is_primary=False)


def _merge(survivor: Client, absorbed: Client, choices: dict[str, str], principal: Principal | None) -> None:
    with connection.cursor() as cursor:
        # The lock of keep_client_tree (migration 0013): nobody moves a parent while this looks for circles.
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('client_tree:' || %s, 0))", [survivor.organization_id]
        )
    if survivor.parent_id not in (None, absorbed.pk) and _is_above(absorbed.pk, survivor.parent_id, survivor):
        raise Invalid.field(
            "clientId",
            "The company that is to stay stands below one that goes, with others between. Keep the upper one.",
            value=str(survivor.pk),
            constraint="cycle",
        )
    values = _merged_values(survivor, absorbed, choices)
    merge = ClientMerge(
        id=uuid7(), survivor=survivor, absorbed=absorbed, merged_by_id=current_actor().user_id, choices=choices
    )
    merge.save(force_insert=True)
    with change_cause(CAUSE, merge.pk):
        # First, so that its name and domain are free.
        aside = Client.objects.filter(pk=absorbed.pk)
        aside.update(deleted_at=Now(), deleted_by_id=current_actor().user_id, merged_into_id=survivor.pk)
        for name, value in values.items():
            setattr(survivor, name, value)
        if values:
            try:
                with transaction.atomic():
                    survivor.save(update_fields=list(values))
            except IntegrityError as error:
                if "one_client_per_name_and_domain" not in str(error):
                    raise
                raise name_taken(survivor.name, survivor.domain, principal) from None
        moved = move_followers(merge)
    ClientMerge.objects.filter(pk=merge.pk).update(moved=moved)
    record("client.merged", "client", survivor.pk, absorbedId=str(absorbed.pk), mergeId=str(merge.pk), moved=moved)


def _merged_values(survivor: Client, absorbed: Client, choices: dict[str, str]) -> dict[str, Any]:
    """Return what changes of the survivor."""
    values: dict[str, Any] = {}
    for name, column in CHOICES.items():
        value: Any
        kept, other = getattr(survivor, column), getattr(absorbed, column)
        choice = choices.get(name)
        if column == "parent_id":
            value = _merged_parent(survivor, absorbed, choice)
        else:
            value = kept_value(kept, other, choice=choice, absorbed=absorbed, is_text=name in TEXTS)
        if value != kept:
            values[column] = value
            if column == "annual_revenue":
                values["currency"] = absorbed.currency
    if survivor.verification == Verification.VERIFIED and values.keys() & {"name", "domain", "tax_id"}:
        values |= {"verification": Verification.UNVERIFIED, "verified_at": None, "verified_by_id": None}
    return values | joined_values(survivor, absorbed, choices)


def _merged_parent(survivor: Client, absorbed: Client, choice: str | None) -> uuid.UUID | None:
    """Return under whom the survivor stands: the chosen parent, else its own, else the other's."""
    own, other = survivor.parent_id, absorbed.parent_id
    if own == absorbed.pk:
        # It cannot stand under itself: it takes the other's place.
        return other
    if choice == str(survivor.pk) or (choice is None and own is not None) or other is None:
        return other if choice == str(absorbed.pk) else own
    if _is_above(survivor.pk, other, survivor):
        if choice is None:
            return own
        raise Invalid.field(
            "choices.parentId",
            "That company belongs to this one already, directly or through others.",
            value=choice,
            constraint="cycle",
        )
    return other


def _is_above(client_id: uuid.UUID, other_id: uuid.UUID, of: Client) -> bool:
    """Say whether a client is the other one, or stands above it."""
    with connection.cursor() as cursor:
        cursor.execute(_ABOVE, {"organization": of.organization_id, "client": other_id, "other": client_id})
        return bool(cursor.fetchone()[0])
