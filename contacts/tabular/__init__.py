"""Contact files, hostile or not, as a stream of rows of text. Pure Python, imports `contacts.phones` only.

Open `table.py` first. `csv_file.py`, `xlsx_file.py` and `xls_file.py` read; `header.py` and `columns.py` understand.
"""

from contacts.tabular.columns import ColumnGuess, guess_columns
from contacts.tabular.errors import TableError, TableErrorCode
from contacts.tabular.rows import Row
from contacts.tabular.table import Table, open_table

__all__ = ["ColumnGuess", "Row", "Table", "TableError", "TableErrorCode", "guess_columns", "open_table"]
