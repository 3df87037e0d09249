"""The organization's contacts in charts."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from contacts.services.analytics import describe_contacts
from vocelio.languages.numbers import number
from vocelio.reports.charts import days_chosen, drawn, period_chosen
from vocelio.reports.shapes import Drawing, Line

# More days than this are drawn by the month.
DAILY = 90


def figures_context(request: HttpRequest) -> dict[str, Any]:
    """Return what backoffice/figures.html shows of `describe_contacts`."""
    first, last = days_chosen(request)
    found = describe_contacts(first=first, last=last)
    validity, duplicates, imports = found["validity"], found["duplicates"], found["imports"]
    file = f"{reverse('v1:contact-figures')}?from={found['from']}&to={found['to']}"
    return {
        "title": "Contact figures",
        "channel": "contacts",
        "events": "contact",
        **period_chosen(request),
        "figures": [
            ("Contacts", found["totals"]["contacts"], "outside the trash", "contacts"),
            ("Added", validity["added"], "within these days", "person_add"),
            ("With phone", validity["withPhone"], "of those added", "call"),
            ("With e-mail", validity["withEmail"], "of those added", "mail"),
            ("Possible duplicates", duplicates["open"], f"{duplicates['merged']} merged", "content_copy"),
            ("Files imported", imports["files"], f"{imports['failed']} failed", "upload_file"),
            ("Rows rejected", imports["invalid"], f"of {number(imports['rows'])}", "report"),
        ],
        "reports": [
            {"charts": [drawn(chart) for chart in _charts(found) if chart.labels], "files": [("CSV", file)]},
        ],
    }


def _charts(found: dict[str, Any]) -> list[Drawing]:
    imports = found["imports"]
    outcomes = ("imported", "updated", "duplicates", "invalid")
    return [
        _growth(found["growth"]),
        _bars("Where they came from", "Contacts", found["sources"], "source"),
        _bars("Largest lists", "Members", found["lists"], "name"),
        Drawing(
            "Rows of imported files",
            "bar",
            [name.capitalize() for name in outcomes],
            [Line("Rows", [imports[name] for name in outcomes])],
        ),
    ]


def _growth(days: list[dict[str, Any]]) -> Drawing:
    length = len("2026-12-31" if len(days) <= DAILY else "2026-12")
    sums: dict[str, dict[str, int]] = {}
    for day in days:
        period = sums.setdefault(day["day"][:length], {"added": 0, "deleted": 0})
        for name in period:
            period[name] += day[name]
    lines = [Line(name.capitalize(), [period[name] for period in sums.values()]) for name in ("added", "deleted")]
    return Drawing("Added and deleted", "bar", list(sums), lines)


def _bars(title: str, what: str, rows: list[dict[str, Any]], name: str) -> Drawing:
    return Drawing(title, "bar", [row[name] for row in rows], [Line(what, [row["contacts"] for row in rows])])
