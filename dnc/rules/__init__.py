"""The law as dated data: `rules.json` with the source of each rule, `areas.csv` with states and time zones.

Pure Python, imports nothing of Vocelio. Open `book.py` for what holds on a day, `hours.py` for when may be called.
"""

from dnc.rules.areas import Area, area_of, areas_of
from dnc.rules.book import Rule, RuleBook, rule_book
from dnc.rules.hours import Window, calling_window

__all__ = ["Area", "Rule", "RuleBook", "Window", "area_of", "areas_of", "calling_window", "rule_book"]
