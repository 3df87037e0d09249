"""Match candidates and jobs, either way: find the nearest, weigh the factors, say why, log it. Nobody is rejected."""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Any

import orjson
from django.db import connection
from django.db.models import Count, QuerySet
from django.utils import timezone

from ai_matching.embedders import Embedder, PluginError, padded
from ai_matching.models import AiSettings, Match, MatchKind, Part, Purpose, SubjectKind
from ai_matching.services import factors
from ai_matching.services.factors import Factor, Wish, wish_of
from ai_matching.services.people import Person, people
from ai_matching.services.reasons import counted, likeness, sentence
from ai_matching.services.settings import answering, own_settings, weights_of
from ai_matching.services.skills import Asked, Compared, Had, Wanted, asked_in, canonical, named_in
from ai_matching.services.texts import Text, candidate_text, clean, hash_of, job_text
from ai_matching.services.usage import MILLION, add_usage, budget_left
from ai_matching.services.vectors import Cosines, named, nearest, stored_vectors, weighed, written
from recruitment.models import CandidateProfile, CandidateSkill, JobOpening, JobSkill
from recruitment.models.profiles import Salary
from recruitment.models.skills import fold
from sales.services.money import RateMissing, worth
from vocelio.access.principal import Principal
from vocelio.audit.context import current_actor
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import Invalid
from vocelio.organizations.scope import current_organization_id

# Raise it when the same factors would give another score.
RULES = "2"
# So many of the nearest are weighed by all factors; the pages end there.
POOL = 100
# All results of a page at once: made one by one as objects they took 5 ms.
LOG = """
INSERT INTO match_results (organization_id, match_id, id, rank, job_id, profile_id, contact_id, score, factors, reason,
    verdict, note)
SELECT %s, %s, id, rank, job_id, profile_id, contact_id, score, factors, reason, '', '' FROM jsonb_to_recordset(%s)
    AS shown (id uuid, rank int, job_id uuid, profile_id uuid, contact_id uuid, score numeric, factors jsonb, reason text)
"""
OUTAGE = "The model does not answer; stored vectors were compared."
STALE = "The text changed after its vector was made; the old one was compared."
BLIND = "No vectors to compare; ranked by the other factors alone."


@dataclass
class Scored:
    """One result: a candidate's profile or a job, its score from 0 to 100, and why, told when it is asked for."""

    subject: Any
    score: Decimal
    found: dict[str, Factor]
    weights: dict[str, float]
    skills: Compared | None
    result_id: uuid.UUID | None = None
    rank: int = 0

    @cached_property
    def factors(self) -> list[dict[str, Any]]:
        """Return what each factor adds to the score, and why."""
        return [
            {
                "factor": name,
                "value": round(each.value, 3),
                "weight": round(self.weights[name], 3),
                "points": round(100 * each.value * self.weights[name], 1),
                "reason": counted(self.skills) if name == "skills" and self.skills else each.reason,
            }
            for name, each in self.found.items()
        ]

    @cached_property
    def reason(self) -> str:
        """Say why, in words."""
        return sentence(self.factors, self.skills)


@dataclass(frozen=True)
class Answer:
    """A page of results and how they came about."""

    match: Match
    results: list[Scored]
    total: int


@dataclass(frozen=True)
class Asking:
    """How a question is to be answered."""

    principal: Principal
    weights: dict[str, float] | None = None
    title_weight: float | None = None
    threshold: int | None = None
    page: int = 1
    limit: int = 20
    filters: dict[str, Any] | None = None


def match_candidates(*, asking: Asking, among: QuerySet[Any], job: JobOpening | None = None, text: str = "") -> Answer:
    """Return the candidates of `among` that suit a job, or a free text."""
    wish = wish_of(job) if job is not None else Wish()
    if job is not None:
        rows = JobSkill.objects.filter(job=job).order_by("-is_required", "-level", "folded")
        asked = [Asked(*row) for row in rows.values_list("name", "level", "is_required")]
        asked_text = job_text(job, [each.name for each in sorted(asked, key=lambda each: fold(each.name))])
    else:
        asked, asked_text = [], free_text(text)
    asked = asked or asked_in(asked_text.body or asked_text.title)
    question = Question(asking, SubjectKind.CANDIDATE, asked_text, SubjectKind.JOB, job)
    met: dict[uuid.UUID, Person] = {}

    def sift(ids: Iterable[uuid.UUID]) -> Iterable[uuid.UUID]:
        met.update(people(among, ids))
        return met

    cosines, notice = question.pool(among, lambda: _by_skills(asked, among), sift)
    if not cosines.keys() <= met.keys():
        met.update(people(among, cosines))
    wanted = Wanted(asked)
    scored = [
        question.score(person, person, wish, wanted.compare(person.skills) if asked else None, cosines[each])
        for each, person in met.items()
        if each in cosines
    ]
    return question.answered(MatchKind.CANDIDATES, scored, notice, job=job)


