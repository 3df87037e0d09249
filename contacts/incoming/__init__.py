"""From the cells of a file to what a contact holds. Pure Python, imports `contacts.phones` and `contacts.tabular` only.

Open `rows.py` first; `known.py` brings rows and known contacts together as `options.py` allows.
"""

from contacts.incoming.known import Changes, merge
from contacts.incoming.mapping import Mapping
from contacts.incoming.options import Options, Policy
from contacts.incoming.read_ahead import read_ahead
from contacts.incoming.rows import Incoming, Rejected, clean_rows

__all__ = [
    "Changes",
    "Incoming",
    "Mapping",
    "Options",
    "Policy",
    "Rejected",
    "clean_rows",
    "merge",
    "read_ahead",
]
