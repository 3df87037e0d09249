"""Keep a spreadsheet from running what a file holds, and take the protection off again on the way in."""

import re

# What makes a spreadsheet read a cell as a formula (OWASP, CSV injection); signed numbers are harmless. Apostrophes
# before it count as well, so that taking one off is always the reverse of putting one on.
_FORMULA = re.compile(r"'*(?:[=@\t\r\n＝＋－＠]|[+-](?![0-9 ().-]*\Z))")  # noqa: RUF001 - full-width signs count as well


def harmless(cell: str) -> str:
    """Return the cell so that no spreadsheet takes it for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def restored(cell: str) -> str:
    """Return what `harmless` made the cell of; any other cell as it is."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
