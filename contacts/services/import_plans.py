"""What becomes of the rows of a file, a chunk at a time: whom they repeat, what that changes, what is new.

Jobs, files, previews and undo know of contacts and clients only what `Records` says.
"""

import copy
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from django.db import connection, transaction
from django.db.models import Model

from contacts.incoming import Changes, Incoming, Options, Rejected, merge
from contacts.incoming import Mapping as Columns
from contacts.incoming.custom import Definitions
from contacts.incoming.known import typed
from contacts.incoming.mapping import Fields
from contacts.incoming.options import CUSTOM
from contacts.models import ContactImport
from contacts.services.history import change_cause
from contacts.tabular import Row
from vocelio.errors import Conflict, VocelioError

UNDEFINED = Definitions()
# Says field, reason and advice where a record may not become what rows make of it; its state before, None when new.
Judge = Callable[[Incoming, Incoming | None], tuple[str, str, str] | None]
SHOWN_REPEATS = 20
# A row's own id stands for a record behind this; nothing else that records are known by begins with it.
ID_MARK = "\x1fid "
# How often others may get in between look-up and writing.
ATTEMPTS = 50


@dataclass(slots=True)
class Candidate:
    """A record of a chunk, ready to be written: `key` decides who it is, unless its `id` is somebody's."""

    contact: Incoming
    id: uuid.UUID
    line: str
    key: str
    # All that the record will be known by.
    marks: tuple[str, ...]
    # What decides who it is where nobody has the key.
    otherwise: tuple[str, ...] = ()
    # Field, reason and advice, where the database knew something against it.
    problem: tuple[str, str, str] | None = None


@dataclass(slots=True)
class Known:
    """A record that is there: its state as text, its custom fields as they are, what the import changed."""

    contact: Incoming
    raw: dict[str, Any]
    changed: set[str] = field(default_factory=set)


@dataclass
class Plan:
    """What is to become of the records of a chunk."""

    new: dict[uuid.UUID, Candidate] = field(default_factory=dict)
    changes: dict[uuid.UUID, Known] = field(default_factory=dict)
    # Existing records that rows repeat.
    met: set[uuid.UUID] = field(default_factory=set)
    updated: int = 0
    duplicates: int = 0
    # Row, field, reason and advice.
    rejected: list[tuple[int, str, str, str]] = field(default_factory=list)
    # What each row changed of whom, and the first rows that changed nothing.
    differences: list[tuple[int, uuid.UUID, Changes]] = field(default_factory=list)
    repeats: list[tuple[int, uuid.UUID]] = field(default_factory=list)
    marks: dict[str, uuid.UUID] = field(default_factory=dict)


class Records(ABC):
    """A kind of record that files hold: how its rows are judged, recognised and written."""

    model: ClassVar[type[Model]]
    # Where the database tells of changes, and the column that says whose.
    changes_table: ClassVar[str]
    changes_column: ClassVar[str]
    fields: ClassVar[Fields]
    taken: ClassVar[tuple[str, str, str]]
    has_lists: ClassVar[bool] = False
    # Whether the organization defines its custom fields.
    has_definitions: ClassVar[bool] = False

    @abstractmethod
    def check_reachable(self, mapping: Columns) -> None:
        """Raise NoColumns unless the columns hold what records are known by."""

    @abstractmethod
    def clean(
        self, rows: Sequence[Row], mapping: Columns, *, region: str, options: Options
    ) -> tuple[list[Incoming], list[Rejected]]:
        """Return the records and the rejections of some rows."""

    @abstractmethod
    def prepare(self, rows: Sequence[Incoming], options: Options, definitions: Definitions) -> list[Candidate]:
        """Do the part of the work on a chunk that needs no database."""

    @abstractmethod
    def identify(self, candidates: Sequence[Candidate]) -> None:
        """Find out what candidates are known by, where that takes the database."""

    @abstractmethod
    def find_known(
        self, organization_id: uuid.UUID, candidates: Sequence[Candidate], options: Options
    ) -> dict[str, uuid.UUID]:
        """Return the records outside the trash that some rows repeat, by what they are known by."""

    @abstractmethod
    def read_known(
        self, organization_id: uuid.UUID, record_ids: Iterable[uuid.UUID], *, lock: bool
    ) -> dict[uuid.UUID, Known]:
        """Return records as they are; locked, they stay so until the transaction ends."""

    @abstractmethod
    def is_taken(
        self, candidate: Candidate, record_id: uuid.UUID | None, known: Mapping[str, uuid.UUID], options: Options
    ) -> bool:
        """Say whether a row would give its record what belongs to another."""

    @abstractmethod
    def line(self, record: Incoming, custom_fields: dict[str, Any]) -> str:
        """Return the state to store, as a line of COPY without the id."""

    @abstractmethod
    def values(self, job: ContactImport) -> dict[str, Any]:
        """Return what the statements that write need to know of the job."""

    @abstractmethod
    def write(self, plan: Plan, values: dict[str, Any], definitions: Definitions) -> bool:
        """Carry the plan out; False when others saved something meanwhile that changes it."""

    @abstractmethod
    def announce(self, job: ContactImport, plan: Plan) -> None:
        """Tell sockets and the apps above what was written."""

    @abstractmethod
    def in_use(self, record_ids: list[uuid.UUID]) -> set[uuid.UUID]:
        """Return those that somebody has work on, which an undo leaves alone."""

    def remove_links(self, job: ContactImport) -> set[uuid.UUID]:
        """Remove what an import added to records beside their columns; return the records that had it."""
        return set()

    @abstractmethod
    def announce_undone(self, job: ContactImport, action: str, record_ids: Iterable[uuid.UUID]) -> None:
        """Tell what an undo deleted or updated."""

    def judge(self) -> Judge | None:
        """Return what judges the records of one chunk, where whole records are judged."""
        return None

    def new_line(self, record: Incoming, definitions: Definitions) -> str:
        """Return the line of a record that is new."""
        return self.line(record, definitions.values(record.custom_fields, is_new=True))

    def changed_line(self, known: Known, definitions: Definitions) -> str:
        """Return the state to store; of custom fields only what changed, as its definition says or the kind it was."""
        names = [name.removeprefix(CUSTOM) for name in known.changed if name.startswith(CUSTOM)]
        custom = definitions.values({name: known.contact.custom_fields[name] for name in names}, is_new=False)
        for name in names:
            if not definitions.is_defined(name):
                custom[name] = typed(custom[name], known.raw.get(name))
        return self.line(known.contact, custom)


