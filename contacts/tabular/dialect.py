"""Find how a text file separates its cells."""

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

DELIMITERS = ",;\t|"
# Taken only where nothing usual separates anything: an @ is in every address.
RARE_DELIMITERS = "@^~"
_LEAST_RARE_COLUMNS = 3
_SAMPLE_RECORDS = 200
# Excel's own first line, for example "sep=;".
_SEPARATOR_LINE = re.compile(r"sep=(.)(?:\r\n|\r|\n)")


@dataclass(frozen=True)
class Dialect:
    """How cells are separated; `skip_lines` lines at the top only say so."""

    delimiter: str = ","
    quotechar: str = '"'
    skip_initial_space: bool = False
    skip_lines: int = 0


def detect_dialect(sample: str) -> Dialect:
    """Return the dialect under which the records of the sample agree best on a number of columns."""
    if declared := _SEPARATOR_LINE.match(sample):
        return Dialect(declared[1], skip_initial_space=_has_space_before_quotes(sample, declared[1]), skip_lines=1)
    delimiter = max(DELIMITERS, key=lambda each: (_agreement(sample, each), sample.count(each)))
    if _agreement(sample, delimiter) < 0.5:
        rare = max(RARE_DELIMITERS, key=lambda each: _agreement(sample, each, _LEAST_RARE_COLUMNS))
        if _agreement(sample, rare, _LEAST_RARE_COLUMNS) > 0.9:
            delimiter = rare
    return Dialect(delimiter, skip_initial_space=_has_space_before_quotes(sample, delimiter))


def _agreement(sample: str, delimiter: str, least_width: int = 2) -> float:
    """Return a score: the share of records with the most usual width, a wider table counting a little more."""
    if delimiter not in sample:
        return 0.0
    widths: Counter[int] = Counter()
    records = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    try:
        for record in records:
            if any(record):
                widths[len(record)] += 1
            if widths.total() == _SAMPLE_RECORDS:
                break
    except csv.Error:
        pass
    several = [(count, width) for width, count in widths.items() if width >= least_width]
    if not several:
        return 0.0
    count, width = max(several)
    return count / widths.total() * (1 + min(width, 20) / 20)


def _has_space_before_quotes(sample: str, delimiter: str) -> bool:
    return f'{delimiter} "' in sample and f'{delimiter}"' not in sample
