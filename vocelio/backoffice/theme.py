"""How the back office looks: the settings of django-unfold."""

from typing import Any

from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy


def theme(static_url: str) -> dict[str, Any]:
    """Return what unfold reads; files are below `static_url`."""
    return {
        "SITE_TITLE": "Vocelio",
        "SITE_HEADER": "Vocelio",
        "SITE_SYMBOL": "hub",
        "SITE_SUBHEADER": "vocelio.backoffice.site.chosen_name",
        "SITE_DROPDOWN": "vocelio.backoffice.site.organization_items",
        "SITE_URL": None,
        "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": f"{static_url}backoffice/icon.svg"}],
        "ACCOUNT": {
            "navigation": [
                {"title": gettext_lazy("Two-step log-in"), "link": reverse_lazy("admin:two_step")},
                {"title": gettext_lazy("Language and time zone"), "link": reverse_lazy("admin:preferences")},
            ]
        },
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        "BORDER_RADIUS": "8px",
        "LOGIN": {"form": "vocelio.backoffice.forms.SignInForm", "image": f"{static_url}backoffice/login.svg"},
        "STYLES": [f"{static_url}backoffice/backoffice.css"],
        "SCRIPTS": [f"{static_url}backoffice/jobs.js"],
        "COLORS": {
            "primary": {
                "50": "oklch(98.4% .014 180.72)",
                "100": "oklch(95.3% .051 180.801)",
                "200": "oklch(91% .096 180.426)",
                "300": "oklch(85.5% .138 181.071)",
                "400": "oklch(77.7% .152 181.912)",
                "500": "oklch(70.4% .14 182.503)",
                "600": "oklch(60% .118 184.704)",
                "700": "oklch(51.1% .096 186.391)",
                "800": "oklch(43.7% .078 188.216)",
                "900": "oklch(38.6% .063 188.416)",
                "950": "oklch(27.7% .046 192.524)",
            }
        },
    }
