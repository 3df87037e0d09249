"""What an export shows of a contact: columns whose headers an import knows, so that a file can come back."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from contacts.incoming.mapping import CUSTOM_HEADER, OUR_HEADER
from vocelio.organizations.scope import current_organization_id

# What makes `vocelio.formulas.harmless` put an apostrophe before a cell: its first characters, and the whole.
_SUSPECT = "39, 61, 64, 9, 10, 13, 43, 45, 65309, 65291, 65293, 65312"
_FORMULA = r"^''*([=@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]|[+-](?![0-9 ().-]*\Z))".replace("''*", "'*")
# An import reads at most 500 columns; further custom fields share one.
MAX_CUSTOM_COLUMNS = 400
# A header the import would shorten or take for a repetition is none it could bring back.
_MAX_NAME_CHARS = 180


@dataclass(frozen=True)
class Column:
    """One column: its name in the API, its header, and the SQL of its text."""

    name: str
    header: str
    sql: str
    # Whether people wrote the text, so that it may look like a formula.
    is_written: bool = True
    parameters: tuple[str, ...] = ()

    def harmless_sql(self) -> str:
        """Return the SQL of the text as `harmless` makes it; dear only for texts that begin like a formula."""
        if not self.is_written:
            return self.sql
        text = "shown.text"
        return (
            f"(SELECT CASE WHEN ascii({text}) IN ({_SUSPECT}) AND {text} ~ %s THEN '''' || {text} ELSE {text} END"  # noqa: S608
            f" FROM (SELECT {self.sql} OFFSET 0) AS shown (text))"
        )

    def harmless_parameters(self) -> tuple[str, ...]:
        return (_FORMULA, *self.parameters) if self.is_written else self.parameters


def _time(column: str) -> str:
    return f"""to_char(contact.{column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


# Tags as an import splits them; with a separator inside one, as a JSON array.
_TAGS = (
    "CASE WHEN contact.tags = '{}' THEN '' WHEN array_to_string(contact.tags, '') ~ '[;,:\"\\[*]'"
    " THEN to_json(contact.tags)::text ELSE array_to_string(contact.tags, '; ') END"
)
_LISTS = (
    "(SELECT string_agg(list.name, '; ' ORDER BY list.name) FROM contact_list_memberships AS membership"
    " JOIN contact_lists AS list ON list.organization_id = membership.organization_id AND list.id = membership.list_id"
    " WHERE membership.organization_id = contact.organization_id AND membership.contact_id = contact.id)"
)
_ASSIGNEE = "(SELECT assignee.email FROM users AS assignee WHERE assignee.id = contact.assigned_to_id)"

STANDARD = (
    Column("id", f"{OUR_HEADER}ID", "contact.id::text", is_written=False),
    Column("firstName", "First name", "contact.first_name"),
    Column("lastName", "Last name", "contact.last_name"),
    Column("email", "Email", "contact.email"),
    Column("phone", "Phone", "contact.phone", is_written=False),
    Column("phoneExtension", "Phone extension", "contact.phone_extension"),
    Column("company", "Company", "contact.company"),
    Column("title", "Job title", "contact.title"),
    Column("address", "Address", "contact.address"),
    Column("city", "City", "contact.city"),
    Column("state", "State", "contact.state"),
    Column("zip", "ZIP", "contact.zip"),
    Column("country", "Country", "contact.country"),
    Column("tags", "Tags", _TAGS),
    Column("status", "Status", "contact.status", is_written=False),
    Column("source", "Source", "contact.source"),
    Column("notes", "Notes", "contact.notes"),
    Column("externalId", "External ID", "contact.external_id"),
    Column("lists", f"{OUR_HEADER}lists", _LISTS),
    Column("assignedTo", f"{OUR_HEADER}assigned to", _ASSIGNEE),
    Column("contactCount", f"{OUR_HEADER}times contacted", "contact.contact_count::text", is_written=False),
    Column("lastContactDate", f"{OUR_HEADER}last contacted at", _time("last_contacted_at"), is_written=False),
    Column("createdAt", f"{OUR_HEADER}added at", _time("created_at"), is_written=False),
    Column("updatedAt", f"{OUR_HEADER}changed at", _time("updated_at"), is_written=False),
)
CUSTOM_FIELDS = "customFields"
NAMES = (*(column.name for column in STANDARD), CUSTOM_FIELDS)


def chosen_columns(names: Sequence[str]) -> list[Column]:
    """Return the columns of these names, all when there are none; reads which custom fields the contacts have."""
    chosen = [column for column in STANDARD if not names or column.name in names]
    if not names or CUSTOM_FIELDS in names:
        chosen += _custom_columns()
    return chosen


def _custom_columns() -> list[Column]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key FROM contacts, jsonb_object_keys(custom_fields) AS key"
            " WHERE organization_id = %s AND deleted_at IS NULL AND custom_fields <> '{}'"
            " GROUP BY key ORDER BY count(*) DESC, key",
            [current_organization_id()],
        )
        names = [row[0] for row in cursor.fetchall()]
    named: list[str] = []
    seen: set[str] = set()
    for name in names:
        is_plain = 0 < len(name) <= _MAX_NAME_CHARS and name == " ".join(name.split())
        if is_plain and name.casefold() not in seen and len(named) < MAX_CUSTOM_COLUMNS:
            seen.add(name.casefold())
            named.append(name)
    columns = [
        Column(f"custom:{name}", f"{CUSTOM_HEADER}{name}", "contact.custom_fields ->> %s", parameters=(name,))
        for name in sorted(named)
    ]
    if rest := sorted(set(names) - set(named)):
        sql = (
            "(SELECT jsonb_object_agg(key, value)::text FROM jsonb_each(contact.custom_fields)"
            " WHERE key = ANY(string_to_array(%s, E'\\x1f')))"
        )
        columns.append(
            Column("moreCustomFields", f"{OUR_HEADER}more custom fields", sql, parameters=("\x1f".join(rest),))
        )
    return columns
