"""From the cells of a file to what a contact holds. Pure Python, imports `contacts.phones` and `contacts.tabular` only.

Open `rows.py` first.
"""

from contacts.incoming.mapping import Mapping
from contacts.incoming.read_ahead import read_ahead
from contacts.incoming.rows import Incoming, Rejected, clean_rows

__all__ = ["Incoming", "Mapping", "Rejected", "clean_rows", "read_ahead"]
