"""Made-up registry files in the FTC's form. No real registry is public, nor should one be."""

import io
import uuid
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from dnc.rules import areas_of

# Exchanges that occur in real files: 200 to 999, and 000.
EXCHANGES = np.append(np.arange(200, 1000), 0)


def generate(out: Path, *, numbers: int, seed: int, day: date, areas: int | None = None) -> list[Path]:
    """Write so many numbers, spread evenly over the area codes of the United States."""
    out.mkdir(parents=True, exist_ok=True)
    codes = [area.area[1:] for area in areas_of("US")][:areas]
    written = []
    for index, code in enumerate(codes):
        share = numbers * (index + 1) // len(codes) - numbers * index // len(codes)
        draw = np.random.default_rng([seed, int(code)])
        guid = uuid.UUID(bytes=draw.bytes(16), version=4)
        written.append(write_flat(out, code, draw_lines(draw, share), day, str(guid)))
    return written


def draw_lines(draw: Any, count: int) -> Any:
    """Return so many different numbers of seven digits, sorted."""
    space = len(EXCHANGES) * 10_000
    if count > space // 2:
        raise ValueError(f"An area code holds {space:,} numbers; at most half of them are drawn.")
    chosen = np.flatnonzero(draw.random(space, dtype=np.float32) < count / space * 1.02 + 50 / space)
    while len(chosen) < count:
        chosen = np.union1d(chosen, draw.integers(0, space, count))
    chosen = np.delete(chosen, draw.choice(len(chosen), len(chosen) - count, replace=False))
    return np.sort(EXCHANGES[chosen // 10_000] * 10_000 + chosen % 10_000)


def flat_lines(code: str, lines: Any) -> bytes:
    """Return `818,5550100` a line."""
    table = np.empty((len(lines), 12), dtype=np.uint8)
    table[:, :4] = np.frombuffer(f"{code},".encode(), dtype=np.uint8)
    for column in range(7):
        table[:, 4 + column] = lines // 10 ** (6 - column) % 10 + 48
    table[:, 11] = 10
    return table.tobytes()


def write_flat(folder: Path, code: str, lines: Any, day: date, guid: str) -> Path:
    """Write one area code's file as the FTC delivers it."""
    name = f"{day.year}-{day.month}-{day.day}_{code}_{guid}.txt"
    path = folder / f"{name}.zip"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, flat_lines(code, lines))
    path.write_bytes(content.getvalue())
    return path
