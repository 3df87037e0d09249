"""What reading a table yields."""

from typing import NamedTuple

from contacts.tabular.encoding import UNREADABLE
from contacts.tabular.limits import MAX_CELL_CHARS


class Row(NamedTuple):
    """One row: its number as a person sees it in the file, its cells, and what is wrong with it, if anything."""

    number: int
    cells: list[str]
    problem: str = ""


def checked(number: int, cells: list[str], problem: str = "") -> Row:
    """Return the row with cells that can be stored, and a problem where they had to be changed for that."""
    if any("\0" in cell for cell in cells):
        problem = problem or "contains a NUL byte"
    if any(UNREADABLE in cell for cell in cells):
        problem = problem or "contains characters that cannot be read in the file's encoding"
    if any(len(cell) > MAX_CELL_CHARS for cell in cells):
        problem = problem or f"a cell is longer than {MAX_CELL_CHARS:,} characters"
    clean = [cell[:MAX_CELL_CHARS].replace("\0", "").replace(UNREADABLE, "\ufffd") for cell in cells]
    return Row(number, clean, problem)
