"""The kinds of profiles that apps above keep of contacts: sales in `sales`, candidate in `recruitment`.

An app registers its kind in `apps.ready()`, so that contacts can answer all profiles of a person together, and make
a contact together with its profiles, without importing the app.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from contacts import merging
from contacts.models import Profile


@dataclass(frozen=True)
class ProfileKind:
    """One kind of profile.

    `serializer` is the dotted path of its API serializer; `create(contact=..., **validated_data)` is the service
    that makes one; `related` and `prefetch` are what the serializer reads of other tables.
    """

    slug: str
    label: str
    model: type[Profile]
    serializer: str
    create: Callable[..., Profile]
    related: tuple[str, ...] = ()
    prefetch: tuple[str, ...] = ()


_kinds: dict[str, ProfileKind] = {}


def register_profile_kind(kind: ProfileKind) -> None:
    """Add a kind of profile; slugs are unique."""
    if _kinds.setdefault(kind.slug, kind) is not kind:
        raise ValueError(f"There are two kinds of profile named {kind.slug!r}")
    merging.register(kind.model, _one_primary(kind.model))


def _one_primary(model: type[Profile]) -> merging.Rule:
    """Return what lets the survivor of a merge keep its primary profile."""

    def demote(*, survivor_id: UUID, absorbed_id: UUID) -> None:
        if model.objects.filter(contact_id=survivor_id, is_primary=True).exists():
            model.objects.filter(contact_id=absorbed_id, is_primary=True).update(is_primary=False)

    return demote


def profile_kinds() -> Collection[ProfileKind]:
    """Return all kinds by slug, in alphabetical order."""
    return [_kinds[slug] for slug in sorted(_kinds)]
