"""Write a registry's numbers: blocks of ten thousand bits, and what each file changed in them."""

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import psycopg
from django.db import connection

from dnc.models.registry import BLOCK

BYTES = BLOCK // 8
# Blocks at a time: 1.25 MB of bits each thousand.
SLICE = 2_000
# PGCOPY's signature, no flags, no extension; then rows; then -1 for the end.
COPY_HEAD = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)
COPY_END = struct.pack(">h", -1)
ROW = np.dtype(
    [
        ("columns", ">i2"),
        ("registry_length", ">i4"),
        ("registry", ">i2"),
        ("block_length", ">i4"),
        ("block", ">i4"),
        ("numbers_length", ">i4"),
        ("numbers", ">i2"),
        ("bits_length", ">i4"),
        ("bit_count", ">i4"),
        ("bits", "u1", (BYTES,)),
    ]
)


class Change:
    """How many numbers came and went."""

    def __init__(self) -> None:
        self.added = 0
        self.removed = 0


def write_first(registry_id: int, numbers: Any) -> None:
    """Store sorted numbers of an area that has none yet."""
    with connection.cursor() as cursor:
        table = "COPY dnc_registry_blocks (registry_id, block, numbers, bits) FROM STDIN (FORMAT BINARY)"
        with cursor.copy(table) as copy:
            copy.write(COPY_HEAD)
            for blocks, bits in packed(numbers):
                copy.write(_rows(registry_id, blocks, bits))
            copy.write(COPY_END)


def replace_area(registry_id: int, file_id: int, numbers: Any, low: int, high: int) -> Change:
    """Make sorted numbers the only ones between two blocks, and note what that changed."""
    change = Change()
    now = dict(_read(registry_id, range_of=(low, high)))
    with _Changes(registry_id, file_id) as writer:
        seen = set()
        for blocks, bits in packed(numbers):
            seen.update(blocks.tolist())
            old = _stack(now, blocks)
            _note(writer, change, blocks, old, bits)
        gone = np.array(sorted(set(now) - seen), dtype=np.int64)
        for start in range(0, len(gone), SLICE):
            blocks = gone[start : start + SLICE]
            old = _stack(now, blocks)
            _note(writer, change, blocks, old, np.zeros_like(old))
    return change


def apply_changes(registry_id: int, file_id: int, numbers: Any, removed: Any) -> Change:
    """Add and remove sorted numbers, each named once; what already is so changes nothing."""
    change = Change()
    block_of = numbers // BLOCK
    blocks, first = np.unique(block_of, return_index=True)
    ends = np.append(first[1:], len(numbers))
    with _Changes(registry_id, file_id) as writer:
        for start in range(0, len(blocks), SLICE):
            part = blocks[start : start + SLICE]
            span = slice(int(first[start]), int(ends[min(start + SLICE, len(blocks)) - 1]))
            old = _stack(dict(_read(registry_id, blocks=part.tolist())), part)
            new = old.copy()
            row = np.searchsorted(part, block_of[span])
            position = numbers[span] % BLOCK
            mask = (128 >> (position & 7)).astype(np.uint8)
            off = removed[span]
            np.bitwise_or.at(new, (row[~off], position[~off] >> 3), mask[~off])
            np.bitwise_and.at(new, (row[off], position[off] >> 3), ~mask[off])
            _note(writer, change, part, old, new)
    return change


def packed(numbers: Any) -> Iterator[tuple[Any, Any]]:
    """Yield sorted numbers as blocks and their bits, some thousand blocks at a time."""
    block_of = numbers // BLOCK
    first = np.flatnonzero(np.append(True, block_of[1:] != block_of[:-1]))
    ends = np.append(first[1:], len(numbers))
    for start in range(0, len(first), SLICE):
        starts = first[start : start + SLICE]
        span = slice(int(starts[0]), int(ends[min(start + SLICE, len(first)) - 1]))
        row = np.repeat(np.arange(len(starts)), ends[start : start + SLICE] - starts)
        bits = np.zeros((len(starts), BLOCK), dtype=np.uint8)
        bits[row, numbers[span] - block_of[span] * BLOCK] = 1
        yield block_of[starts], np.packbits(bits, axis=1)


