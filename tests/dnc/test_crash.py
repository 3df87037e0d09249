"""Workers killed again and again leave no half version and exact counts."""

import os
import random
import uuid

import numpy as np
import pytest
from django.db.models import Sum
from django.db.models.functions import Now

from dnc.models import Registry, RegistryArea, RegistryFile, RegistryLoad, Scrub, ScrubResult
from dnc.services.registry_generation import write_flat
from dnc.services.registry_loads import paths_of, start_load
from dnc.services.scrubs import results_digest
from tests.dnc.dying_worker import run_task
from tests.dnc.registries import TODAY, days_ago, fresh_code, list_of, load_lines, members, subscribe
from tests.dnc.test_registry import listed
from tests.mortal import run_mortal
from vocelio.jobs.services import LEASE
from vocelio.organizations.scope import organization_scope

# FUZZ_KILLS=10 looks as long as a release wants.
KILLS = int(os.environ.get("FUZZ_KILLS") or 3)


def run_worker(task, job, statement=0, chunk=50):
    return run_mortal(run_task, f"dnc.tasks.{task}", str(job.organization_id), str(job.id), statement, chunk)


def kill_until_done(task, job, between, statements):
    """Kill worker after worker, look at what stands between two of them, and let the last one finish."""
    died = 0
    for statement in statements:
        was_killed = run_worker(task, job, statement)
        between()
        if not was_killed:
            break
        died += 1
        with organization_scope(job.organization_id):
            type(job).objects.filter(pk=job.pk, status="processing").update(lease_until=Now() - LEASE, attempt=0)
    else:
        assert not run_worker(task, job)
    assert died >= 1
    with organization_scope(job.organization_id):
        return type(job).objects.get(pk=job.pk)


@pytest.mark.parametrize("kind", ["full", "changes"])
def test_a_load_killed_again_and_again_shows_whole_versions_only(tmp_path, kind):
    draw = random.Random(8)  # noqa: S311
    codes = [fresh_code() for _ in range(3)]
    before = {code: set(draw.sample(range(10_000_000), 400)) for code in codes}
    for code in codes:
        load_lines(code, before[code], days_ago(9))
    after = {}
    for index, code in enumerate(codes):
        off, on = set(draw.sample(sorted(before[code]), 30)), set(draw.sample(range(10_000_000), 30)) - before[code]
        after[code] = (before[code] - off) | on
        if kind == "full":
            write_flat(tmp_path, code, np.array(sorted(after[code])), TODAY, uuid.uuid4().hex)
        else:
            lines = [(line, "D") for line in off] + [(line, "A") for line in on]
            text = "".join(f"{code}{line:07d},{days_ago(1)}T00:00:00,{mark}\n" for line, mark in lines)
            (tmp_path / f"changes-{index}.txt").write_text(text)

    def whole():
        for code in codes:
            now = listed(code)
            assert now in (before[code], after[code]), "A half version is visible."
            assert RegistryArea.objects.get(area="1" + code).numbers == len(now)

    job = start_load(registry=Registry.objects.get(slug="us-federal"), files=paths_of([tmp_path]))
    statements = [5, *(draw.randrange(8, 70) for _ in range(KILLS - 1))]
    job = kill_until_done("run_registry_load", job, whole, statements)
    assert isinstance(job, RegistryLoad)
    assert {code: listed(code) for code in codes} == after
    assert (job.status, job.files_loaded, job.files_rejected) == ("completed", 3, 0)
    assert RegistryFile.objects.filter(load_id=job.pk).count() == 3
    registry = Registry.objects.get(slug="us-federal")
    assert registry.number_count == RegistryArea.objects.filter(registry=registry).aggregate(sum=Sum("numbers"))["sum"]
    for code in codes:
        line = draw.choice(sorted(before[code] ^ after[code]))
        assert registry.held_on(int(f"1{code}{line:07d}"), days_ago(5)) is (line in before[code])


def test_a_scrub_killed_again_and_again_ends_with_exact_counts(manager):
    draw = random.Random(9)  # noqa: S311
    code = fresh_code()
    load_lines(code, range(5550000, 5550100))
    subscribe(manager)
    wanted = [f"+1{code}{line}" for line in range(5550000, 5550300)]
    callees = list_of(manager, wanted)
    own = wanted[150:170]
    manager.post("/v1/dnc/opt-outs", {"phoneNumbers": own})
    started = manager.post("/v1/dnc/scrub-campaign", {"contactListIds": [str(callees.pk)]}).data
    with organization_scope(manager.organization.id):
        job = Scrub.objects.get(pk=started["scrubJobId"])

    def consistent():
        with organization_scope(manager.organization.id):
            now = Scrub.objects.get(pk=job.pk)
            results = ScrubResult.objects.get_queryset().of(now)
            assert results.count() == now.total_contacts
            assert results.filter(is_clean=True).count() == now.clean_contacts

    statements = [6, *(draw.randrange(20, 130) for _ in range(KILLS - 1))]
    done = kill_until_done("run_scrub", job, consistent, statements)
    assert (done.status, done.total_contacts, done.matched_dnc, done.clean_contacts) == ("completed", 300, 120, 180)
    assert members(manager, done.clean_list_id) == set(wanted[100:]) - set(own)
    certificates = manager.get("/v1/dnc/certificates").data
    with organization_scope(manager.organization.id):
        assert [each["content"]["resultsSha256"] for each in certificates] == [results_digest(done)]
