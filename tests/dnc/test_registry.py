"""Registries: loaded whole or refused with a reason, versioned, answerable for earlier days."""

import random
import uuid
import zipfile

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from dnc.models import Registry, RegistryArea, RegistryFile
from dnc.services.registry_generation import write_flat
from tests.dnc.registries import TODAY, days_ago, fresh_code, journal, load, load_lines, zipped


def federal():
    return Registry.objects.get(slug="us-federal")


def listed(code):
    """Return the lines of an area code that the store holds, read independently of the product's own reader."""
    first = int("1" + code) * 1000
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT block, bits::text FROM dnc_registry_blocks WHERE registry_id = 1 AND block BETWEEN %s AND %s",
            [first, first + 999],
        )
        rows = cursor.fetchall()
    return {(block - first) * 10_000 + place for block, bits in rows for place, bit in enumerate(bits) if bit == "1"}


def test_a_full_list_is_stored_exactly_leading_zeros_and_all():
    code = fresh_code()
    draw = random.Random(5)  # noqa: S311
    lines = {0, 9_999, 818, *draw.sample(range(10_000_000), 3_000)}
    job = load_lines(code, lines)
    assert journal(job) == [("loaded", "")]
    assert listed(code) == lines
    area = RegistryArea.objects.get(area="1" + code)
    assert (area.numbers, area.version_date) == (len(lines), TODAY)
    assert federal().holds(int(f"1{code}0000818"))
    assert not federal().holds(int(f"1{code}0000819"))


def test_a_newer_list_replaces_the_older_and_every_day_stays_answerable():
    code = fresh_code()
    draw = random.Random(6)  # noqa: S311
    versions = {}
    for age in (40, 20, 3):
        versions[age] = {5550001, *draw.sample(range(5_500_000, 5_600_000), 2_000)}
        if age == 20:
            versions[age].discard(5550001)
        load_lines(code, versions[age], days_ago(age), accept_shrink=True)
        assert listed(code) == versions[age]
    registry = federal()
    sample = draw.sample(sorted(set().union(*versions.values())), 300)
    for line in [5550001, *sample]:
        number = int(f"1{code}{line:07d}")
        assert registry.held_on(number, days_ago(41)) is None
        for age, day in ((40, 40), (40, 21), (20, 20), (20, 4), (3, 3), (3, 0)):
            assert registry.held_on(number, days_ago(day)) is (line in versions[age]), (line, age, day)
    assert [change["listed"] for change in registry.changes_of(int(f"1{code}5550001"))] == [False, True]


@pytest.mark.parametrize("layout", ["{number},{day}T{time},{action}\n", "{number} {day} {action}\n"])
def test_a_change_list_is_applied_in_the_order_of_time(tmp_path, layout):
    code = fresh_code()
    load_lines(code, range(5550100, 5550200), days_ago(5))
    rows = [
        (5550100, 3, "10:00:00", "D"),
        (5550300, 3, "10:00:00", "A"),
        # Added again later, though the line comes first; and the other way round.
        (5550101, 1, "09:00:00", "A"),
        (5550101, 2, "08:00:00", "D"),
        (5550301, 1, "09:00:00", "D"),
        (5550301, 2, "08:00:00", "A"),
        # Nothing to be changed.
        (5550150, 2, "08:00:00", "A"),
        (5559999, 2, "08:00:00", "D"),
    ]
    text = "".join(
        layout.format(number=f"{code}{line:07d}", day=days_ago(age), time=time, action=action)
        for line, age, time, action in rows
    )
    (tmp_path / "changes.txt").write_text(text)
    job = load([tmp_path / "changes.txt"])
    assert journal(job) == [("loaded", "")]
    assert (job.added, job.removed) == (1, 1)
    assert listed(code) == {*range(5550101, 5550200), 5550300}
    area = RegistryArea.objects.get(area="1" + code)
    assert (area.numbers, area.version_date) == (100, days_ago(1))


def test_a_large_change_list_equals_plain_sets(tmp_path):
    code = fresh_code()
    draw = random.Random(7)  # noqa: S311
    before = set(draw.sample(range(10_000_000), 20_000))
    load_lines(code, before, days_ago(5))
    off = set(draw.sample(sorted(before), 4_000))
    on = set(draw.sample(range(10_000_000), 4_000)) - off
    rows = [
        f"{code}{line:07d},{days_ago(1)}T00:00:01,{mark}\n" for part, mark in ((off, "D"), (on, "A")) for line in part
    ]
    draw.shuffle(rows)
    (tmp_path / "changes.txt").write_text("".join(rows))
    job = load([tmp_path / "changes.txt"])
    assert listed(code) == (before - off) | on
    assert (job.added, job.removed) == (len(on - before), len(off))
    registry = federal()
    for line in [*draw.sample(sorted(off), 50), *draw.sample(sorted(on), 50)]:
        assert registry.held_on(int(f"1{code}{line:07d}"), days_ago(4)) is (line in before)


