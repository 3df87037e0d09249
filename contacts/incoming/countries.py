"""Names of countries, in the languages phonenumbers knows them in, as ISO 3166 codes."""

from functools import cache, lru_cache

_ALIASES = {"usa": "US", "u.s.": "US", "u.s.a.": "US", "united states of america": "US", "america": "US"}
_ALIASES |= {"uk": "GB", "u.k.": "GB", "great britain": "GB", "england": "GB", "scotland": "GB", "wales": "GB"}
_ALIASES |= {"deu": "DE", "fra": "FR", "esp": "ES", "can": "CA", "gbr": "GB", "mex": "MX", "holland": "NL"}


@lru_cache(maxsize=4096)
def country_code(text: str) -> str | None:
    """Return the two-letter code of a country's code or name; None when it is no country we know."""
    wanted = text.strip().casefold()
    if code := _ALIASES.get(wanted) or _names().get(wanted):
        return code
    return wanted.upper() if wanted.upper() in _names().values() else None


@cache
def _names() -> dict[str, str]:
    # Loaded on first use: the table is large, and many files name no country.
    from phonenumbers.geodata.locale import LOCALE_DATA

    return {
        name.casefold(): code
        for code, names in LOCALE_DATA.items()
        for name in names.values()
        if code.isalpha() and not name.startswith("*")
    }
