"""Make vectors of what changed or of everything: in batches, never twice of the same text, resumable."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db import connection
from django.db.models import Exists, OuterRef
from django.utils import timezone

from ai_matching.embedders import Embedder, PluginError, all_embedders, padded
from ai_matching.models import Embedding, EmbeddingMark, EmbeddingRun, Part, Purpose, SubjectKind
from ai_matching.services.settings import answer_with, answering, chosen, own_settings
from ai_matching.services.texts import Text, hash_of, texts_of
from ai_matching.services.usage import MILLION, add_usage, budget_left
from contacts.models import Contact
from recruitment.models import CandidateProfile, JobOpening
from vocelio.audit.services import record
from vocelio.db.ids import uuid7
from vocelio.errors import VocelioError
from vocelio.jobs.services import JobParked, enqueue_job, running
from vocelio.organizations.scope import current_organization_id, organization_scope

# Subjects in one step.
STEP = 250
# Marks taken into one run.
MARKS = 5_000
# More contacts than this are an import or a bulk change.
MANY = 100
COLUMN = {SubjectKind.JOB: "job_id", SubjectKind.CANDIDATE: "profile_id", SubjectKind.CONTACT: "contact_id"}
MODELS: dict[str, Any] = {
    SubjectKind.JOB: JobOpening,
    SubjectKind.CANDIDATE: CandidateProfile,
    SubjectKind.CONTACT: Contact,
}
# The column of each that a mark names.
OF_MARK: dict[str, str] = {SubjectKind.JOB: "pk", SubjectKind.CANDIDATE: "contact_id", SubjectKind.CONTACT: "pk"}
# A subject that went meanwhile is no error: its row would not be found by the foreign key.
STORE = """
INSERT INTO embeddings (id, organization_id, kind, part, {column}, provider, model, version, dimensions, text_hash, vector)
SELECT new.id, %(organization)s, %(kind)s, new.part, new.subject_id, %(provider)s, %(model)s, %(version)s,
    %(dimensions)s, new.text_hash, new.vector::halfvec
FROM unnest(%(ids)s::uuid[], %(parts)s::text[], %(subjects)s::uuid[], %(hashes)s::text[], %(vectors)s::text[])
    AS new (id, part, subject_id, text_hash, vector)
JOIN {table} AS subject ON subject.organization_id = %(organization)s AND subject.id = new.subject_id
ON CONFLICT (organization_id, kind, provider, model, part, subject_id) DO UPDATE SET
    version = excluded.version, dimensions = excluded.dimensions, text_hash = excluded.text_hash,
    vector = excluded.vector, embedded_at = now()