def match_jobs(
    *, asking: Asking, among: QuerySet[Any], profile: CandidateProfile | None = None, text: str = ""
) -> Answer:
    """Return the jobs of `among` that suit a candidate, or the text of a CV."""
    if profile is not None:
        (person,) = people(CandidateProfile.objects.all(), [profile.pk]).values()
        had = person.skills
        ordered = sorted(had, key=lambda each: (-each.level, fold(each.name)))
        asked_text = candidate_text(profile, [each.name for each in ordered])
    else:
        person, asked_text = None, free_text(text)
        had = [Had(name) for name in named_in(text)]
    question = Question(asking, SubjectKind.JOB, asked_text, SubjectKind.CANDIDATE, profile)
    cosines, notice = question.pool(
        among, lambda: list(among.order_by("-created_at", "-id").values_list("pk", flat=True)[:POOL])
    )
    asked: dict[uuid.UUID, list[Asked]] = defaultdict(list)
    for row in JobSkill.objects.filter(job_id__in=named(cosines)).order_by("-is_required", "-level", "folded"):
        asked[row.job_id].append(Asked(row.name, row.level, row.is_required))
    jobs = among.filter(pk__in=named(cosines)).select_related("client").defer("client__search")
    scored = []
    for job in jobs:
        wanted = asked[job.pk] or asked_in(f"{job.description}\n{job.requirements}")
        compared = Wanted(wanted).compare(had) if wanted else None
        scored.append(question.score(job, person, wish_of(job), compared, cosines[job.pk]))
    return question.answered(MatchKind.JOBS, scored, notice, profile=profile)


class Question:
    """One question on its way to an answer."""

    def __init__(
        self, asking: Asking, kind: str, text: Text, asked_kind: str, asked_by: JobOpening | CandidateProfile | None
    ) -> None:
        self.asking, self.kind, self.text, self.asked_kind, self.asked_by = asking, kind, text, asked_kind, asked_by
        self.settings: AiSettings = own_settings()
        self.embedder = answering(self.settings)
        self.weights = weights_of(self.settings, asking.weights)
        self.title_weight = self.settings.title_weight if asking.title_weight is None else asking.title_weight
        self.threshold = self.settings.threshold if asking.threshold is None else asking.threshold
        self.sees_salaries = asking.principal.may("profiles:salary")
        self.today = timezone.now().date()
        self.rate = cache(self._rate)

    def pool(self, among: QuerySet[Any], otherwise: Any, sift: Any = None) -> tuple[dict[uuid.UUID, Cosines], str]:
        """Return the nearest with their cosines and what was out of order."""
        vectors, notice = asked_vectors(
            self.text, self.embedder, self.settings, self.asked_kind, self.asked_by.pk if self.asked_by else None
        )
        cosines = nearest(
            kind=self.kind,
            asked=vectors,
            title_weight=self.title_weight,
            among=among,
            embedder=self.embedder,
            limit=POOL,
            sift=sift,
        )
        if not cosines:
            cosines = dict.fromkeys(otherwise(), (None, None))
            notice = notice or BLIND
        return cosines, notice

    def score(
        self,
        subject: Any,
        person: Person | None,
        wish: Wish,
        compared: Compared | None,
        cosines: Cosines,
    ) -> Scored:
        """Weigh what is known of one pair."""
        alike = self.embedder.likeness(weighed(cosines, self.title_weight))
        found: dict[str, Factor | None] = {
            "similarity": None if cosines == (None, None) else Factor(alike, likeness(alike)),
            "skills": Factor(compared.share, "") if compared is not None else None,
        }
        # Of somebody who sent a text no more is known than what it says.
        if person is not None:
            found |= {
                "experience": factors.experience(wish, person),
                "location": factors.location(wish, person),
                "salary": self._salary(wish, person) if self.sees_salaries else None,
                "availability": factors.availability(wish, person, self.today),
            }
        # In the order of their names' weights, so that sums of floats are the same each time.
        known = {name: each for name, each in found.items() if each is not None and self.weights[name] > 0}
        whole = sum(self.weights[name] for name in known) or 1.0
        weights = {name: self.weights[name] / whole for name in known}
        score = 100 * sum(each.value * self.weights[name] for name, each in known.items()) / whole
        return Scored(subject, Decimal(f"{score:.2f}"), known, weights, compared)

    def answered(self, kind: str, scored: list[Scored], notice: str, **about: Any) -> Answer:
        """Order the results, log the question and the page that is shown."""
        shown = [each for each in scored if each.score >= self.threshold]
        shown.sort(key=lambda each: (-each.score, each.subject.pk))
        start = (self.asking.page - 1) * self.asking.limit
        match = Match(
            id=uuid7(),
            created_at=timezone.now(),
            created_by_id=current_actor().user_id,
            kind=kind,
            text_hash="" if self.asked_by else hash_of(self.text.body),
            filters=self.asking.filters or {},
            weights=self.weights,
            title_weight=self.title_weight,
            threshold=self.threshold,
            provider=self.embedder.slug,
            model=self.embedder.model,
            model_version=self.embedder.version,
            rules_version=RULES,
            notice=notice,
            total=len(shown),
            **about,
        )
        match.save(force_insert=True)
        page = shown[start : start + self.asking.limit]
        for place, each in enumerate(page, start=1):
            each.result_id, each.rank = uuid7(), start + place
        with connection.cursor() as cursor:
            rows = orjson.dumps([_logged(match, each) for each in page], default=str).decode()
            cursor.execute(LOG, [match.organization_id, match.pk, rows])
        record("match.made", "match", match.pk, kind=str(kind), shown=len(page), total=len(shown))
        return Answer(match, page, len(shown))

    def _salary(self, wish: Wish, person: Person) -> Factor | None:
        if wish.salary_max is None and wish.salary_min is None:
            return None
        desired = person.desired
        amount = self._in_currency(desired, wish.currency) if desired is not None else None
        return factors.salary(wish, desired, amount)

    def _in_currency(self, desired: Salary, currency: str) -> Decimal | None:
        """Return what somebody wants a year in the currency of a job, by the organization's rates; None without one."""
        amount = factors.yearly(desired)
        if desired.currency == currency:
            return amount
        theirs, ours = self.rate(desired.currency), self.rate(currency)
        return amount * theirs / ours if theirs and ours else None

    def _rate(self, currency: str) -> Decimal | None:
        try:
            return worth(MILLION, currency) / MILLION
        except RateMissing:
            return None


