"""How the shared registries stand: each area code fresh, stale or missing."""

from collections import defaultdict
from datetime import date
from typing import Any

from dnc.models import Registry, RegistryArea
from dnc.rules import areas_of, rule_book

# How an area's version stands: it proves something, it is too old to, or there is none.
FRESHNESS = ["fresh", "stale", "missing"]


def registry_states(today: date) -> list[dict[str, Any]]:
    """Return every active registry with the state of each area that it should or does hold."""
    versions: dict[int, dict[str, RegistryArea]] = defaultdict(dict)
    for area in RegistryArea.objects.all():
        versions[area.registry_id][area.area] = area
    return [
        {
            "slug": registry.slug,
            "name": registry.name,
            "kind": registry.kind,
            "country": registry.country,
            "number_count": registry.number_count,
            "loaded_at": registry.loaded_at,
            "areas": list(_areas(registry, versions[registry.pk], today)),
        }
        for registry in Registry.objects.active()
    ]


def _areas(registry: Registry, versions: dict[str, RegistryArea], today: date) -> Any:
    states = {area.area: area.state for area in areas_of(registry.country)} if registry.country_code == "1" else {}
    if registry.kind == Registry.Kind.STATE:
        expected = {area for area, state in states.items() if state in registry.states}
    else:
        expected = set(states) or {registry.country_code}
    rule = rule_book(today).rule("freshness", (registry.country,))
    for name in sorted(expected | set(versions)):
        shown = name[1:] if registry.country_code == "1" else f"+{name}"
        version = versions.get(name)
        if version is None:
            state: dict[str, Any] = {"numbers": 0, "version_date": None, "age": None, "status": "missing"}
        else:
            age = (today - version.version_date).days
            is_fresh = rule is None or age <= rule.value["days"]
            state = {
                "numbers": version.numbers,
                "version_date": version.version_date,
                "age": age,
                "status": "fresh" if is_fresh else "stale",
            }
        yield {"area": shown, "state": states.get(name, ""), **state}
