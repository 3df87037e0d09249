"""What hangs on a contact or client follows a merge, whichever app it belongs to, and comes back with an unmerge."""

import json
import uuid
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Model, Q

from contacts.merging import Pointer, pointers, rule_of
from contacts.models import Merge
from vocelio.errors import Conflict

CAUSE = "merge"


class NotMerged(Conflict):
    code = "NOT_MERGED"
    message = "There is no merge of this record to take back."


class LaterMerge(Conflict):
    code = "LATER_MERGE"
    message = "Another record was merged in later. Take that merge back first."


def move_followers(merge: Merge) -> dict[str, int]:
    """Let every row that points to what is absorbed point to what survives; return how many of each model did."""
    return {pointer.label: number for pointer in pointers(of_model(merge)) if (number := _move(pointer, merge))}


def merge_to_undo(kind: type[Merge], record: Model, merge_id: uuid.UUID | None) -> Any:
    """Return the newest merge of the record, or the given one, locked; it survived or was absorbed in it.

    Raise NotMerged where there is none, LaterMerge where another one stands on it.
    """
    merges = kind._default_manager.select_for_update().filter(unmerged_at__isnull=True)
    wanted = merges.filter(Q(survivor=record) | Q(absorbed=record))
    merge = (wanted.filter(pk=merge_id) if merge_id else wanted).order_by("-merged_at", "-id").first()
    if merge is None:
        raise NotMerged
    later = merges.filter(
        Q(survivor_id=merge.survivor_id) | Q(absorbed_id=merge.survivor_id), merged_at__gt=merge.merged_at
    )
    if newest := later.order_by("-merged_at").values_list("pk", flat=True).first():
        raise LaterMerge(mergeId=str(newest))
    return merge


def of_model(merge: Merge) -> type[Model]:
    """Return what the merge is of."""
    fields: Any = merge._meta
    model: type[Model] = fields.get_field("survivor").related_model
    return model


def _move(pointer: Pointer, merge: Merge) -> int:
    """Let rows follow to the survivor; return how many did."""
    if not _may_update(pointer):
        return 0
    rule = rule_of(pointer.model, of_model(merge))
    before = _rows(pointer, merge) if rule else {}
    if rule:
        rule(survivor_id=merge.survivor_id, absorbed_id=merge.absorbed_id)
        prepared = _rows(pointer, merge)
    try:
        with transaction.atomic():
            moved = _point_to_survivor(pointer, merge)
    except IntegrityError:
        moved = [row for each in _ids(pointer, merge) for row in _try_one(pointer, merge, each)]
    if rule:
        _journal_rule(pointer, merge, before, prepared)
    return len(moved)


def _try_one(pointer: Pointer, merge: Merge, row_id: uuid.UUID) -> list[uuid.UUID]:
    """Move one row unless the survivor has one of its kind already."""
    try:
        with transaction.atomic():
            return _point_to_survivor(pointer, merge, row_id)
    except IntegrityError:
        return []


