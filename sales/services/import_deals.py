"""Deals of an import, a chunk at a time: find who and what the rows name, hold the gates, write what was planned."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast

import orjson
from django.db.models import Exists, F, OuterRef, Q

from contacts.incoming import Incoming, Options, Rejected
from contacts.incoming import Mapping as Columns
from contacts.incoming.custom import Definitions
from contacts.models import ContactImport
from contacts.record_kinds import RecordKind
from contacts.services.history import UNRECORDED
from contacts.services.import_kinds import register_records
from contacts.services.import_plans import ID_MARK, Candidate, Judge, Known, NoColumns, Plan, Records
from contacts.tabular import Row
from sales.models import Activity, Deal, DealContact, DealLine, GateField, Project
from sales.services.announcements import announce_deals
from sales.services.deal_references import References, stage_name
from sales.services.deal_rows import DEALS, clean_deals
from sales.services.money import restate
from vocelio.db.ids import uuid7_series

_NAMED, _SEPARATOR = "\x1fdeal ", "\x1f"
_BATCH = 500
# Values that say what a deal has, which no row gives.
_LINES, _ACTIVITY = "has lines", "has activity"
# What shows of a value that a gate asks for.
_GATES = {
    GateField.EXPECTED_CLOSE_ON: "expected_close_on",
    GateField.CLIENT: "client",
    GateField.CONTACTS: "contact",
    GateField.ASSIGNED_TO: "owner",
    GateField.DESCRIPTION: "description",
    GateField.SOURCE: "source",
    GateField.LOST_REASON: "lost_reason",
    GateField.LINES: _LINES,
    GateField.NEXT_ACTIVITY: _ACTIVITY,
}
_PLAIN = ("name", "currency", "description", "source", "lost_note")

# What follows from the stage, and what counts changes.
UNRECORDED[Deal] = {
    "id",
    "organization_id",
    "updated_at",
    "version",
    "pipeline_id",
    "status",
    "closed_at",
    "stage_entered_at",
    "moved_by_id",
}


class NoDealColumns(NoColumns):
    code = "NO_DEAL_COLUMNS"
    message = "No column of the file holds names of deals. Name one of them name."


class DealRecords(Records):
    """Deals: known by their id, else by name and client together."""

    model = Deal
    changes_table = "deal_changes"
    changes_column = "deal_id"
    fields = DEALS
    taken = ("", "", "")

    def check_reachable(self, mapping: Columns) -> None:
        if not mapping.fields.keys() & {"name", "id"}:
            raise NoDealColumns

    def clean(
        self, rows: Sequence[Row], mapping: Columns, *, region: str, options: Options
    ) -> tuple[list[Incoming], list[Rejected]]:
        return clean_deals(rows, mapping)

    def prepare(self, rows: Sequence[Incoming], options: Options, definitions: Definitions) -> list[Candidate]:
        for deal in rows:
            if options.tags:
                deal.tags = list(dict.fromkeys((*deal.tags, *options.tags)))
        return [Candidate(deal, new_id, "", "", ()) for deal, new_id in zip(rows, uuid7_series(len(rows)), strict=True)]

    def identify(self, candidates: Sequence[Candidate]) -> None:
        references = References.named([each.contact.values for each in candidates])
        for candidate in candidates:
            candidate.problem = references.settle(candidate.contact.values)
            if name := candidate.contact.values.get("name"):
                candidate.key = _key(name, candidate.contact.values.get("client", ""))

    def find_known(
        self, organization_id: uuid.UUID, candidates: Sequence[Candidate], options: Options
    ) -> dict[str, uuid.UUID]:
        ids = [each.contact.id for each in candidates if each.contact.id]
        names = {name for each in candidates if (name := each.contact.values.get("name"))}
        found: dict[str, uuid.UUID] = {}
        rows = Deal.objects.alive().filter(Q(pk__in=ids) | Q(name__in=names))
        # Of several the oldest.
        for deal_id, name, client in rows.order_by("-id").values_list("pk", "name", "client__name"):
            found[_key(name, client or "")] = deal_id
            found[f"{ID_MARK}{deal_id}"] = deal_id
        return found

    def read_known(
        self, organization_id: uuid.UUID, record_ids: Iterable[uuid.UUID], *, lock: bool
    ) -> dict[uuid.UUID, Known]:
        ids = set(record_ids)
        if not ids:
            return {}
        rows = Deal.objects.alive().filter(pk__in=ids).order_by("pk")
        if lock:
            list(rows.select_for_update(no_key=True).values_list("pk"))
        rows = rows.select_related("stage__pipeline", "client", "assigned_to", "lost_reason").defer("client__search")
        lines, activities = DealLine.objects.all(), Activity.objects.open()
        people = dict(
            DealContact.objects.filter(deal_id__in=ids).order_by("is_primary").values_list("deal_id", "contact__email")
        )
        known: dict[uuid.UUID, Known] = {}
        for deal in rows.annotate(
            has_lines=Exists(lines.filter(deal_id=OuterRef("pk"))),
            has_activity=Exists(activities.filter(deal_id=OuterRef("pk"))),
        ):
            values = {name: getattr(deal, name) for name in _PLAIN} | {
                "amount": str(deal.amount) if deal.amount else "",
                "expected_close_on": deal.expected_close_on.isoformat() if deal.expected_close_on else "",
                "stage": stage_name(deal.stage),
                "client": deal.client.name if deal.client else "",
                "owner": deal.assigned_to.email if deal.assigned_to else "",
                "lost_reason": deal.lost_reason.name if deal.lost_reason else "",
                "contact": (people[deal.pk] or "somebody") if deal.pk in people else "",
                _LINES: "yes" if deal.has_lines else "",
                _ACTIVITY: "yes" if deal.has_activity else "",
            }
            custom = {
                name: value if isinstance(value, str) else orjson.dumps(value).decode()
                for name, value in deal.custom_fields.items()
            }
            known[deal.pk] = Known(Incoming(0, "", "", "", values, list(deal.tags), custom), deal.custom_fields)
        return known

    def is_taken(
        self, candidate: Candidate, record_id: uuid.UUID | None, known: Mapping[str, uuid.UUID], options: Options
    ) -> bool:
        """Never: many deals may have one name."""
        return False

    def judge(self) -> Judge:
        """Hold the gates of the stage a deal is to be in; one that stays where it is may lack what it lacked."""
        stages, first = References.stages_by_name(), References.first_stage()
        labels = dict(GateField.choices)

        def judged(deal: Incoming, before: Incoming | None) -> tuple[str, str, str] | None:
            values = deal.values
            if before is not None and before.values[_LINES] and before.values["amount"] != values["amount"]:
                return "amount", "The amount of a deal with lines is their sum", "Leave the cell blank."
            if before is not None and before.values["stage"] == values["stage"]:
                return None
            stage = stages[values["stage"]] if values.get("stage") else first
            missing = [gate for gate in stage.gates if not _has(values, gate)]
            if not missing:
                return None
            needs = ", ".join(labels[gate].lower() for gate in missing)
            field = _GATES.get(cast(GateField, missing[0]), missing[0])
            advice = "Fill it in, or choose an earlier stage."
            return field if field in DEALS.names else "stage", f"{stage.name} needs: {needs}", advice

        return judged

    def line(self, record: Incoming, custom_fields: dict[str, Any]) -> str:
        """Nothing: deals are written from their values."""
        return ""

    def values(self, job: ContactImport) -> dict[str, Any]:
        return {"user": job.created_by_id, "job": job.id}

    def write(self, plan: Plan, values: dict[str, Any], definitions: Definitions) -> bool:
        rows = [each.contact for each in plan.new.values()] + [each.contact for each in plan.changes.values()]
        references = References.named([row.values for row in rows])
        people: list[DealContact] = []
        currencies: set[str] = set()
        new: list[Deal] = []
        for deal_id, candidate in plan.new.items():
            deal = Deal(pk=deal_id, created_by_id=values["user"], import_id=values["job"])
            names = candidate.contact.values.keys() | {"currency", "tags", "stage"}
            _fill(deal, candidate.contact, names, references)
            deal.custom_fields = candidate.contact.custom_fields
            if contact := references.contact(candidate.contact.values):
                people.append(DealContact(deal_id=deal_id, contact_id=contact, is_primary=True))
            new.append(deal)
        Deal.objects.bulk_create(new, batch_size=_BATCH)
        changed = list(Deal.objects.filter(pk__in=plan.changes))
        columns: set[str] = set()
        for deal in changed:
            there = plan.changes[deal.pk]
            columns |= _fill(deal, there.contact, there.changed, references)
            if any(name.startswith("custom:") for name in there.changed):
                deal.custom_fields = deal.custom_fields | orjson.loads(orjson.dumps(_custom(there)))
                columns.add("custom_fields")
            if "stage" in there.changed:
                deal.moved_by_id = values["user"]
            deal.version += 1
            if "contact" in there.changed and (contact := references.contact(there.contact.values)):
                people.append(DealContact(deal_id=deal.pk, contact_id=contact, import_id=values["job"]))
        if changed:
            Deal.objects.bulk_update(changed, [*columns, "base_amount", "moved_by", "version"], batch_size=_BATCH)
        DealContact.objects.bulk_create(people, ignore_conflicts=True)
        currencies = {deal.currency for deal in (*new, *changed)} - {references.own_currency}
        if currencies:
            restate(sorted(currencies))
        return True

    def announce(self, job: ContactImport, plan: Plan) -> None:
        announce_deals("imported", Deal.objects.filter(pk__in=[*plan.new, *plan.changes]))

    def in_use(self, record_ids: list[uuid.UUID]) -> set[uuid.UUID]:
        used: set[uuid.UUID] = set()
        for model in (Activity, Project):
            used |= set(model.objects.filter(deal_id__in=record_ids).values_list("deal_id", flat=True))
        return used

    def remove_links(self, job: ContactImport) -> set[uuid.UUID]:
        """Remove the contacts that rows added to deals there were."""
        added = DealContact.objects.filter(import_id=job.pk)
        deals = set(added.values_list("deal_id", flat=True))
        added.delete()
        return deals

    def announce_undone(self, job: ContactImport, action: str, record_ids: Iterable[uuid.UUID]) -> None:
        deals = Deal.objects.filter(pk__in=list(record_ids))
        deals.update(version=F("version") + 1)
        announce_deals(action, deals)


def register_deals() -> None:
    kind = RecordKind("deal", "Deals", "deals:import", "deal-upload", "deal-template", "names of deals")
    register_records(kind, DealRecords())


def _key(name: str, client: str) -> str:
    return f"{_NAMED}{name}{_SEPARATOR}{client}"


def _has(values: dict[str, str], gate: str) -> bool:
    if gate == GateField.AMOUNT:
        return Decimal(values.get("amount") or 0) > 0
    return bool(values.get(_GATES[cast(GateField, gate)], "").strip())


def _fill(deal: Deal, row: Incoming, names: Iterable[str], references: References) -> set[str]:
    """Set what the row says of the named values; return the model's names of what was set."""
    values, filled = row.values, set()
    for name in names:
        if name in _PLAIN:
            setattr(deal, name, values.get(name, "") or (references.own_currency if name == "currency" else ""))
            filled.add(name)
    if "tags" in names:
        deal.tags = row.tags
        filled.add("tags")
    if "amount" in names:
        deal.amount = Decimal(values["amount"])
        filled.add("amount")
    if "expected_close_on" in names:
        deal.expected_close_on = date.fromisoformat(values["expected_close_on"])
        filled.add("expected_close_on")
    for name, (column, found) in references.found(values).items():
        if name in names:
            setattr(deal, f"{column}_id", found)
            filled.add(column)
    # Of other currencies it is restated at once.
    deal.base_amount = deal.amount
    return filled


def _custom(there: Known) -> dict[str, str]:
    names = [name.removeprefix("custom:") for name in there.changed if name.startswith("custom:")]
    return {name: there.contact.custom_fields[name] for name in names}
