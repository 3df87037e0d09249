"""What apps above know of a client: figures for its summary, and tables on its page in the back office.

An app registers in `apps.ready()`; contacts imports none of them:

    register_client_panel(ClientPanel("deals", "Deals", figures=deal_figures, table=deals_of_client))
"""

import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vocelio.access.principal import Principal


@dataclass(frozen=True)
class ClientFigures:
    """What an app adds to a client's summary: figures under API names, and when something last happened there."""

    figures: dict[str, Any] = field(default_factory=dict)
    last_activity_at: datetime | None = None


@dataclass(frozen=True)
class PanelTable:
    """A table on the client's page: rows of texts, each row with the address it leads to, or an empty one."""

    headers: list[str]
    rows: list[tuple[str, list[str]]]
    # Where the rest, or a form to add one, is.
    more: tuple[str, str] | None = None


@dataclass(frozen=True)
class ClientPanel:
    """One app's part of a client.

    `figures` and `table` are called inside the organization's scope and hold the ownership rule for the principal.
    """

    slug: str
    label: str
    figures: Callable[[uuid.UUID, Principal], ClientFigures]
    table: Callable[[uuid.UUID, Principal], PanelTable] | None = None


_panels: dict[str, ClientPanel] = {}


def register_client_panel(panel: ClientPanel) -> None:
    """Add a part to every client; slugs are unique."""
    if _panels.setdefault(panel.slug, panel) is not panel:
        raise ValueError(f"There are two client panels named {panel.slug!r}")


def client_panels() -> Collection[ClientPanel]:
    """Return all parts, in the order of registration."""
    return _panels.values()