def _point_to_survivor(pointer: Pointer, merge: Merge, row_id: uuid.UUID | None = None) -> list[uuid.UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH moved AS (UPDATE {pointer.table} SET {pointer.column} = %(survivor)s"  # noqa: S608 - names of models
            f" WHERE organization_id = %(organization)s AND {pointer.column} = %(absorbed)s"
            " AND (%(row)s::uuid IS NULL OR id = %(row)s) RETURNING id), journal AS ("
            f' INSERT INTO {merge.moves.model._meta.db_table} (id, organization_id, merge_id, model, "column", row_id)'
            " SELECT uuid7(), %(organization)s, %(merge)s, %(model)s, %(column)s, id FROM moved)"
            " SELECT id FROM moved",
            {
                "organization": merge.organization_id,
                "survivor": merge.survivor_id,
                "absorbed": merge.absorbed_id,
                "merge": merge.pk,
                "model": pointer.label,
                "column": pointer.column,
                "row": row_id,
            },
        )
        return [row[0] for row in cursor.fetchall()]


def _ids(pointer: Pointer, merge: Merge) -> list[uuid.UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {pointer.table} WHERE organization_id = %s AND {pointer.column} = %s",  # noqa: S608
            [merge.organization_id, merge.absorbed_id],
        )
        return [row[0] for row in cursor.fetchall()]


def _rows(pointer: Pointer, merge: Merge) -> dict[uuid.UUID, Any]:
    """Return the rows of both as they are."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, to_jsonb(each) FROM {pointer.table} AS each"  # noqa: S608 - names of models
            f" WHERE organization_id = %s AND {pointer.column} IN (%s, %s)",
            [merge.organization_id, merge.survivor_id, merge.absorbed_id],
        )
        return {row_id: json.loads(row) if isinstance(row, str) else row for row_id, row in cursor.fetchall()}


def _journal_rule(pointer: Pointer, merge: Merge, before: dict[uuid.UUID, Any], prepared: dict[uuid.UUID, Any]) -> None:
    """Keep what a rule did, before the rows were moved."""
    touched = [each for each in before.keys() | prepared.keys() if before.get(each) != prepared.get(each)]
    move = merge.moves.model
    move.objects.bulk_create(
        move(merge=merge, model=pointer.label, row_id=each, before=before.get(each), after=prepared.get(each))
        for each in touched
    )


def _may_update(pointer: Pointer) -> bool:
    """Say whether rows of the table may change at all; append-only ones stay with whom they tell of."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'UPDATE')", [pointer.table])
        return bool(cursor.fetchone()[0])


def bring_followers_back(merge: Merge) -> None:
    """Point the moved rows at what was absorbed again, then take back what rules did."""
    by_label = {pointer.label: pointer for pointer in pointers(of_model(merge))}
    moves = merge.moves.all()
    here = [merge.organization_id]
    for label, column in moves.exclude(column="").values_list("model", "column").distinct().order_by("model", "column"):
        if label not in by_label:
            continue
        table = by_label[label].table
        with connection.cursor() as cursor:
            # What somebody gave to a third one since stays there.
            cursor.execute(
                f"UPDATE {table} SET {column} = %s WHERE organization_id = %s AND {column} = %s AND id IN ("  # noqa: S608
                f" SELECT row_id FROM {merge.moves.model._meta.db_table}"
                ' WHERE organization_id = %s AND merge_id = %s AND model = %s AND "column" = %s)',
                [merge.absorbed_id, *here, merge.survivor_id, *here, merge.pk, label, column],
            )
    rules = moves.filter(column="")
    # What a rule made goes first, what it removed comes last, so that no constraint stands in the way.
    for move in sorted(rules, key=lambda each: (each.before is not None, each.after is None)):
        if move.model in by_label:
            _take_back(by_label[move.model].table, merge, move)


def _take_back(table: str, merge: Merge, move: Any) -> None:
    values: dict[str, Any] = {
        "organization": merge.organization_id,
        "row": move.row_id,
        "before": json.dumps(move.before),
    }
    with connection.cursor() as cursor:
        if move.before is None:
            cursor.execute(f"DELETE FROM {table} WHERE organization_id = %(organization)s AND id = %(row)s", values)  # noqa: S608
        elif move.after is None:
            cursor.execute(
                f"INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table}, %(before)s)).* ON CONFLICT DO NOTHING",
                values,
            )
        else:
            columns = [
                name for name in move.before if move.before[name] != move.after.get(name) and name != "updated_at"
            ]
            if columns:
                had = f"jsonb_populate_record(NULL::{table}, %(before)s)"
                changes = ", ".join(f'"{name}" = ({had})."{name}"' for name in columns)
                cursor.execute(
                    f"UPDATE {table} SET {changes} WHERE organization_id = %(organization)s AND id = %(row)s",  # noqa: S608
                    values,
                )