"""
MARK = """
INSERT INTO embedding_marks (id, organization_id, kind, subject_id)
SELECT uuid7(), %s, %s, changed.id FROM unnest(%s::uuid[]) AS changed (id) ORDER BY changed.id
ON CONFLICT (organization_id, kind, subject_id) DO UPDATE SET marked_at = now()
"""


class EmbedderRefused(VocelioError):
    """The maker of embeddings does not do it: a wrong key, an exhausted quota, a spent budget."""

    code = "EMBEDDER_REFUSED"
    status = 502


class Wanted(NamedTuple):
    """One part of a subject that needs a vector."""

    subject_id: uuid.UUID
    part: str
    text: str
    text_hash: str


def mark_changed(organization_id: uuid.UUID, kind: str, ids: Iterable[uuid.UUID]) -> None:
    """Note that subjects changed; the next tick starts a run over them.

    Of many contacts at once, as of an import, those alone that have a vector or a candidate profile. Nobody may ever look
    for the others by meaning; a run over everything gives them vectors, which are then kept up.
    """
    ids = list(ids)
    if not ids:
        return
    with organization_scope(organization_id), connection.cursor() as cursor:
        if kind == SubjectKind.CONTACT and len(ids) > MANY:
            ids = _looked_for(ids)
        cursor.execute(MARK, [organization_id, kind, ids])


def start_marked_runs(organization_id: uuid.UUID) -> int:
    """Start runs over what was marked; return how many subjects that were."""
    with organization_scope(organization_id):
        _renew()
        marks = list(EmbeddingMark.objects.select_for_update(skip_locked=True).order_by("marked_at")[:MARKS])
        jobs = [mark.subject_id for mark in marks if mark.kind == SubjectKind.JOB]
        contacts = [mark.subject_id for mark in marks if mark.kind == SubjectKind.CONTACT]
        candidates = CandidateProfile.objects.filter(contact_id__in=contacts).values_list("pk", flat=True)
        for kind, ids in (
            (SubjectKind.JOB, jobs),
            (SubjectKind.CONTACT, contacts),
            (SubjectKind.CANDIDATE, list(candidates)),
        ):
            if ids:
                start_run(kinds=[kind], subject_ids=ids)
        EmbeddingMark.objects.filter(pk__in=[mark.pk for mark in marks]).delete()
    return len(marks)


def _renew() -> None:
    """Start runs over what has vectors of a model that an upgrade replaced."""
    embedder = chosen(own_settings())
    models = EmbeddingRun.objects.filter(provider=embedder.slug).order_by("-created_at", "-id")
    if models.values_list("model", flat=True).first() in (None, embedder.model):
        return
    old = Embedding.objects.filter(provider=embedder.slug).exclude(model=embedder.model)
    for kind in SubjectKind.values:
        ids = list(old.filter(kind=kind).order_by().values_list("subject_id", flat=True).distinct())
        if ids:
            start_run(kinds=[kind], subject_ids=ids)


def start_run(*, kinds: Sequence[str], subject_ids: Sequence[uuid.UUID] | None = None) -> EmbeddingRun:
    """Start a run over the subjects named, of one kind, or over all of some kinds."""
    embedder = chosen(own_settings())
    total = len(subject_ids) if subject_ids is not None else sum(MODELS[kind].objects.count() for kind in kinds)
    run = EmbeddingRun(
        kinds=list(kinds),
        subject_ids=sorted(set(subject_ids)) if subject_ids is not None else None,
        provider=embedder.slug,
        model=embedder.model,
        total=total,
    )
    run.save(force_insert=True)
    record("embedding_run.started", "embeddingrun", run.pk, kinds=list(kinds), total=total)
    enqueue_job(run)
    return run


def run_embeddings(job: EmbeddingRun) -> None:
    """Carry on making vectors from the checkpoint: {kind: place in `kinds`, after: last id}."""
    with running(job) as run:
        embedder: Embedder = all_embedders()[run.job.provider]
        while (place := run.job.checkpoint.get("kind", 0)) < len(run.job.kinds):
            kind = run.job.kinds[place]
            with organization_scope(run.job.organization_id):
                ids = _next_ids(run.job, kind)
                texts = texts_of(kind, ids)
                wanted, unchanged = _wanted(kind, texts, embedder)
                known = _known_vectors(wanted, embedder)
                is_over_budget = bool(embedder.price) and budget_left(own_settings()) <= 0
            fresh = [each for each in wanted if each.text_hash not in known]
            if fresh and is_over_budget:
                raise EmbedderRefused("The month's budget for models is spent.")
            # Outside any transaction: the model may be at the other end of a network.
            vectors, tokens, requests = embed_texts(embedder, {each.text_hash: each.text for each in fresh})
            with run.step() as step:
                _store(kind, wanted, known | vectors, embedder)
                _forget_gone(kind, ids, texts, embedder)
                if vectors:
                    add_usage(
                        purpose=Purpose.EMBEDDING,
                        provider=embedder.slug,
                        model=embedder.model,
                        requests=requests,
                        texts=len(vectors),
                        tokens=tokens,
                        cost=embedder.price * tokens / MILLION,
                    )
                empty = sum(1 for text in texts.values() if not text.title and not text.body)
                checkpoint = {"kind": place, "after": str(ids[-1])} if len(ids) == STEP else {"kind": place + 1}
                step.advance(
                    len(ids),
                    checkpoint=checkpoint,
                    embedded=len(fresh),
                    unchanged=unchanged,
                    reused=len(wanted) - len(fresh),
                    empty=empty,
                )
        with run.step():
            _switch_over(run.job, embedder)


def embed_texts(embedder: Embedder, texts: dict[str, str]) -> tuple[dict[str, list[float]], int, int]:
    """Return {hash: vector as it is stored}, the tokens and the requests; park the job where the maker is away."""
    found: dict[str, list[float]] = {}
    tokens = requests = 0
    hashes = list(texts)
    for start in range(0, len(hashes), embedder.batch):
        some = hashes[start : start + embedder.batch]
        try:
            answer = embedder.embed([texts[each] for each in some])
        except PluginError as error:
            if error.permanent:
                raise EmbedderRefused(str(error)) from error
            raise JobParked(timezone.now() + timedelta(seconds=error.retry_after or 60)) from error
        tokens += answer.tokens
        requests += answer.requests
        for each, vector in zip(some, padded(answer.vectors), strict=True):
            if np.any(vector):
                found[each] = vector.tolist()
    return found, tokens, requests


def coverage() -> list[dict[str, Any]]:
    """Return of each kind how many subjects there are, have a vector of the answering model, and wait for a new one."""
    embedder = answering(own_settings())
    result = []
    for kind, model in MODELS.items():
        alive = model.objects.alive() if hasattr(model.objects, "alive") else model.objects
        if kind == SubjectKind.CANDIDATE:
            alive = alive.filter(contact__deleted_at__isnull=True)
        rows = Embedding.objects.filter(kind=kind, provider=embedder.slug, model=embedder.model)
        with_vector = rows.values("subject_id").distinct().count()
        waiting = EmbeddingMark.objects.filter(kind=SubjectKind.JOB if kind == SubjectKind.JOB else SubjectKind.CONTACT)
        changed = alive.filter(**{f"{OF_MARK[kind]}__in": waiting.values("subject_id")})
        result.append({"kind": str(kind), "total": alive.count(), "embedded": with_vector, "waiting": changed.count()})
    return result


def unembedded(kind: str, limit: int = 100) -> list[dict[str, Any]]:
    """Return records without a vector of the answering model, and then those that changed since theirs was made."""
    embedder = answering(own_settings())
    rows = MODELS[kind].objects
    if kind == SubjectKind.CANDIDATE:
        rows = rows.filter(contact__deleted_at__isnull=True).select_related("contact").defer("contact__search")
    else:
        rows = rows.alive().defer("search") if kind == SubjectKind.CONTACT else rows.alive()
    own = Embedding.objects.filter(kind=kind, provider=embedder.slug, model=embedder.model, subject_id=OuterRef("pk"))
    marks = EmbeddingMark.objects.filter(kind=SubjectKind.JOB if kind == SubjectKind.JOB else SubjectKind.CONTACT)
    missing = rows.filter(~Exists(own)).order_by("id")[:limit]
    changed = rows.filter(Exists(own), **{f"{OF_MARK[kind]}__in": marks.values("subject_id")}).order_by("id")[:limit]
    found = [(each, "missing") for each in missing] + [(each, "changed") for each in changed]
    return [
        {
            "id": each.pk,
            "kind": kind,
            "name": str(each.contact if kind == SubjectKind.CANDIDATE else each),
            "state": state,
        }
        for each, state in found[:limit]
    ]


def _next_ids(job: EmbeddingRun, kind: str) -> list[uuid.UUID]:
    after = job.checkpoint.get("after")
    if job.subject_ids is not None:
        ids = [each for each in job.subject_ids if after is None or each > uuid.UUID(after)]
        return ids[:STEP]
    rows = MODELS[kind].objects.order_by("id")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.values_list("pk", flat=True)[:STEP])


def _wanted(kind: str, texts: dict[uuid.UUID, Text], embedder: Embedder) -> tuple[list[Wanted], int]:
    """Return the parts whose text has no vector yet, and how many have one already."""
    rows = Embedding.objects.filter(
        kind=kind, provider=embedder.slug, model=embedder.model, version=embedder.version, subject_id__in=list(texts)
    )
    stored = {(subject, part): text for subject, part, text in rows.values_list("subject_id", "part", "text_hash")}
    wanted, unchanged = [], 0
    for subject_id, text in texts.items():
        for part in Part.values:
            content = text.part(part)
            if not content:
                continue
            text_hash = hash_of(content)
            if stored.get((subject_id, part)) == text_hash:
                unchanged += 1
            else:
                wanted.append(Wanted(subject_id, part, content, text_hash))
    return wanted, unchanged


def _known_vectors(wanted: list[Wanted], embedder: Embedder) -> dict[str, list[float]]:
    """Return {hash: vector} of the texts that another subject of the organization has word for word."""
    rows = (
        Embedding.objects.filter(
            provider=embedder.slug,
            model=embedder.model,
            version=embedder.version,
            text_hash__in={each.text_hash for each in wanted},
        )
        .order_by("text_hash")
        .distinct("text_hash")
    )
    return {text_hash: list(vector) for text_hash, vector in rows.values_list("text_hash", "vector")}


def _store(kind: str, wanted: list[Wanted], vectors: dict[str, list[float]], embedder: Embedder) -> None:
    rows = [each for each in wanted if each.text_hash in vectors]
    if not rows:
        return
    column = COLUMN[SubjectKind(kind)]
    with connection.cursor() as cursor:
        cursor.execute(
            STORE.format(column=column, table=MODELS[kind]._meta.db_table),
            {
                "organization": current_organization_id(),
                "kind": kind,
                "provider": embedder.slug,
                "model": embedder.model,
                "version": embedder.version,
                "dimensions": embedder.dimensions,
                "ids": [uuid7() for _ in rows],
                "parts": [each.part for each in rows],
                "subjects": [each.subject_id for each in rows],
                "hashes": [each.text_hash for each in rows],
                "vectors": [_literal(vectors[each.text_hash], embedder.dimensions) for each in rows],
            },
        )


def _looked_for(contact_ids: list[uuid.UUID]) -> list[uuid.UUID]:
    """Return those that have a vector or are candidates."""
    rows: tuple[Any, ...] = (Embedding.objects, CandidateProfile.objects)
    return sorted(
        {
            each
            for known in rows
            for each in known.filter(contact_id__in=contact_ids).values_list("contact_id", flat=True)
        }
    )


def _forget_gone(kind: str, ids: list[uuid.UUID], texts: dict[uuid.UUID, Text], embedder: Embedder) -> None:
    """Remove vectors of what is in the trash, and of parts that say nothing any more."""
    gone = [each for each in ids if each not in texts]
    Embedding.objects.filter(kind=kind, subject_id__in=gone).delete()
    for part in Part.values:
        silent = [subject_id for subject_id, text in texts.items() if not text.part(part)]
        Embedding.objects.filter(kind=kind, part=part, subject_id__in=silent).delete()


def _switch_over(job: EmbeddingRun, embedder: Embedder) -> None:
    """Let the first model there is answer; another one after a run over everything, which forgets the vectors of others."""
    replaced = Embedding.objects.filter(kind__in=job.kinds, provider=embedder.slug).exclude(model=embedder.model)
    if job.subject_ids is not None:
        replaced = replaced.filter(subject_id__in=job.subject_ids)
    replaced.delete()
    settings = own_settings()
    is_whole = job.subject_ids is None and set(job.kinds) == set(SubjectKind.values)
    if not settings.answering:
        answer_with(embedder)
    elif is_whole and chosen(settings).slug == embedder.slug:
        answer_with(embedder)
        Embedding.objects.exclude(provider=embedder.slug, model=embedder.model).delete()


def _literal(vector: list[float], dimensions: int) -> str:
    """Return PostgreSQL's text of a vector; what fills it up is known, and six times as much in the offline model."""
    numbers = [f"{number:.6g}" for number in vector[:dimensions]] + ["0"] * (len(vector) - dimensions)
    return f"[{','.join(numbers)}]"
