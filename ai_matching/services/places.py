"""How far two places are from each other, without a network: cities of 5,000 people and more."""

import gzip
import unicodedata
from functools import cache, lru_cache
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import NamedTuple

# GeoNames (CC BY 4.0), made by benchmarks/place_names.py: country, region, latitude, longitude, names.
FILE = Path(__file__).parent.parent / "data" / "places.tsv.gz"
EARTH = 6_371.0
# Whose regions the file names as addresses do: elsewhere they are numbers there.
WITH_REGIONS = ("US", "CA")
STATES = {
    name: code
    for code, name in (
        pair.split(":")
        for pair in [
            "AL:alabama",
            "AK:alaska",
            "AZ:arizona",
            "AR:arkansas",
            "CA:california",
            "CO:colorado",
            "CT:connecticut",
            "DE:delaware",
            "DC:district of columbia",
            "FL:florida",
            "GA:georgia",
            "HI:hawaii",
            "ID:idaho",
            "IL:illinois",
            "IN:indiana",
            "IA:iowa",
            "KS:kansas",
            "KY:kentucky",
            "LA:louisiana",
            "ME:maine",
            "MD:maryland",
            "MA:massachusetts",
            "MI:michigan",
            "MN:minnesota",
            "MS:mississippi",
            "MO:missouri",
            "MT:montana",
            "NE:nebraska",
            "NV:nevada",
            "NH:new hampshire",
            "NJ:new jersey",
            "NM:new mexico",
            "NY:new york",
            "NC:north carolina",
            "ND:north dakota",
            "OH:ohio",
            "OK:oklahoma",
            "OR:oregon",
            "PA:pennsylvania",
            "RI:rhode island",
            "SC:south carolina",
            "SD:south dakota",
            "TN:tennessee",
            "TX:texas",
            "UT:utah",
            "VT:vermont",
            "VA:virginia",
            "WA:washington",
            "WV:west virginia",
            "WI:wisconsin",
            "WY:wyoming",
            "AB:alberta",
            "BC:british columbia",
            "MB:manitoba",
            "NB:new brunswick",
            "NL:newfoundland and labrador",
            "NS:nova scotia",
            "ON:ontario",
            "PE:prince edward island",
            "QC:quebec",
            "SK:saskatchewan",
        ]
    )
}


class Spot(NamedTuple):
    """Where a place is, in degrees."""

    region: str
    latitude: float
    longitude: float


@lru_cache(maxsize=20_000)
def spot_of(city: str, region: str, country: str) -> Spot | None:
    """Return where a city is; None for one that is not known, or not in that region.

    Without a region the largest city of the name is meant; without a country nothing is.
    """
    found = known().get((country.upper(), folded(city)), ())
    if region and country.upper() in WITH_REGIONS:
        code = STATES.get(folded(region), region.strip().upper())
        return next((spot for spot in found if spot.region == code), None)
    return found[0] if found else None


def kilometres(one: Spot, other: Spot) -> float:
    """Return how far two places are from each other as the crow flies."""
    up, along = radians(other.latitude - one.latitude), radians(other.longitude - one.longitude)
    half = sin(up / 2) ** 2 + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(along / 2) ** 2
    return 2 * EARTH * asin(min(1.0, sqrt(half)))


def folded(name: str) -> str:
    """Return a place's name as it is compared: without accents, dots and case."""
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    return " ".join(plain.casefold().replace(".", " ").replace("-", " ").split())


@cache
def known() -> dict[tuple[str, str], tuple[Spot, ...]]:
    """Return the places by country and name, the largest first."""
    found: dict[tuple[str, str], tuple[Spot, ...]] = {}
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            country, region, latitude, longitude, names = line.rstrip("\n").split("\t")
            spot = Spot(region, float(latitude), float(longitude))
            for name in names.split("|"):
                found[country, name] = (*found.get((country, name), ()), spot)
    return found
