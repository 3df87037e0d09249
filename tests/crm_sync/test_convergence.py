"""Whatever is edited where, in whatever order the sync runs: both sides end up equal, and stay so."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_sync.providers.values import Value
from crm_sync.services.merge import Direction, FieldRule, Rule, merge

VALUES = st.sampled_from([None, "a", "b", "c"])
TAGS = st.sets(st.sampled_from("abcd")).map(lambda found: tuple(sorted(found)) or None)
EDITS = st.lists(
    st.tuples(st.sampled_from(["here", "there", "sync", "full"]), st.sampled_from([0, 1]), VALUES, VALUES),
    min_size=1,
    max_size=8,
)
OURS = {"firstName": "first", "city": "town"}


@given(edits=EDITS)
@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_random_edits_on_both_sides_in_random_order_converge(mirror, edits):
    bench, ids, people = mirror
    for where, which, first, town in edits:
        if where == "here":
            bench.edit(people[which], firstName=first or "", city=town or "")
        elif where == "there":
            bench.server.edit(ids[which], first=first, town=town)
        else:
            bench.sync(fullSync=where == "full")
    bench.sync()
    writes = len(bench.server.writes)
    last = bench.sync()
    for remote_id, contact in zip(ids, sorted(bench.contacts(), key=lambda each: each.email), strict=True):
        stored = bench.server.records[remote_id].values
        assert (contact.first_name, contact.city) == (stored["first"] or "", stored["town"] or "")
    assert len(bench.server.writes) == writes
    assert last["contactsProcessed"] == last["contactsSkipped"]
    assert len(bench.contacts()) == len(bench.server.records) == 2


@pytest.fixture
def mirror(make_bench):
    """Two people on both sides; each example goes on from where the one before has left them."""
    bench = make_bench(fieldMappings={"email": "mail", **OURS})
    ids = [bench.server.add(mail=f"p{number}@example.test") for number in range(2)]
    bench.sync()
    people = [str(each.pk) for each in sorted(bench.contacts(), key=lambda each: each.email)]
    return bench, ids, people


class Sides:
    """A field on two sides and their baselines, merged the way a run does it."""

    def __init__(self, rule: FieldRule) -> None:
        self.rule = rule
        self.mine: Value = None
        self.theirs: Value = None
        self.my_base: dict[str, Value] = {}
        self.their_base: dict[str, Value] = {}
        self.writes = 0

    def sync(self, *, local_is_newer: bool) -> None:
        name = self.rule.local
        result = merge(
            [self.rule],
            {name: self.mine},
            {name: self.theirs},
            self.my_base,
            self.their_base,
            local_is_newer=local_is_newer,
        )
        self.my_base, self.their_base = dict(result.local_base), dict(result.remote_base)
        if name in result.to_local:
            self.mine = result.to_local[name]
            self.writes += 1
        if name in result.to_remote:
            self.theirs = self.my_base[name] = self.their_base[name] = result.to_remote[name]
            self.my_base[name] = self.mine
            self.writes += 1


RULES = [Rule.NEWEST, Rule.LOCAL, Rule.REMOTE, Rule.UNION]


@given(
    st.lists(st.tuples(st.sampled_from(["here", "there", "sync"]), TAGS, st.booleans()), max_size=12),
    st.sampled_from(RULES),
    st.booleans(),
)
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_every_rule_converges_and_then_is_still(edits: Any, rule: Rule, blanks: bool):
    sides = Sides(FieldRule("tags", "labels", Direction.BOTH, rule, blanks_win=blanks))
    for where, value, newer in edits:
        if where == "here":
            sides.mine = value
        elif where == "there":
            sides.theirs = value
        else:
            sides.sync(local_is_newer=newer)
    sides.sync(local_is_newer=True)
    assert sides.mine == sides.theirs
    writes = sides.writes
    for newer in (True, False, True):
        sides.sync(local_is_newer=newer)
    assert (sides.writes, sides.mine) == (writes, sides.theirs)


def test_who_said_no_is_never_forgotten_whatever_the_direction():
    for direction, mine, theirs in itertools.product(Direction, (True, False), (True, False)):
        sides = Sides(FieldRule("doNotCall", "no", direction))
        sides.mine, sides.theirs = mine, theirs
        sides.sync(local_is_newer=True)
        assert sides.mine is (mine or theirs)
        assert sides.theirs is (theirs or (mine and direction != Direction.PULL))
