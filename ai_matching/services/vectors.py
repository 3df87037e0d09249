"""Find the subjects nearest to a title and a body, among those that a filter leaves.

Three ways, each where it is quickest and none of which loses results to a filter: few vectors are compared one by one;
among many the HNSW index proposes, in the statement that compares exactly, and the filter sifts; where the filter leaves
few of the proposed, the index goes on until the filter has let enough through, or all it leaves are compared one by one.
"""

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
from django.db import connection
from django.db.models import QuerySet, TextField
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast

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
(SELECT subject_id FROM embeddings WHERE {OURS} AND part = '{{part}}' {{among}}
ORDER BY vector <#> (SELECT {{part}} FROM asked) LIMIT {{limit}})
"""
# Subjects are found by the column they are in: an index on one column takes a third of the time of the unique one. OFFSET
# keeps the distances where the vectors are read: grouped first, every vector would be sorted along.
SCORED = f"""
WITH asked AS MATERIALIZED (SELECT %s::halfvec AS title, %s::halfvec AS body) {{near}}
SELECT subject_id, title, body FROM (
    SELECT subject_id, max(cosine) FILTER (WHERE part = 'title') AS title,
        max(cosine) FILTER (WHERE part = 'body') AS body
    FROM (
        SELECT subject_id, part,
            -(vector <#> CASE part WHEN 'title' THEN (SELECT title FROM asked) ELSE (SELECT body FROM asked) END) AS cosine
        FROM embeddings WHERE {OURS} AND {{column}} {{among}} OFFSET 0
    ) AS compared GROUP BY subject_id
) AS scored ORDER BY CASE WHEN title IS NULL THEN body WHEN body IS NULL THEN title ELSE %s * title + %s * body END
    DESC NULLS LAST, subject_id LIMIT %s
"""
NAMED = "SELECT unnest(%s::uuid[])"
COLUMNS = {"job": "job_id", "candidate": "profile_id", "contact": "contact_id"}

Cosines = tuple[float | None, float | None]
# Organizations found to be large, with kind and model; one that shrinks is answered as well by the index.
_large: set[tuple[Any, ...]] = set()


def nearest(
    *,
    kind: str,
    asked: dict[str, str],
    title_weight: float,
    among: QuerySet[Any],
    embedder: Embedder,
    limit: int,
    sift: Callable[[Iterable[uuid.UUID]], Iterable[uuid.UUID]] | None = None,
) -> dict[uuid.UUID, Cosines]:
    """Return the cosines of title and body of the `limit` subjects nearest to what is asked, of those in `among`.

    `asked` holds unit vectors by part, as they are written; a part that is missing on either side counts with the other
    one alone. Where a filter leaves few there may be fewer, but at least ENOUGH or all that it leaves. `sift` may say
    which of some subjects are in `among`, for who reads more of them by the way.
    """
    if not asked:
        return {}
    question = _Comparison(kind, asked, title_weight, embedder)
    if not question.is_small():
        proposed = question.proposed()
        left = sift(proposed) if sift else among.filter(pk__in=named(proposed)).values_list("pk", flat=True)
        found = {each: proposed[each] for each in left}
        if HARDLY_ANY <= len(found) < ENOUGH:
            found = question.proposed(among)
        if len(found) >= min(limit, FILTERED):
            return {each: found[each] for each in best(found, title_weight, limit)}
    return question.exactly(among, limit)


def exactly(
    *, kind: str, asked: dict[str, str], title_weight: float, among: QuerySet[Any], embedder: Embedder, limit: int
) -> dict[uuid.UUID, Cosines]:
    """Return what `nearest` does, comparing one by one whatever is in `among`."""
    return _Comparison(kind, asked, title_weight, embedder).exactly(among, limit)


def weighed(cosines: Cosines, title_weight: float) -> float:
    """Return the cosine of the whole: both parts as they are weighed, or the one there is."""
    title, body = cosines
    if title is None or body is None:
        return (title if body is None else body) or 0.0
    return title_weight * title + (1 - title_weight) * body


def best(found: dict[uuid.UUID, Cosines], title_weight: float, limit: int) -> list[uuid.UUID]:
    """Return the subjects in order, the id deciding between equals, so that the same question has the same answer."""
    return sorted(found, key=lambda each: (-weighed(found[each], title_weight), each))[:limit]


def stored_vectors(kind: str, subject_id: uuid.UUID, embedder: Embedder) -> dict[str, tuple[str, str]]:
    """Return the stored vector, as the database writes it, and the text hash of each part of a subject."""
    rows = Embedding.objects.filter(kind=kind, subject_id=subject_id, provider=embedder.slug, model=embedder.model)
    return {
        part: (vector, text)
        for part, vector, text in rows.values_list("part", Cast("vector", TextField()), "text_hash")
    }


def written(vector: Vectors) -> str:
    """Return a vector as the database reads it."""
    return orjson.dumps(vector, option=orjson.OPT_SERIALIZE_NUMPY).decode()


def named(ids: Iterable[uuid.UUID]) -> RawSQL:
    """Return what `pk__in` takes for many ids: one value, where a list is a parameter for each, at 4 µs."""
    return RawSQL(NAMED, [f"{{{','.join(map(str, ids))}}}"])  # noqa: S611 - a constant


class _Comparison:
    """What is asked, on its way through the store."""

    def __init__(self, kind: str, asked: dict[str, str], title_weight: float, embedder: Embedder) -> None:
        self.kind, self.parts, self.title_weight = kind, list(asked), title_weight
        self.own: list[Any] = [current_organization_id(), embedder.slug, embedder.model]
        self.asked = [asked.get(part) for part in (Part.TITLE, Part.BODY)]

    def is_small(self) -> bool:
        """Say whether the organization's vectors are compared one by one."""
        known = (self.kind, *self.own)
        if known in _large:
            return False
        with connection.cursor() as cursor:
            cursor.execute(COUNT.format(kind=self.kind), self.own)
            if cursor.fetchone() is None:
                return True
        _large.add(known)
        return False

    def exactly(self, among: QuerySet[Any], limit: int) -> dict[uuid.UUID, Cosines]:
        # As an array, so that nobody is looked for twice: joined, a filter's rows took a fifth longer.
        inner, values = _ids_of(among)
        return self._scored(f"= ANY (ARRAY({inner}))", values, limit)

    def proposed(self, among: QuerySet[Any] | None = None) -> dict[uuid.UUID, Cosines]:
        """Return what the index finds nearest for each part; asked of every vector on the way, when there is a filter."""
        # Rows of other organizations are in the same index: it goes on until there are enough of ours.
        set_locally(
            {
                "hnsw.iterative_scan": "relaxed_order",
                "hnsw.ef_search": str(PROPOSED),
                "hnsw.max_scan_tuples": str(FARTHEST),
            }
        )
        clause, values, limit = "", self.own, PROPOSED
        if among is not None:
            # As a value, so that it stays a question about each row: joined, every row of the filter would come first.
            inner, more = _ids_of(among)
            clause = f"AND subject_id = (SELECT own.id FROM ({inner}) AS own (id) WHERE own.id = subject_id)"
            values, limit = [*values, *more], FILTERED
        near = " UNION ".join(
            NEAREST.format(kind=self.kind, part=Part(part).value, among=clause, limit=limit) for part in self.parts
        )
        return self._scored(
            "= ANY (ARRAY(SELECT subject_id FROM near))",
            [],
            PROPOSED * len(self.parts),
            near=f", near AS MATERIALIZED ({near})",
            of_near=values * len(self.parts),
        )

    def _scored(
        self, among: str, values: list[Any], limit: int, near: str = "", of_near: Sequence[Any] = ()
    ) -> dict[uuid.UUID, Cosines]:
        """Return exact cosines of the `limit` subjects nearest, of those named."""
        sql = SCORED.format(kind=self.kind, column=COLUMNS[self.kind], among=among, near=near)
        weights = [self.title_weight, 1 - self.title_weight]
        with connection.cursor() as cursor:
            cursor.execute(sql, [*self.asked, *of_near, *self.own, *values, *weights, limit])
            return {subject: (title, body) for subject, title, body in cursor.fetchall()}


def _ids_of(among: QuerySet[Any]) -> tuple[str, list[Any]]:
    # What is known to be empty is a question like others.
    compiler = among.order_by().values("pk").query.get_compiler(connection=connection, elide_empty=False)
    sql, values = compiler.as_sql()
    return sql, list(values)
