"""What all kinds of profiles have in common: one primary of each kind, a log of every change."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction

from contacts.models import Contact, Profile, ProfileChange
from contacts.services.announcements import announce_contact
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict

Action = ProfileChange.Action


class PrimaryChanged(Conflict):
    code = "PRIMARY_CHANGED"
    message = "Somebody else made another profile the primary one at this moment. Look again and decide anew."


def create_profile(*, kind: str, profile: Profile, fields: Iterable[str], is_primary: bool | None = None) -> None:
    """Store a new profile of a contact; the first of its kind is primary, later ones where asked for.

    Raise PrimaryChanged when it was asked for and another one became primary at the same moment.
    """
    profile.created_by_id = current_actor().user_id
    others = type(profile).objects.filter(contact_id=profile.contact_id, is_primary=True)
    try:
        with transaction.atomic():
            replaced = _take_flag(kind, profile) if is_primary else []
            profile.is_primary = bool(is_primary) or not others.exists()
            profile.save(force_insert=True)
    except IntegrityError as error:
        if "primary" not in str(error):
            raise
        if is_primary:
            raise _changed(profile) from None
        # Another first profile came at the same moment, and is the primary one.
        profile.is_primary = False
        profile.save(force_insert=True)
        replaced = []
    log_profile_change(kind=kind, profile=profile, action=Action.CREATED, changed=fields)
    for other in replaced:
        log_profile_change(kind=kind, profile=other, action=Action.REPLACED_AS_PRIMARY, changed=["is_primary"])


def update_profile(*, kind: str, profile: Profile, fields: dict[str, Any], also: Iterable[str] = ()) -> None:
    """Store the given fields of the profile; `also` names what the caller changed beside the row."""
    for name, value in fields.items():
        setattr(profile, name, value)
    if fields:
        profile.save(update_fields=list(fields))
    log_profile_change(kind=kind, profile=profile, action=Action.UPDATED, changed=[*fields, *also])


def make_primary(*, kind: str, profile: Profile) -> None:
    """Make this the contact's primary profile of its kind; raise PrimaryChanged when another became so meanwhile."""
    if profile.is_primary:
        return
    try:
        with transaction.atomic():
            replaced = _take_flag(kind, profile)
            profile.is_primary = True
            profile.save(update_fields=["is_primary"])
    except IntegrityError as error:
        if "primary" not in str(error):
            raise
        raise _changed(profile) from None
    for other in replaced:
        log_profile_change(kind=kind, profile=other, action=Action.REPLACED_AS_PRIMARY, changed=["is_primary"])
    log_profile_change(kind=kind, profile=profile, action=Action.MADE_PRIMARY, changed=["is_primary"])


def delete_profile(*, kind: str, profile: Profile) -> None:
    """Delete the profile for good; the newest of those left becomes primary when this one was."""
    was_primary, model = profile.is_primary, type(profile)
    log_profile_change(kind=kind, profile=profile, action=Action.DELETED)
    model.objects.filter(pk=profile.pk).delete()
    heir = model.objects.filter(contact_id=profile.contact_id).order_by("-created_at", "-id").first()
    if was_primary and heir is not None:
        make_primary(kind=kind, profile=heir)


def log_profile_change(*, kind: str, profile: Profile, action: str, changed: Iterable[str] = ()) -> None:
    """Add to the contact's log of profile changes and to the audit log, and tell those who follow the contact."""
    actor, names = current_actor(), sorted(changed)
    ProfileChange.objects.create(
        contact_id=profile.contact_id,
        profile_id=profile.pk,
        kind=kind,
        action=action,
        changed=names,
        user_id=actor.user_id,
        door=actor.door,
        request_id=actor.request_id,
    )
    record(f"{kind}_profile.{action}", f"{kind}_profile", profile.pk, contactId=str(profile.contact_id), fields=names)
    contact = Contact.objects.get(pk=profile.contact_id)
    announce_contact(
        "contact_updated", contact, {"profile": {"kind": kind, "id": str(profile.pk), "action": str(action)}}
    )


def _take_flag(kind: str, profile: Profile) -> list[Profile]:
    """Take the flag from the profile that has it; return it."""
    holders = type(profile).objects.filter(contact_id=profile.contact_id, is_primary=True).exclude(pk=profile.pk)
    replaced: list[Profile] = list(holders)
    holders.update(is_primary=False)
    return replaced


def _changed(profile: Profile) -> PrimaryChanged:
    now = type(profile).objects.filter(contact_id=profile.contact_id, is_primary=True).first()
    return PrimaryChanged(**({"primaryId": str(now.pk)} if now else {}))
