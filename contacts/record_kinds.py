"""The kinds of record that files hold. An app registers its own in `apps.ready()`, beside contacts and clients."""

from collections.abc import Collection
from dataclasses import dataclass

from vocelio.languages.translate import lazily


@dataclass(frozen=True)
class RecordKind:
    """What doors need to know: `routes` begins the names of its API routes, `template` is that of the empty file, `known_by` says what a file must hold."""

    slug: str
    label: str
    permission: str
    routes: str
    template: str
    known_by: str


_kinds: dict[str, RecordKind] = {}


def register_record_kind(kind: RecordKind) -> None:
    """Add a kind of record; slugs are unique."""
    if _kinds.setdefault(kind.slug, kind) is not kind:
        raise ValueError(f"There are two kinds of record named {kind.slug!r}")


def record_kind(slug: str) -> RecordKind:
    return _kinds[slug]


def record_kinds() -> Collection[RecordKind]:
    """Return all kinds, in the order in which they were registered."""
    return _kinds.values()


def record_choices() -> list[tuple[str, str]]:
    """Return all kinds as choices, in the order in which they were registered."""
    return [(kind.slug, lazily(kind.label)) for kind in _kinds.values()]


register_record_kind(
    RecordKind(
        "contact", "Contacts", "contacts:import", "upload", "upload-template", "phone numbers or e-mail addresses"
    )
)
register_record_kind(
    RecordKind("client", "Clients", "clients:import", "client-upload", "client-template", "names or domains")
)
