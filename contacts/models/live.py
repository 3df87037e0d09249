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

# Organizations up to this size are read by the index alone; in larger ones, so are matches up to this number.
COMMON = 2 * COUNT_BOUND
# How many contacts, in the order of the list, show how common what was typed is: 2 ms.
PROBE = 5_000
# Of a page's expected distance, how far to read before giving up on the order of the list.
PATIENCE = 4
# With fewer matches than this a probe says nothing.
TELLING = 8
# Beginnings shorter than this are held against what the longer ones found; the index would read half of itself.
SHORTEST_WORD = 3
NUMBER = re.compile(r"[-+0-9(). /]+")


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


class LiveQuerySet(TenantQuerySet):
    """Reads of a view whose rows have `search`, fast however many there are and however common what is sought."""

    # How many words were typed that the index is asked for.
    words = 0

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone.words = self.words
        return clone

    def search(self, text: str) -> Self:
        """Keep contacts with all of these: beginnings of words or of the e-mail address, ends of the phone."""
        if not any(character.isalnum() for character in text):
            return self.none()
        if NUMBER.fullmatch(text):
            found = self.filter(Matches(text))
            found.words = 1
            return found
        words = text.split()
        long = [word for word in words if len(word) >= SHORTEST_WORD] or words
        found = self.filter(Matches(" ".join(long)))
        if len(long) < len(words):
            found = found.filter(Matches(" ".join(set(words) - set(long)), by_index=False))
        found.words = len(re.findall(r"\w+", " ".join(long)))
        return found

    def having(self, mark: str, *values: str) -> Self:
        """Keep contacts with all of these values under a mark of migration 0002, upper and lower case alike."""
        return self.filter(Matches(facets=[f"{mark}{value}" for value in values]))

    def keys(self) -> Any:
        """Return ids and what the queryset is sorted by, as dictionaries."""
        return self.values(*self.key_names())

    def read_page(
        self, offset: int, limit: int, *, population: int, total: int | None = None, position: Q | None = None
    ) -> tuple[list[dict[str, Any]], int, bool]:
        """Return the sort keys of a page of matches, how many there are, and whether that is exact.

        `population` is the number of contacts to find them among, `total` the number of matches where it is known,
        `position` a cursor's. Few matches are fetched by the index on `search`, counted and sorted. Common ones
        are met soon in the order of the list. Neither is left to the planner, to which the beginning of any word
        is as common as 2 % of the table: it would read a million rows to find none.
        """
        if self.query.is_empty():
            return [], 0, True
        matches = self.filter(position) if position else self
        if population > COMMON and total is None and self.words:
            return matches._probed(offset, limit, population, position or Q())
        expected = total
        if expected is None:
            expected = 0 if population <= COMMON else planner_estimate(matches)
        if expected <= COMMON:
            keys, found = matches._sorted(offset, limit, COUNT_BOUND + 1)
            if found <= COUNT_BOUND:
                return keys, total or found, True
            expected = max(expected, found)
        distance = max(PROBE, PATIENCE * population * (offset + limit) // expected)
        keys = matches._near(offset, limit, distance, position or Q())[0]
        if len(keys) < limit:
            # They all stand at the other end of the list.
            keys = matches._sorted(offset, limit)[0]
        return keys, total or expected, total is not None

    def _probed(self, offset: int, limit: int, population: int, position: Q) -> tuple[list[dict[str, Any]], int, bool]:
        """Read a page of what was typed, learning from the nearest contacts how common it is."""
        keys, near = self._near(offset, limit, PROBE, position)
        estimate = near * population // PROBE
        # Of several words the index would read every contact that has one, 20 ms for 80,000, however few have all.
        is_common = near >= TELLING if self.words > 1 else estimate > COUNT_BOUND
        if is_common and len(keys) < limit:
            keys, _ = self._near(offset, limit, PROBE * (offset + limit) * PATIENCE // (2 * near), position)
        if is_common and len(keys) == limit:
            return keys, max(estimate, offset + limit), False
        keys, found = self._sorted(offset, limit, COUNT_BOUND + 1)
        if found <= COUNT_BOUND:
            return keys, found, True
        keys, _ = self._near(offset, limit, PATIENCE * population * (offset + limit) // found, position)
        if len(keys) < limit:
            keys, _ = self._sorted(offset, limit)
        return keys, max(estimate, found), False

    def _sorted(
        self, offset: int, limit: int, most: int | None = None, *, among: Self | None = None
    ) -> tuple[list[dict[str, Any]], int]:
        """Fetch all matches, at most so many, or those `among` some; return the page's and the number of all."""
        names = self.key_names()
        sql, parameters = self.order_by().values(*names)[:most].query.sql_with_params()
        if among is not None:
            table = self.model._meta.db_table
            inner, inner_parameters = among.query.sql_with_params()
            sql = sql.replace(f'FROM "{table}"', f'FROM ({inner}) AS "{table}"', 1)
            # With an offset, membership is looked up contact by contact. The planner takes a list that was filled a
            # moment ago for an empty one, and would read all of it for each of them.
            sql = sql.replace(" LIMIT 1)", " OFFSET 0)")
            parameters = (*inner_parameters, *parameters)
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

    def _near(self, offset: int, limit: int, distance: int, position: Q) -> tuple[list[dict[str, Any]], int]:
        """Do the same with the matches among so many next contacts in the order of the list.

        A subquery with a limit: told the last one's date instead, the planner judges it by all organizations' dates
        and reads the whole organization (0.4 s beside three newer ones).
        """
        ahead: Self = self.model.objects.filter(position).order_by(*self.query.order_by)[: max(distance, 1)]
        return self._sorted(offset, limit, among=ahead)

    def key_names(self) -> list[str]:
        columns = [str(name).lstrip("-") for name in self.query.order_by]
        return ["id", *(name for name in columns if name != "id")]


class LiveContactQuerySet(LiveQuerySet):
    def on_list(self, list_id: object) -> Self:
        """Keep the members of a list."""
        members = ContactListMembership.objects.filter(list_id=list_id, contact_id=models.OuterRef("pk"))
        return self.filter(models.Exists(members))


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
    custom_fields = models.JSONField()
    search = SearchVectorField()

    objects: ClassVar[Any] = LiveContactManager()

    class Meta:
        managed = False
        db_table = "live_contacts"

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