def _note(writer: "_Changes", change: Change, blocks: Any, old: Any, new: Any) -> None:
    turned = old ^ new
    changed = np.flatnonzero(turned.any(axis=1))
    if not len(changed):
        return
    turned, new = turned[changed], new[changed]
    change.added += int(np.bitwise_count(turned & new).sum())
    change.removed += int(np.bitwise_count(turned & ~new).sum())
    rows, byte = np.nonzero(turned)
    # Only the bytes that changed are taken apart.
    which, bit = np.nonzero(np.unpackbits(turned[rows, byte][:, None], axis=1))
    writer.add(blocks[changed], new, rows[which], byte[which] * 8 + bit)


def _rows(registry_id: int, blocks: Any, bits: Any) -> bytes:
    rows = np.empty(len(blocks), dtype=ROW)
    rows["columns"] = 4
    rows["registry_length"], rows["registry"] = 2, registry_id
    rows["block_length"], rows["block"] = 4, blocks
    rows["numbers_length"], rows["numbers"] = 2, np.bitwise_count(bits).sum(axis=1, dtype=np.int64)
    rows["bits_length"], rows["bit_count"], rows["bits"] = 4 + BYTES, BLOCK, bits
    return rows.tobytes()


def _read(
    registry_id: int, *, range_of: tuple[int, int] | None = None, blocks: list[int] | None = None
) -> Iterator[tuple[int, bytes]]:
    cursor = psycopg.Cursor(connection.connection)
    select = "SELECT block, bit_send(bits) FROM dnc_registry_blocks WHERE registry_id = %s AND "
    if range_of is not None:
        cursor.execute(select + "block BETWEEN %s AND %s", [registry_id, *range_of], binary=True)
    else:
        cursor.execute(select + "block = ANY(%s)", [registry_id, blocks], binary=True)
    for block, sent in cursor:
        # bit_send: four bytes of length, then the bits.
        yield block, sent[4:]


def _stack(found: dict[int, bytes], blocks: Any) -> Any:
    empty = bytes(BYTES)
    joined = b"".join(found.get(block, empty) for block in blocks.tolist())
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, BYTES)


class _Changes:
    """Gathers changed blocks in a temporary table and merges them at the end, with a row of history each."""

    def __init__(self, registry_id: int, file_id: int) -> None:
        self.registry_id, self.file_id = registry_id, file_id
        self.history: list[str] = []

    def __enter__(self) -> "_Changes":
        with connection.cursor() as cursor:
            cursor.execute(
                "CREATE TEMPORARY TABLE dnc_changed_blocks"
                " (registry_id smallint, block integer, numbers smallint, bits bit(10000)) ON COMMIT DROP;"
                "ALTER TABLE dnc_changed_blocks ALTER COLUMN bits SET STORAGE PLAIN"
            )
        return self

    def add(self, blocks: Any, bits: Any, rows: Any, positions: Any) -> None:
        target = "COPY dnc_changed_blocks FROM STDIN (FORMAT BINARY)"
        with connection.cursor() as cursor, cursor.copy(target) as copy:
            copy.write(COPY_HEAD + _rows(self.registry_id, blocks, bits) + COPY_END)
        ends = np.flatnonzero(np.append(rows[1:] != rows[:-1], True)) + 1
        start = 0
        listed = positions.tolist()
        for block, end in zip(blocks.tolist(), ends.tolist(), strict=True):
            places = ",".join(map(str, listed[start:end]))
            self.history.append(f"{self.registry_id}\t{block}\t{self.file_id}\t{{{places}}}\n")
            start = end

    def __exit__(self, kind: Any, *args: Any) -> None:
        if kind is not None:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO dnc_registry_blocks (registry_id, block, numbers, bits)"
                " SELECT registry_id, block, numbers, bits FROM dnc_changed_blocks ORDER BY block"
                " ON CONFLICT (registry_id, block) DO UPDATE SET numbers = excluded.numbers, bits = excluded.bits"
            )
            with cursor.copy("COPY dnc_registry_changes (registry_id, block, file_id, positions) FROM STDIN") as copy:
                for start in range(0, len(self.history), 10_000):
                    copy.write("".join(self.history[start : start + 10_000]))
            cursor.execute("DROP TABLE dnc_changed_blocks")