class NoColumns(VocelioError):
    """No column holds what the records are known by."""

    status = 422


class NoRest(Conflict):
    code = "IMPORT_DISTURBED"
    message = "Others kept saving the same records. Import the file again."


def merge_chunk(
    records: Records,
    job: ContactImport,
    candidates: Sequence[Candidate],
    options: Options,
    definitions: Definitions = UNDEFINED,
) -> Plan:
    """Write a chunk as if row by row, and return what became of its records.

    A row repeats whoever came before it, in the file or in the table; it is counted, or updates the record.
    """
    with connection.cursor() as cursor:
        # Imports of one organization write in turns: otherwise they would wait for each other's rows crosswise.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('imports ' || %s, 0))", [job.organization_id])
    values = records.values(job)
    records.identify(candidates)
    for _ in range(ATTEMPTS):
        known = records.find_known(job.organization_id, candidates, options)
        with change_cause("import", job.id), transaction.atomic():
            contacts = (
                records.read_known(job.organization_id, known.values(), lock=True) if options.changes_known else {}
            )
            plan = plan_chunk(records, candidates, known, contacts, options, definitions)
            if records.write(plan, values, definitions):
                return plan
            # Somebody saved one of the records since the look-up. Theirs was first: look again.
            transaction.set_rollback(True)
    raise NoRest


def plan_chunk(
    records: Records,
    candidates: Sequence[Candidate],
    known: dict[str, uuid.UUID],
    contacts: Mapping[uuid.UUID, Known],
    options: Options,
    definitions: Definitions = UNDEFINED,
) -> Plan:
    """Decide row by row what becomes of each; adds to `known`, changes `contacts` as the rows do."""
    plan = Plan()
    changes_known = options.changes_known
    judge = records.judge()
    for candidate in candidates:
        contact = candidate.contact
        if candidate.problem:
            plan.rejected.append((contact.row, *candidate.problem))
            continue
        contact_id = known.get(ID_MARK + contact.id) if contact.id else None
        if contact_id is None:
            contact_id = known.get(candidate.key) if candidate.key else None
            if contact_id is None and candidate.otherwise:
                contact_id = next((known[mark] for mark in candidate.otherwise if mark in known), None)
        if records.is_taken(candidate, contact_id, known, options):
            plan.rejected.append((contact.row, *records.taken))
            continue
        if contact_id is None:
            if missing := definitions.missing(contact):
                plan.rejected.append((contact.row, f"{CUSTOM}{missing}", f"{missing} is required", "Fill it in."))
                continue
            if judge and (problem := judge(contact, None)):
                plan.rejected.append((contact.row, *problem))
                continue
            contact_id = candidate.id
            plan.new[contact_id] = candidate
        else:
            earlier = plan.new.get(contact_id)
            if earlier is None:
                plan.met.add(contact_id)
            changes = None
            if changes_known:
                if earlier is not None:
                    # The candidate stays as it is: a plan that cannot be carried out is made again.
                    merged = copy.deepcopy(earlier.contact)
                    changes = merge(merged, contact, options)
                    if changes and judge and (problem := judge(merged, None)):
                        plan.rejected.append((contact.row, *problem))
                        continue
                    if changes:
                        plan.new[contact_id] = replace(
                            earlier, contact=merged, line=records.new_line(merged, definitions)
                        )
                elif there := contacts.get(contact_id):
                    before = copy.deepcopy(there.contact) if judge else there.contact
                    changes = merge(there.contact, contact, options)
                    if changes and judge and (problem := judge(there.contact, before)):
                        there.contact = before
                        plan.rejected.append((contact.row, *problem))
                        continue
                    if changes:
                        there.changed.update(changes)
                        plan.changes[contact_id] = there
            if not changes:
                plan.duplicates += 1
                if len(plan.repeats) < SHOWN_REPEATS:
                    plan.repeats.append((contact.row, contact_id))
                continue
            plan.updated += 1
            plan.differences.append((contact.row, contact_id, changes))
        if candidate.key:
            known[candidate.key] = plan.marks[candidate.key] = contact_id
        for mark in candidate.marks:
            if mark not in known:
                known[mark] = plan.marks[mark] = contact_id
    return plan
