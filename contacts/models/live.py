"""Contacts outside the trash, to be searched, filtered and sorted at any size."""

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchVectorField
from django.db import connection, models
from django.db.models import Q

from contacts.models.lists import ContactListMembership
from vocelio.db.counting import COUNT_BOUND, planner_estimate
from vocelio.organizations.models import TenantManager, TenantModel, TenantQuerySet
from vocelio.organizations.scope import current_organization_id

# Matches expected beyond this number are read in the order of the list, fewer through the index on `search`.
# Of several words the index reads every beginning, 20 ms for 80,000 contacts each, however few have them all.
COMMON = 2 * COUNT_BOUND
COMMON_TOGETHER = 1_000
# Beginnings shorter than this are held against what the longer ones found; the index would read half of itself.
SHORTEST_WORD = 3
NUMBER = re.compile(r"[-+0-9(). /]+")
# How much further than expected to read in that order before giving up on it.
PATIENCE = 4
SHORTEST_WALK = 5_000


class Matches(models.Func):
    """Whether `search` meets contact_query(organization, what was typed, marked values), see migration 0002."""

    output_field = models.BooleanField()

    def __init__(self, text: str = "", facets: Iterable[str] = (), *, by_index: bool = True) -> None:
        self.by_index = by_index
        super().__init__(
            "search",
            models.Value(current_organization_id(), models.UUIDField()),
            models.Value(text, models.TextField()),
            models.Value(list(facets), ArrayField(models.TextField())),
        )

    def as_sql(self, compiler: Any, connection: Any, **context: Any) -> Any:  # type: ignore[override]
        compiled = [compiler.compile(expression) for expression in self.source_expressions]
        column, *arguments = [sql for sql, _ in compiled]
        sql = f"{column} @@ contact_query({', '.join(arguments)})"
        if not self.by_index:
            sql = f"({sql}) IS TRUE"
        return sql, [value for _, values in compiled for value in values]


class LiveContactQuerySet(TenantQuerySet):
    # From how many expected matches on they count as common.
    common = COMMON

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone.common = self.common
        return clone

    def search(self, text: str) -> Self:
        """Keep contacts with all of these: beginnings of words or of the e-mail address, ends of the phone."""
        if not any(character.isalnum() for character in text):
            return self.none()
        if NUMBER.fullmatch(text):
            return self.filter(Matches(text))
        words = text.split()
        long = [word for word in words if len(word) >= SHORTEST_WORD] or words
        found = self.filter(Matches(" ".join(long)))
        if len(long) < len(words):
            found = found.filter(Matches(" ".join(set(words) - set(long)), by_index=False))
        if len(re.findall(r"\w+", " ".join(long))) > 1:
            found.common = COMMON_TOGETHER
        return found

    def having(self, mark: str, *values: str) -> Self:
        """Keep contacts with all of these values under a mark of migration 0002, upper and lower case alike."""
        return self.filter(Matches(facets=[f"{mark}{value}" for value in values]))

    def on_list(self, list_id: object) -> Self:
        """Keep the members of a list."""
        members = ContactListMembership.objects.filter(list_id=list_id, contact_id=models.OuterRef("pk"))
        return self.filter(models.Exists(members))

    def keys(self) -> Any:
        """Return ids and what the queryset is sorted by, as dictionaries."""
        return self.values(*self.key_names())

    def read_page(
        self, offset: int, limit: int, *, population: int, total: int | None = None, position: Q | None = None
    ) -> tuple[list[dict[str, Any]], int, bool]:
        """Return the sort keys of a page of matches, how many there are, and whether that is exact.

        `population` is the number of contacts to find them among, `total` the number of matches where it is known,
        `position` a cursor's. Few matches are fetched by the index on `search`, counted and sorted. Common ones
        are met soon in the order of the list; when they all stand at its other end, every match is sorted.
        Neither way is left to the planner: it takes any prefix for common, and reads a million rows to find none.
        """
        if self.query.is_empty():
            return [], 0, True
        matches = self.filter(position) if position else self
        expected = total
        if expected is None:
            expected = 0 if population <= COMMON else planner_estimate(matches)
        if expected <= self.common:
            keys, found = matches._sorted(offset, limit, COUNT_BOUND + 1)
            if found <= COUNT_BOUND:
                return keys, total or found, True
            expected = max(expected, found)
        keys = matches._walked(offset, limit, population * (offset + limit) // expected, position or Q())
        return keys, total or expected, total is not None

    def _sorted(self, offset: int, limit: int, most: int | None = None) -> tuple[list[dict[str, Any]], int]:
        """Fetch all matches, at most so many; return those of the page and the number of all."""
        names = self.key_names()
        sql, parameters = self.order_by().values(*names)[:most].query.sql_with_params()
        columns = map(str, self.query.order_by)
        order = ", ".join(f"{name.lstrip('-')}{' DESC' * name.startswith('-')}" for name in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH found AS MATERIALIZED ({sql}),"  # noqa: S608 - Django's SQL and names of columns
                f" page AS (SELECT * FROM found ORDER BY {order} LIMIT %s OFFSET %s)"
                f" SELECT (SELECT count(*) FROM found), {', '.join(names)} FROM (SELECT) AS always LEFT JOIN page ON true",
                [*parameters, limit, offset],
            )
            rows = cursor.fetchall()
        return [dict(zip(names, row[1:], strict=True)) for row in rows if row[1] is not None], rows[0][0]

    def _walked(self, offset: int, limit: int, distance: int, position: Q) -> list[dict[str, Any]]:
        """Read on in the order of the list, some way past where the page is expected to end."""
        names = self.key_names()
        first = str(self.query.order_by[0])
        column = first.lstrip("-")
        ahead = LiveContact.objects.filter(position).order_by(*self.query.order_by).values_list(column, flat=True)
        distance = max(SHORTEST_WALK, PATIENCE * distance)
        edge = list(ahead[distance : distance + 1])
        if edge:
            near = self.filter(**{f"{column}__{'gte' if first.startswith('-') else 'lte'}": edge[0]})
            with connection.cursor() as cursor:
                # The index on `search` would read all matches there are, not only the near ones.
                cursor.execute("SET LOCAL enable_bitmapscan = off")
                keys = list(near.values(*names)[offset : offset + limit])
                cursor.execute("SET LOCAL enable_bitmapscan = on")
            if len(keys) == limit:
                return keys
        return self._sorted(offset, limit)[0]

    def key_names(self) -> list[str]:
        columns = [str(name).lstrip("-") for name in self.query.order_by]
        return ["id", *(name for name in columns if name != "id")]


LiveContactManager = TenantManager.from_queryset(LiveContactQuerySet)


class LiveContact(TenantModel):
    """A contact outside the trash, as the view `live_contacts` shows it: what a list is found and sorted by.

    Policies keep PostgreSQL from using the index on `search`, since text search is not leakproof. The view
    belongs to the tables' owner and holds the organization by its own condition.
    """

    owner_field = "assigned_to"

    first_name = models.CharField(max_length=100)
    last_name = models.CharField(max_length=100)
    sort_name = models.TextField()
    email = models.CharField(max_length=320)
    phone = models.CharField(max_length=20, null=True)  # noqa: DJ001 - as the table has it
    status = models.CharField(max_length=20)
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.DO_NOTHING, null=True, related_name="+")
    search = SearchVectorField()

    objects: ClassVar[Any] = LiveContactManager()

    class Meta:
        managed = False
        db_table = "live_contacts"

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
