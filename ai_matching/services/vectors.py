"""Find the subjects nearest to a title and a body, among those that a filter leaves.

Three ways, each where it is quickest and none of which loses results to a filter: few vectors are compared one by one
through the organization's own index; among many the HNSW index proposes and the filter sifts; where the filter leaves few
of the proposed, the index goes on until the filter has let enough through, or all it leaves are compared one by one.
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
# How many the index proposes for each part, and how many when it asks the filter itself.
PROPOSED = 100
FILTERED = 40
# So many are enough to be weighed by the other factors; below the second, a filter is met by next to nobody.
ENOUGH = 50
HARDLY_ANY = 3
# Vectors the index looks at before it gives up.
FARTHEST = 4_000
# Kind and part as plain text: the planner then knows which of the indexes on vectors has them.
OURS = "organization_id = %s AND kind = '{kind}' AND provider = %s AND model = %s"
COUNT = f"SELECT 1 FROM embeddings WHERE {OURS} OFFSET {EXACT} LIMIT 1"
NEAREST = f"""
SELECT subject_id FROM embeddings WHERE {OURS} AND part = '{{part}}' {{among}}
ORDER BY vector <#> %s::halfvec LIMIT {{limit}}
"""
# OFFSET keeps the distances where the vectors are read: grouped first, every vector would be sorted along.
SCORED = f"""
SELECT subject_id, title, body FROM (
    SELECT subject_id, max(cosine) FILTER (WHERE part = 'title') AS title,
        max(cosine) FILTER (WHERE part = 'body') AS body
    FROM (
        SELECT subject_id, part, -(vector <#> CASE part WHEN 'title' THEN %s::halfvec ELSE %s::halfvec END) AS cosine
        FROM embeddings WHERE {OURS} {{among}} OFFSET 0
    ) AS compared GROUP BY subject_id
) AS scored ORDER BY CASE WHEN title IS NULL THEN body WHEN body IS NULL THEN title ELSE %s * title + %s * body END
    DESC NULLS LAST, subject_id LIMIT %s
"""

Cosines = tuple[float | None, float | None]


def nearest(
    *, kind: str, asked: dict[str, Vectors], title_weight: float, among: QuerySet[Any], embedder: Embedder, limit: int
) -> dict[uuid.UUID, Cosines]:
    """Return the cosines of title and body of the `limit` subjects nearest to what is asked, of those in `among`.

    `asked` holds unit vectors by part; a part that is missing on either side counts with the other one alone. Where a
    filter leaves few there may be fewer, but at least ENOUGH or all that it leaves.
    """
    if not asked:
        return {}
    own = [current_organization_id(), embedder.slug, embedder.model]
    if not _is_small(kind, own):
        proposed = _proposed(kind, own, asked)
        left = set(among.filter(pk__in=proposed).values_list("pk", flat=True))
        if HARDLY_ANY <= len(left) < ENOUGH:
            left = _proposed(kind, own, asked, among)
        if len(left) >= min(limit, FILTERED):
            return scored(kind, own, asked, title_weight, limit, left)
    return exactly(kind=kind, asked=asked, title_weight=title_weight, among=among, embedder=embedder, limit=limit)


def exactly(
    *, kind: str, asked: dict[str, Vectors], title_weight: float, among: QuerySet[Any], embedder: Embedder, limit: int
) -> dict[uuid.UUID, Cosines]:
    """Return what `nearest` does, comparing one by one whatever is in `among`."""
    own = [current_organization_id(), embedder.slug, embedder.model]
    return scored(kind, own, asked, title_weight, limit, among)


def scored(
    kind: str,
    own: list[Any],
    asked: dict[str, Vectors],
    title_weight: float,
    limit: int,
    among: Iterable[uuid.UUID] | QuerySet[Any],
) -> dict[uuid.UUID, Cosines]:
    """Return exact cosines of the `limit` subjects nearest, of those named."""
    if isinstance(among, QuerySet):
        inner, values = _ids_of(among)
        clause = f"AND subject_id IN ({inner})"
    else:
        clause, values = "AND subject_id = ANY(%s)", [sorted(among)]
    filled = [_literal(asked[part]) if part in asked else None for part in (Part.TITLE, Part.BODY)]
    with connection.cursor() as cursor:
        cursor.execute(
            SCORED.format(kind=kind, among=clause), [*filled, *own, *values, title_weight, 1 - title_weight, limit]
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


def _is_small(kind: str, own: list[Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(kind=kind), own)
        return cursor.fetchone() is None


def _proposed(
    kind: str, own: list[Any], asked: dict[str, Vectors], among: QuerySet[Any] | None = None
) -> set[uuid.UUID]:
    """Return what the index finds nearest for each part; asked of every vector on the way, when there is a filter."""
    # Rows of other organizations are in the same index: it goes on until there are enough of ours.
    set_locally(
        {
            "hnsw.iterative_scan": "relaxed_order",
            "hnsw.ef_search": str(PROPOSED),
            "hnsw.max_scan_tuples": str(FARTHEST),
        }
    )
    clause = ""
    values: list[Any] = []
    if among is not None:
        # As a value, so that it stays a question about each row: joined, every row of the filter would come first.
        inner, values = _ids_of(among)
        clause = f"AND subject_id = (SELECT own.id FROM ({inner}) AS own (id) WHERE own.id = subject_id)"
    found: set[uuid.UUID] = set()
    with connection.cursor() as cursor:
        for part, vector in asked.items():
            sql = NEAREST.format(kind=kind, part=Part(part).value, among=clause, limit=FILTERED if clause else PROPOSED)
            cursor.execute(sql, [*own, *values, _literal(vector)])
            found.update(subject for (subject,) in cursor.fetchall())
    return found


def _ids_of(among: QuerySet[Any]) -> tuple[str, list[Any]]:
    sql, values = among.order_by().values("pk").query.sql_with_params()
    return sql, list(values)


def _literal(vector: Vectors) -> str:
    return "[" + ",".join(f"{number:.6g}" for number in vector.tolist()) + "]"