def asked_vectors(
    text: Text, embedder: Embedder, settings: AiSettings, kind: str, subject_id: uuid.UUID | None
) -> tuple[dict[str, str], str]:
    """Return the vectors of what is asked by part, as they are written, and what was out of order.

    Stored ones where the text is still the same, else new ones. Where the model cannot be asked, the stored ones of an
    older text, and for a free text none.
    """
    stored = stored_vectors(kind, subject_id, embedder) if subject_id else {}
    parts = {part: text.part(part) for part in Part.values if text.part(part)}
    fresh = {part: stored[part][0] for part in parts if part in stored and stored[part][1] == hash_of(parts[part])}
    missing = [part for part in parts if part not in fresh]
    if not missing:
        return fresh, ""
    old = {part: vector for part, (vector, _) in stored.items()}
    if embedder.is_remote and (old or budget_left(settings) <= 0):
        return old, STALE if old else "The month's budget for models is spent."
    try:
        made = embedder.embed([parts[part] for part in missing])
    except PluginError:
        return old, OUTAGE
    add_usage(
        purpose=Purpose.EMBEDDING,
        provider=embedder.slug,
        model=embedder.model,
        requests=made.requests,
        texts=len(missing),
        tokens=made.tokens,
        cost=embedder.price * made.tokens / MILLION,
    )
    return fresh | {
        part: written(vector) for part, vector in zip(missing, padded(made.vectors), strict=True) if vector.any()
    }, ""


def free_text(text: str) -> Text:
    """Return a free text: its first line is the title where it is short enough to be one."""
    head, _, rest = text.strip().partition("\n")
    if len(head) <= 120:
        return Text(clean(head), clean(rest) or clean(head))
    return Text("", clean(text))


def candidates_for(principal: Principal) -> QuerySet[Any]:
    """Return the candidates that may be shown: one profile a person, of those the caller may see."""
    # Contacts by their organization too: of the policy's the planner knows no value, and read everybody's for a small one.
    rows: QuerySet[Any] = CandidateProfile.visible(principal).filter(
        is_primary=True, contact__organization_id=current_organization_id()
    )
    return rows.defer("contact__search", "experience", "education", "languages", "summary", "notes", "current_salary")


def jobs_for(principal: Principal) -> QuerySet[Any]:
    """Return the jobs that may be shown: open ones the caller may see."""
    rows: QuerySet[Any] = JobOpening.objects.alive().visible_to(principal).filter(status="open")
    return rows


def find_candidate(profile_id: uuid.UUID, principal: Principal) -> CandidateProfile:
    """Return a candidate the caller may see; raise Invalid for any other."""
    found: CandidateProfile | None = CandidateProfile.visible(principal).filter(pk=profile_id).first()
    if found is None:
        raise Invalid.field(
            "candidateId", "There is no such candidate.", value=str(profile_id), constraint="does_not_exist"
        )
    return found


def _by_skills(asked: Iterable[Asked], among: QuerySet[Any]) -> list[uuid.UUID]:
    """Return those with the most of the skills asked for, when there are no vectors to go by."""
    names = {fold(each.name) for each in asked} | {canonical(each.name) for each in asked}
    rows = CandidateSkill.objects.filter(folded__in=names, profile_id__in=among.values("pk"))
    ranked = rows.values("profile_id").annotate(number=Count("pk")).order_by("-number", "profile_id")
    return [row["profile_id"] for row in ranked[:POOL]]


def _logged(match: Match, each: Scored) -> dict[str, Any]:
    is_job = isinstance(each.subject, JobOpening)
    contact_id = (match.profile.contact_id if match.profile else None) if is_job else each.subject.contact_id
    return {
        "id": each.result_id,
        "rank": each.rank,
        "job_id": each.subject.pk if is_job else match.job_id,
        "profile_id": match.profile_id if is_job else each.subject.pk,
        "contact_id": contact_id,
        "score": each.score,
        "factors": each.factors,
        "reason": each.reason,
    }
