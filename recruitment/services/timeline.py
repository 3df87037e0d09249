"""What happened with an application, told by everything that knows a part of it."""

from typing import Any

from recruitment.models import Application, Interview, Offer, Placement, Scorecard, StageEvent, Submission
from vocelio.access.principal import Principal

MOST = 500


def read_timeline(application: Application, principal: Principal) -> list[dict[str, Any]]:
    """Return what happened, the newest first; scorecards only where the caller may see them."""
    entries = [
        {
            "at": event.moved_at,
            "kind": "stage",
            "title": f"{event.from_stage} to {event.to_stage}" if event.from_stage else f"Applied: {event.to_stage}",
            "user": event.moved_by,
            "details": {
                "fromStage": str(event.from_stage or ""),
                "toStage": str(event.to_stage),
                "seconds": event.seconds,
            },
        }
        for event in StageEvent.objects.filter(application_id=application.pk).select_related(
            "from_stage", "to_stage", "moved_by"
        )[:MOST]
    ]
    for interview in Interview.objects.filter(application=application).select_related("created_by"):
        details = {"interviewId": str(interview.pk), "startsAt": interview.starts_at, "status": interview.status}
        entries.append(_entry(interview.created_at, "interview", interview.title, interview.created_by, details))
    cards = Scorecard.objects.filter(interview__application=application, submitted_at__isnull=False)
    for card in cards.visible_to(principal).select_related("user"):
        details = {"interviewId": str(card.interview_id), "verdict": card.verdict}
        entries.append(_entry(card.submitted_at, "scorecard", card.get_verdict_display(), card.user, details))
    for offer in Offer.objects.filter(application=application).select_related("created_by"):
        moment = offer.decided_at or offer.sent_at or offer.approved_at or offer.created_at
        title = f"Offer: {offer.get_status_display().lower()}"
        entries.append(
            _entry(moment, "offer", title, offer.created_by, {"offerId": str(offer.pk), "status": offer.status})
        )
    for placement in Placement.objects.filter(application=application).select_related("created_by"):
        details = {"placementId": str(placement.pk), "startsOn": placement.starts_on}
        title = f"Placed from {placement.starts_on:%d %b %Y}"
        entries.append(_entry(placement.placed_at, "placement", title, placement.created_by, details))
    for submission in Submission.objects.filter(application=application).select_related("client", "created_by"):
        details = {"submissionId": str(submission.pk), "status": submission.status}
        title = f"Submitted to {submission.client}"
        entries.append(_entry(submission.submitted_at, "submission", title, submission.created_by, details))
    return sorted(entries, key=lambda entry: entry["at"], reverse=True)


def _entry(at: Any, kind: str, title: str, user: Any, details: dict[str, Any]) -> dict[str, Any]:
    return {"at": at, "kind": kind, "title": title, "user": user, "details": details}
