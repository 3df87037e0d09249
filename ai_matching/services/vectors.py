"""Find the subjects nearest to a title and a body, among those that a filter leaves.

Three ways, each where it is quickest and none of which loses results to a filter: few vectors are compared one by one
through the organization's own index; among many the HNSW index proposes and the filter sifts; where the filter leaves
too few of the proposed, what it leaves is compared one by one.
"""

import uuid
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from ai_matching.embedders import Embedder, Vectors
from ai_matching.models import Embedding, Part
from vocelio.organizations.scope import current_organization_id, set_locally

# Up to so many vectors of one kind an exact scan is quicker than the index, and exact.
EXACT = 10_000
# How many the index proposes for each part.
PROPOSED = 100
# Named in the policy's own way, so that its column stays bare (docs/architecture.md).
OURS = "organization_id = %(organization)s AND kind = %(kind)s AND provider = %(provider)s AND model = %(model)s"
COUNT = f"SELECT 1 FROM embeddings WHERE {OURS} OFFSET {EXACT} LIMIT 1"
NEAREST = f"""
SELECT subject_id FROM embeddings WHERE {OURS} AND part = %(part)s
ORDER BY vector <#> %(vector)s::halfvec LIMIT {PROPOSED}
"""
SCORED = f"""
SELECT subject_id,
    max(CASE WHEN part = 'title' THEN -(vector <#> %(title)s::halfvec) END),
    max(CASE WHEN part = 'body' THEN -(vector <#> %(body)s::halfvec) END)
FROM embeddings WHERE {OURS} {{among}} GROUP BY subject_id
"""

Cosines = tuple[float | None, float | None]


def nearest(
    *, kind: str, asked: dict[str, Vectors], title_weight: float, among: QuerySet[Any], embedder: Embedder, limit: int
) -> dict[uuid.UUID, Cosines]:
    """Return the cosines of title and body of the `limit` subjects nearest to what is asked, of those in `among`.

    `asked` holds unit vectors by part; a part that is missing on either side counts with the other one alone.
    """
    values = {
        "organization": current_organization_id(),
        "kind": kind,
        "provider": embedder.slug,
        "model": embedder.model,
    }
    if not asked:
        return {}
    if _is_small(values):
        found = scored(values, asked, None)
        ranked = best(found, title_weight, len(found))
        return _sifted(ranked, among, limit, found)
    proposed = _proposed(values, asked)
    left = set(among.filter(pk__in=proposed).values_list("pk", flat=True))
    if len(left) < min(limit, len(proposed) // 2):
        left = set(among.values_list("pk", flat=True))
    found = scored(values, asked, left)
    return {each: found[each] for each in best(found, title_weight, limit)}


def scored(
    values: dict[str, Any], asked: dict[str, Vectors], among: Iterable[uuid.UUID] | None
) -> dict[uuid.UUID, Cosines]:
    """Return exact cosines of the subjects named, or of all."""
    filled = {part: _literal(asked[part]) if part in asked else None for part in Part.values}
    clause = "" if among is None else "AND subject_id = ANY(%(among)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            SCORED.format(among=clause),
            {**values, **filled, "among": None if among is None else sorted(among)},
        )
        return {subject: (title, body) for subject, title, body in cursor.fetchall()}


def weighed(cosines: Cosines, title_weight: float) -> float:
    """Return the cosine of the whole: both parts as they are weighed, or the one there is."""
    title, body = cosines
    if title is None or body is None:
        return (title if body is None else body) or 0.0
    return title_weight * title + (1 - title_weight) * body


def best(found: dict[uuid.UUID, Cosines], title_weight: float, limit: int) -> list[uuid.UUID]:
    """Return the subjects in order, the id deciding between equals, so that the same question has the same answer."""
    return sorted(found, key=lambda each: (-weighed(found[each], title_weight), each))[:limit]


def stored_vectors(kind: str, subject_id: uuid.UUID, embedder: Embedder) -> dict[str, tuple[Vectors, str]]:
    """Return the stored vector and text hash of each part of a subject."""
    rows = Embedding.objects.filter(kind=kind, subject_id=subject_id, provider=embedder.slug, model=embedder.model)
    return {
        part: (np.array(vector, dtype=np.float32), text)
        for part, vector, text in rows.values_list("part", "vector", "text_hash")
    }


def _is_small(values: dict[str, Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(COUNT, values)
        return cursor.fetchone() is None


def _proposed(values: dict[str, Any], asked: dict[str, Vectors]) -> set[uuid.UUID]:
    # Rows of other organizations and kinds are in the same index: it goes on until there are enough of ours.
    set_locally({"hnsw.iterative_scan": "relaxed_order", "hnsw.ef_search": str(PROPOSED)})
    found: set[uuid.UUID] = set()
    with connection.cursor() as cursor:
        for part, vector in asked.items():
            cursor.execute(NEAREST, {**values, "part": part, "vector": _literal(vector)})
            found.update(subject for (subject,) in cursor.fetchall())
    return found


def _sifted(
    ranked: list[uuid.UUID], among: QuerySet[Any], limit: int, found: dict[uuid.UUID, Cosines]
) -> dict[uuid.UUID, Cosines]:
    """Return the first `limit` of the ranked that the filter leaves, asking it for no more than needed."""
    result: dict[uuid.UUID, Cosines] = {}
    step = max(limit * 2, 500)
    for start in range(0, len(ranked), step):
        some = ranked[start : start + step]
        left = set(among.filter(pk__in=some).values_list("pk", flat=True))
        for each in some:
            if each in left and len(result) < limit:
                result[each] = found[each]
        if len(result) >= limit:
            break
    return result


def _literal(vector: Vectors) -> str:
    return "[" + ",".join(f"{number:.6g}" for number in vector.tolist()) + "]"
