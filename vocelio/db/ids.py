"""Time-ordered identifiers: neighbours in time are neighbours in every index (RFC 9562, version 7)."""

import os
import time
import uuid


def uuid7() -> uuid.UUID:
    """Return a new version 7 UUID: 48 bits of Unix milliseconds, then random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return uuid.UUID(int=value)


def uuid7_series(count: int) -> list[uuid.UUID]:
    """Return new version 7 UUIDs in ascending order: a counter of 26 bits follows the milliseconds."""
    prefix = (time.time_ns() // 1_000_000) << 80 | 0x7 << 76 | 0x2 << 62
    # Begins below half, so that it has room for 33 million.
    counter = int.from_bytes(os.urandom(4)) >> 7
    tails = os.urandom(6 * count)
    return [
        uuid.UUID(
            int=prefix
            | (number >> 14) << 64
            | (number & 0x3FFF) << 48
            | int.from_bytes(tails[6 * index : 6 * index + 6])
        )
        for index, number in enumerate(range(counter, counter + count))
    ]
