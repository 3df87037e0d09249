"""Where a number belongs by its first digits: country, state, time zones.

North American area codes are in areas.csv: NANPA's report of 2020, newer codes and all time zones from phonenumbers.
Elsewhere phonenumbers' own tables answer.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.tzdata import TIMEZONE_DATA

# How many first digits of a number are looked at: +1 and the area code.
DIGITS = 4


@dataclass(frozen=True)
class Area:
    """The numbers that begin alike. `zones` are all that occur among them."""

    area: str
    country: str = ""
    state: str = ""
    zones: tuple[str, ...] = ()

    @property
    def jurisdictions(self) -> tuple[str, ...]:
        """Return whose rules hold, the narrower first: `US-TX`, `US`."""
        if not self.country:
            return ()
        return (f"{self.country}-{self.state}", self.country) if self.state else (self.country,)


@cache
def _north_america() -> dict[str, Area]:
    with (Path(__file__).parent / "areas.csv").open(newline="") as file:
        return {
            row["area"]: Area(row["area"], row["country"], row["state"], tuple(row["zones"].split(";")))
            for row in csv.DictReader(file)
        }


@cache
def area_of(first: str) -> Area:
    """Return the area of a number's first four digits; without a country when nothing is known of it."""
    if first.startswith("1"):
        return _north_america().get(first, Area(first))
    for length in (3, 2):
        if regions := COUNTRY_CODE_TO_REGION_CODE.get(int(first[:length] or 0)):
            country = regions[0] if len(regions) == 1 or regions[0] == "GB" else ""
            prefixes = [prefix for prefix in TIMEZONE_DATA if prefix.startswith(first)]
            zones = {zone for prefix in prefixes for zone in TIMEZONE_DATA[prefix]}
            for end in range(len(first), 0, -1):
                if zones:
                    break
                zones = set(TIMEZONE_DATA.get(first[:end], ()))
            return Area(
                first, country, "", tuple(sorted(zone for zone in zones if "/" in zone and zone != "Etc/Unknown"))
            )
    return Area(first)


def areas_of(country: str) -> list[Area]:
    """Return the North American areas of a country."""
    return [area for area in _north_america().values() if area.country == country]
