"""Find contacts, jobs and candidates by what a text means."""

from typing import Any

from django.db.models import QuerySet

from ai_matching.models import SubjectKind
from ai_matching.services.matching import asked_vectors, candidates_for
from ai_matching.services.settings import answering, own_settings
from ai_matching.services.texts import Text, clean
from ai_matching.services.vectors import best, nearest, weighed
from contacts.models import Contact
from recruitment.models import JobOpening
from vocelio.access.principal import Principal
from vocelio.audit.services import record

NEEDS = {SubjectKind.JOB: "jobs:read", SubjectKind.CANDIDATE: "profiles:read", SubjectKind.CONTACT: "contacts:read"}


def search(*, kind: str, text: str, principal: Principal, limit: int) -> tuple[list[dict[str, Any]], str]:
    """Return the records the caller may see whose title or text is likest, and what was out of order."""
    settings = own_settings()
    embedder = answering(settings)
    asked = clean(text)
    # A few words name a post as well as what it is about.
    vectors, notice = asked_vectors(Text(asked, asked), embedder, settings, kind, None)
    rows = _visible(kind, principal)
    cosines = nearest(kind=kind, asked=vectors, title_weight=0.5, among=rows, embedder=embedder, limit=limit)
    found = rows.in_bulk(list(cosines))
    record("records.searched", kind, "", shown=len(found))
    return [
        {
            "id": key,
            "kind": kind,
            "name": str(found[key].contact) if kind == SubjectKind.CANDIDATE else str(found[key]),
            "title": found[key].headline if kind == SubjectKind.CANDIDATE else found[key].title,
            "likeness": round(embedder.likeness(weighed(cosines[key], 0.5)), 3),
        }
        for key in best(cosines, 0.5, limit)
    ], notice


def _visible(kind: str, principal: Principal) -> QuerySet[Any]:
    rows: QuerySet[Any]
    if kind == SubjectKind.CANDIDATE:
        return candidates_for(principal).select_related("contact")
    if kind == SubjectKind.JOB:
        rows = JobOpening.objects.alive().visible_to(principal)
    else:
        rows = Contact.objects.alive().visible_to(principal).defer("search")
    return rows
