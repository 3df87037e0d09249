"""The three-way merge, field by field: each side against its own baseline. Pure: no database, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crm_sync.providers.values import Value
from crm_sync.services.fields import TIGHTENING, Unusable


class Direction(StrEnum):
    BOTH = "both"
    PULL = "pull"
    PUSH = "push"


class Rule(StrEnum):
    """Who wins a field that both sides changed."""

    NEWEST = "newest"
    LOCAL = "local"
    REMOTE = "remote"
    UNION = "union"
    MANUAL = "manual"


@dataclass(frozen=True)
class FieldRule:
    """How one field is kept equal."""

    local: str
    remote: str
    direction: Direction = Direction.BOTH
    conflict: Rule = Rule.NEWEST
    # Whether an emptied field empties the other side; otherwise the filled side fills it again.
    blanks_win: bool = False


@dataclass
class Merge:
    """What has to be written where, and the baselines once it has been.

    A field in `to_remote` keeps its local baseline at the remote value, so that it counts as changed here until the
    CRM has confirmed it.
    """

    to_local: dict[str, Value] = field(default_factory=dict)
    to_remote: dict[str, Value] = field(default_factory=dict)
    local_base: dict[str, Value] = field(default_factory=dict)
    remote_base: dict[str, Value] = field(default_factory=dict)
    # Fields left to a person: ours and theirs.
    conflicts: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    # Fields of the CRM's that we cannot hold, and why.
    unusable: dict[str, str] = field(default_factory=dict)


def merge(
    rules: Iterable[FieldRule],
    local: Mapping[str, Value],
    remote: Mapping[str, Value | Unusable],
    local_base: Mapping[str, Value],
    remote_base: Mapping[str, Value],
    *,
    local_is_newer: bool,
    undecided: frozenset[str] = frozenset(),
) -> Merge:
    """Merge one record. A field without a baseline has changed on each side that has a value.

    `undecided` are fields whose conflict is still open: they stay as they are until both sides agree.
    """
    result = Merge()
    for rule in rules:
        name = rule.local
        mine, theirs = local[name], remote[name]
        if isinstance(theirs, Unusable):
            result.unusable[name] = theirs.reason
            # Ours counts as unchanged, so that only an edit made here from now on overwrites theirs.
            result.local_base[name] = local_base.get(name, mine)
            result.remote_base[name] = remote_base.get(name)
            continue
        decided = _decide(
            rule,
            mine,
            theirs,
            local_base.get(name, mine if mine is None else _NOTHING),
            remote_base.get(name, theirs if theirs is None else _NOTHING),
            local_is_newer=local_is_newer,
            is_undecided=name in undecided,
        )
        if decided is _CONFLICT:
            result.conflicts[name] = (mine, theirs)
            result.local_base[name], result.remote_base[name] = mine, theirs
            continue
        wanted_here, wanted_there = decided
        result.local_base[name], result.remote_base[name] = wanted_here, theirs
        if wanted_here != mine:
            result.to_local[name] = wanted_here
        if wanted_there != theirs:
            result.to_remote[name] = wanted_there
            result.local_base[name] = theirs
    return result


class _Nothing:
    """Differs from every value."""


_NOTHING = _Nothing()
_CONFLICT: tuple[Value, Value] = ("conflict", "conflict")


def _decide(
    rule: FieldRule,
    mine: Value,
    theirs: Value,
    my_base: Value | _Nothing,
    their_base: Value | _Nothing,
    *,
    local_is_newer: bool,
    is_undecided: bool,
) -> tuple[Value, Value]:
    """Return what the field should hold here and there."""
    if rule.local in TIGHTENING:
        # Who said no on either side has said no; nothing here loosens it.
        no = bool(mine) or bool(theirs)
        return (no or bool(mine), theirs if rule.direction == Direction.PULL or not no else True)
    if mine == theirs:
        return mine, theirs
    if is_undecided:
        return _CONFLICT
    i_changed, they_changed = mine != my_base, theirs != their_base
    if rule.direction == Direction.PULL:
        take = they_changed and (theirs is not None or rule.blanks_win)
        return (theirs if take else mine, theirs)
    if rule.direction == Direction.PUSH:
        give = i_changed and (mine is not None or rule.blanks_win)
        return (mine, mine if give else theirs)
    if not i_changed and not they_changed:
        return mine, theirs
    if not rule.blanks_win and (mine is None or theirs is None):
        filled = theirs if mine is None else mine
        return filled, filled
    if i_changed != they_changed:
        winner = mine if i_changed else theirs
        return winner, winner
    match rule.conflict:
        case Rule.MANUAL:
            return _CONFLICT
        case Rule.UNION:
            winner = _union(mine, theirs, my_base, their_base)
        case Rule.LOCAL:
            winner = mine
        case Rule.REMOTE:
            winner = theirs
        case Rule.NEWEST:
            winner = mine if local_is_newer else theirs
    return winner, winner


def _union(mine: Value, theirs: Value, my_base: Value | _Nothing, their_base: Value | _Nothing) -> Value:
    """Return what either side has, without what either side took away."""
    here, there = _options(mine), _options(theirs)
    removed = (_options(my_base) - here) | (_options(their_base) - there)
    return tuple(sorted((here | there) - removed)) or None


def _options(value: Value | _Nothing) -> set[str]:
    if isinstance(value, tuple):
        return set(value)
    return set() if value is None or isinstance(value, _Nothing) else {str(value)}
