"""Offers with their approval, and placements."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from recruitment.models import (
    NEXT_OFFER_STATUSES,
    Application,
    ApplicationStage,
    Offer,
    OfferStatus,
    Placement,
    StageOutcome,
)
from recruitment.services.announcements import announce_application
from recruitment.services.applications import update_application
from recruitment.services.settings import own_settings
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.errors import Conflict, Forbidden, Invalid
from vocelio.notifications.services.feed import tell_feed
from vocelio.notifications.services.notifications import notify
from vocelio.organizations.models import Membership, Role
from vocelio.versions import lock


class OfferLive(Conflict):
    code = "OFFER_LIVE"
    message = "Another offer of this application is on its way. Withdraw it first."


class OfferStatusRefused(Conflict):
    """The offer cannot become this from what it is; `allowed` says what it may become."""

    code = "STATUS_REFUSED"


class OfferFixed(Conflict):
    code = "OFFER_FIXED"
    message = "Only a draft can be changed; send it back to be one first."


class PlacedAlready(Conflict):
    code = "PLACED_ALREADY"
    message = "There is a placement of this application."


def create_offer(*, application: Application, **fields: Any) -> Offer:
    """Draft an offer; raise OfferLive while another one of the application is on its way."""
    if application.status != StageOutcome.OPEN:
        raise Invalid.field("applicationId", "The application is closed.", constraint="open")
    offer = Offer(
        application=application,
        job_id=application.job_id,
        assigned_to_id=application.assigned_to_id,
        created_by_id=current_actor().user_id,
        **fields,
    )
    try:
        with transaction.atomic():
            offer.save(force_insert=True)
    except IntegrityError as error:
        if "one_live_offer" not in str(error):
            raise
        raise OfferLive from None
    record("offer.created", "offer", offer.pk, applicationId=str(application.pk))
    announce_application("application_updated", application, offerId=str(offer.pk))
    return offer


def update_offer(*, offer: Offer, version: int | None = None, **fields: Any) -> Offer:
    """Change a draft; raise OfferFixed for any other."""
    offer = lock(Offer.objects, offer.pk, version, offer_state)
    if offer.status != OfferStatus.DRAFT:
        raise OfferFixed
    for name, value in fields.items():
        setattr(offer, name, value)
    offer.version += 1
    offer.save(update_fields=[*fields, "version"])
    record("offer.updated", "offer", offer.pk, fields=sorted(fields))
    return offer


def change_offer_status(
    *, offer: Offer, principal: Principal, status: str, note: str = "", version: int | None = None
) -> Offer:
    """Submit, approve, send back, send, accept, decline or withdraw an offer.

    Approving takes the right to, and somebody else than who drafted it unless the settings say otherwise. Raise
    OfferStatusRefused for a status it cannot have next.
    """
    offer = lock(Offer.objects, offer.pk, version, offer_state)
    if status not in NEXT_OFFER_STATUSES[offer.status]:
        labels = dict(OfferStatus.choices)
        raise OfferStatusRefused(
            f"An offer that is {labels[offer.status].lower()} cannot become {labels[status].lower()}.",
            allowed=list(NEXT_OFFER_STATUSES[offer.status]),
        )
    if status == OfferStatus.APPROVED:
        if not principal.may("offers:approve"):
            raise Forbidden("Your role does not approve offers.")
        if own_settings().needs_second_approver and offer.created_by_id == principal.user_id:
            raise Forbidden("Somebody else approves an offer of yours.")
        offer.approved_by_id, offer.approved_at = principal.user_id, timezone.now()
    elif status == OfferStatus.SENT:
        offer.sent_at = timezone.now()
    elif status in (OfferStatus.ACCEPTED, OfferStatus.DECLINED):
        offer.decided_at = timezone.now()
    elif status == OfferStatus.DRAFT:
        offer.approved_by, offer.approved_at = None, None
    offer.status, offer.note = status, note
    offer.version += 1
    offer.save()
    record(f"offer.{status}", "offer", offer.pk)
    if offer.application is not None:
        announce_application("application_updated", offer.application, offerId=str(offer.pk))
    tell_feed(
        kind=f"offer.{status}",
        resource="offer",
        resource_id=offer.pk,
        title=offer.job.title,
        owners=[offer.assigned_to_id],
    )
    if status == OfferStatus.PENDING:
        approvers = Membership.objects.filter(
            organization_id=offer.organization_id, is_active=True, role__in=[Role.ADMIN, Role.MANAGER]
        ).exclude(user_id=principal.user_id)
        notify(
            kind="offer.to_approve",
            user_ids=list(approvers.values_list("user_id", flat=True)[:50]),
            title=f"An offer for {offer.job} waits for approval",
            key=f"offer.to_approve:{offer.pk}:{offer.version}",
            resource="offer",
            resource_id=offer.pk,
        )
    return offer


def offer_state(offer: Offer) -> dict[str, Any]:
    """Return what the second of two people needs to see."""
    return {"id": str(offer.pk), "status": offer.status, "version": offer.version}


def create_placement(*, application: Application, **fields: Any) -> Placement:
    """Place who applied: the application is hired, where it is not yet; the client is the job's unless given."""
    fields.setdefault("client_id", application.job.client_id)
    if fields.get("fee") and not fields.get("currency"):
        raise Invalid.field("currency", "A fee needs its currency.", constraint="required")
    placement = Placement(
        application=application,
        contact_id=application.contact_id,
        job_id=application.job_id,
        assigned_to_id=application.assigned_to_id,
        created_by_id=current_actor().user_id,
        **fields,
    )
    _save(placement)
    if application.status != StageOutcome.HIRED:
        stage = (
            ApplicationStage.objects.alive()
            .filter(process_id=application.process_id, outcome=StageOutcome.HIRED)
            .order_by("position")
            .first()
        )
        update_application(application=application, stage=stage)
    record("placement.created", "placement", placement.pk, applicationId=str(application.pk))
    tell_feed(
        kind="placement.created",
        resource="placement",
        resource_id=placement.pk,
        title=application.job.title,
        owners=[placement.assigned_to_id],
    )
    return placement


def update_placement(*, placement: Placement, **fields: Any) -> Placement:
    for name, value in fields.items():
        setattr(placement, name, value)
    if placement.ends_on and placement.ends_on < placement.starts_on:
        raise Invalid.field("endsOn", "This is before it starts.", constraint="range")
    if placement.fee and not placement.currency:
        raise Invalid.field("currency", "A fee needs its currency.", constraint="required")
    _save(placement)
    record("placement.updated", "placement", placement.pk, fields=sorted(fields))
    return placement


def _save(placement: Placement) -> None:
    if placement.ends_on and placement.ends_on < placement.starts_on:
        raise Invalid.field("endsOn", "This is before it starts.", constraint="range")
    try:
        with transaction.atomic():
            placement.save()
    except IntegrityError as error:
        if "one_placement_an_application" not in str(error):
            raise
        raise PlacedAlready from None