def test_what_is_refused_changes_nothing_and_says_why(tmp_path):
    code, other = fresh_code(), fresh_code()
    lines = np.arange(5550100, 5551100)
    path = write_flat(tmp_path, code, lines, days_ago(10), uuid.uuid4().hex)
    assert journal(load([path])) == [("loaded", "")]
    before = listed(code)

    def refused(path, **options):
        job = load([path], **options)
        assert (job.status, job.error_code) == ("failed", "NOTHING_LOADED")
        assert listed(code) == before
        return journal(job)[0][1]

    assert refused(path) == "duplicate"
    relabelled = tmp_path / path.name.replace(f"_{code}_", f"_{other}_")
    relabelled.write_bytes(path.read_bytes())
    assert refused(relabelled) == "bad_member"
    with zipfile.ZipFile(path) as archive:
        text = archive.read(archive.namelist()[0])
    name = f"{TODAY.year}-{TODAY.month}-{TODAY.day}_{other}_{uuid.uuid4().hex}.txt"
    assert refused(zipped(tmp_path / f"{name}.zip", name, text)) == "wrong_area"
    name = f"{TODAY.year}-{TODAY.month}-{TODAY.day}_{code}_{uuid.uuid4().hex}.txt"
    assert refused(zipped(tmp_path / "list.zip", "list.txt", text)) == "bad_name"
    assert refused(zipped(tmp_path / f"{name}.zip", name, text[:-5])) == "truncated"
    assert refused(zipped(tmp_path / f"{name}.zip", name, text + b"818-555-0100\n")) == "bad_line"
    assert refused(zipped(tmp_path / f"{name}.zip", name, text[: len(text) // 2])) == "shrink"
    assert refused(zipped(tmp_path / f"{name}.zip", name, b"")) == "empty"
    assert refused(zipped(tmp_path / f"{name}.zip", name, b"Ada Lovelace\n")) == "unknown_format"
    broken = bytearray(zipped(tmp_path / f"{name}.zip", name, text + f"{code},5552000\n".encode()).read_bytes())
    broken[200] ^= 1
    (tmp_path / f"{name}.zip").write_bytes(broken)
    assert refused(tmp_path / f"{name}.zip") == "bad_archive"
    (tmp_path / f"{name}.zip").write_bytes(b"PK no zip")
    assert refused(tmp_path / f"{name}.zip") == "bad_archive"
    older = write_flat(tmp_path, code, lines[:-1], days_ago(11), uuid.uuid4().hex)
    assert refused(older) == "older"
    future = write_flat(tmp_path, code, lines[:-1], days_ago(-3), uuid.uuid4().hex)
    assert refused(future) == "future"
    (tmp_path / "changes.txt").write_text(f"{fresh_code()}5550100,{TODAY}T00:00:00,A\n")
    assert refused(tmp_path / "changes.txt") == "no_full_list"
    (tmp_path / "changes.txt").write_text(f"{code}5550100,{TODAY.year}-02-30T00:00:00,A\n")
    assert refused(tmp_path / "changes.txt") == "bad_date"
    reasons = RegistryFile.objects.filter(status="rejected", reason="").count()
    assert reasons == 0


def test_a_newer_list_that_is_the_same_makes_the_area_fresh_and_nothing_else(tmp_path):
    code, lines = fresh_code(), np.arange(5550100, 5550200)
    load([write_flat(tmp_path, code, lines, days_ago(40), uuid.uuid4().hex)])
    same = write_flat(tmp_path, code, lines, days_ago(2), uuid.uuid4().hex)
    job = load([same])
    assert (journal(job), job.added, job.removed) == ([("loaded", "")], 0, 0)
    assert RegistryArea.objects.get(area="1" + code).version_date == days_ago(2)
    assert listed(code) == set(lines.tolist())
    assert federal().held_on(int(f"1{code}5550100"), days_ago(30)) is True
    for day in (days_ago(2), days_ago(30)):
        assert journal(load([write_flat(tmp_path, code, lines, day, uuid.uuid4().hex)])) == [("rejected", "duplicate")]
    load_lines(code, range(5550100, 5550201), days_ago(1))
    # Back to what it was: the same content again, and a change.
    job = load([write_flat(tmp_path, code, lines, TODAY, uuid.uuid4().hex)])
    assert (journal(job), job.removed) == ([("loaded", "")], 1)


def test_a_change_list_makes_the_areas_fresh_of_which_it_tells_every_change(tmp_path):
    named, covered, other = fresh_code(), fresh_code(), fresh_code()
    for code in (named, covered, other):
        load_lines(code, [5550100], days_ago(20))
    (tmp_path / "changes.txt").write_text(f"{named}5550101,{days_ago(3)}T00:00:00,A\n")
    assert journal(load([tmp_path / "changes.txt"], covers=[named, covered])) == [("loaded", "")]

    def ages():
        return [RegistryArea.objects.get(area="1" + code).version_date for code in (named, covered, other)]

    assert ages() == [days_ago(3), days_ago(3), days_ago(20)]
    nothing = tmp_path / f"{days_ago(1)}_changes_{uuid.uuid4().hex}.txt"
    nothing.write_text("NoChanges\n")
    assert journal(load([nothing], covers=[covered])) == [("loaded", "")]
    assert ages() == [days_ago(3), days_ago(1), days_ago(20)]
    assert journal(load([nothing], covers=[covered])) == [("rejected", "duplicate")]
    (tmp_path / "undated.txt").write_text("NoChanges\n")
    assert journal(load([tmp_path / "undated.txt"], covers=["all"])) == [("rejected", "no_version_date")]
    nothing.write_text(f"NoChanges\n{named}5550102,{days_ago(1)}T00:00:00,A\n")
    assert journal(load([nothing], covers=["all"]))[0][0] == "rejected"


def test_a_list_that_lost_most_of_its_numbers_is_taken_when_the_operator_says_so():
    code = fresh_code()
    load_lines(code, range(5550100, 5550200), days_ago(2))
    assert journal(load_lines(code, range(5550100, 5550120), days_ago(1))) == [("rejected", "shrink")]
    load_lines(code, range(5550100, 5550120), days_ago(1), accept_shrink=True)
    assert len(listed(code)) == 20


def test_the_command_loads_folders_and_fails_when_all_was_refused(tmp_path, capsys):
    call_command("generate_registry", str(tmp_path / "a"), numbers=2_000, areas=1, seed=int(uuid.uuid4()) % 1000)
    call_command("generate_registry", str(tmp_path / "b"), numbers=2_000, areas=1, seed=1)
    call_command("generate_registry", str(tmp_path / "c"), numbers=2_000, areas=1, seed=1)
    same = [next((tmp_path / folder).iterdir()).read_bytes() for folder in "bc"]
    assert same[0] == same[1]
    call_command("load_registry", str(tmp_path / "a"), accept_shrink=True)
    assert "1 files loaded" in capsys.readouterr().out
    with pytest.raises(CommandError, match="No file"):
        call_command("load_registry", str(tmp_path / "a"))
    assert "duplicate" in capsys.readouterr().err


def test_the_british_and_canadian_registries_know_their_own_numbers(tmp_path):
    (tmp_path / "tps20260101.txt").write_bytes(b"01635 506160\r\n0207 3787244\r\n02079460018 \r\n")
    assert journal(load([tmp_path / "tps20260101.txt"], registry="uk-tps")) == [("loaded", "")]
    british = Registry.objects.get(slug="uk-tps")
    assert british.number_count == 3
    assert all(british.holds(number) for number in (441635506160, 442073787244, 442079460018))
    with zipfile.ZipFile(tmp_path / "dncl-2026-10-01.zip", "w") as archive:
        archive.writestr("416.csv", "416,5550100\n416,5550101\n")
        archive.writestr("604.csv", "604,5550100\n")
    job = load([tmp_path / "dncl-2026-10-01.zip"], registry="ca-dncl", version_date=days_ago(3))
    assert journal(job) == [("loaded", "")] * 2
    assert Registry.objects.get(slug="ca-dncl").holds(16045550100)
    (tmp_path / "all.xml").write_text(
        "<list type='full' level='all' val='' />\n<ac val='647'>\n <ph val='5550100' /> <ph val='0000818' />\n</ac> </list>"
    )
    job = load([tmp_path / "all.xml"], registry="ca-dncl", version_date=TODAY)
    assert journal(job) == [("loaded", "")]
    assert Registry.objects.get(slug="ca-dncl").holds(16470000818)
