"""The kinds of record that files hold. An app registers its own in `apps.ready()`, beside contacts and clients."""

from dataclasses import dataclass


@dataclass(frozen=True)
class RecordKind:
    """What doors need to know: `routes` begins the names of its API routes, `known_by` says what a file must hold."""

    slug: str
    label: str
    permission: str
    routes: str
    known_by: str


_kinds: dict[str, RecordKind] = {}


def register_record_kind(kind: RecordKind) -> None:
    """Add a kind of record; slugs are unique."""
    if _kinds.setdefault(kind.slug, kind) is not kind:
        raise ValueError(f"There are two kinds of record named {kind.slug!r}")


def record_kind(slug: str) -> RecordKind:
    return _kinds[slug]


def record_choices() -> list[tuple[str, str]]:
    """Return all kinds as choices, in the order in which they were registered."""
    return [(kind.slug, kind.label) for kind in _kinds.values()]


register_record_kind(
    RecordKind("contact", "Contacts", "contacts:import", "upload", "phone numbers or e-mail addresses")
)
register_record_kind(RecordKind("client", "Clients", "clients:import", "client-upload", "names or domains"))
