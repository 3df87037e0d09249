"""A worker that dies anywhere leaves a run that another finishes: no duplicate there, nothing lost here."""

import pytest
from crm_sync.providers.memory import Memory, lose_answer  # type: ignore[import-not-found]

from crm_sync.models import CrmSyncRun
from crm_sync.providers.values import Operation
from tests.factories import phone_number, run_jobs
from vocelio.jobs import services
from vocelio.jobs.services import Run
from vocelio.organizations.scope import organization_scope


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the code may catch it."""


def fill(bench):
    for number in range(7):
        bench.server.add(first=f"R{number}", mail=f"r{number}@example.test")
        bench.contact(firstName=f"L{number}", email=f"l{number}@example.test", phone=phone_number())


def state(bench):
    ours = sorted((each.first_name, each.email) for each in bench.contacts())
    theirs = sorted((each.values["first"], each.values["mail"]) for each in bench.server.records.values())
    return ours, theirs


EXPECTED = sorted((f"{side}{n}", f"{side.lower()}{n}@example.test") for side in "LR" for n in range(7))


def revive(bench, run_id):
    """Let the dead worker's lease run out and another worker take over."""
    with organization_scope(bench.person.organization.id):
        CrmSyncRun.objects.filter(pk=run_id).update(lease_until=None)
    run_jobs(bench.person.organization)


def kill_at(monkeypatch, moments):
    """Die at the n-th moment of a run: before a step commits, after it has, before a call and after it."""
    counter = iter(moments)

    def moment():
        if next(counter, None) == "die":
            raise Killed

    original_commit = services.Step.commit
    original_push, original_changes = Memory.push, Memory.changes

    def commit(self):
        moment()
        original_commit(self)

    def push(self, *args, **kwargs):
        moment()
        results = original_push(self, *args, **kwargs)
        moment()
        return results

    def changes(self, *args, **kwargs):
        page = original_changes(self, *args, **kwargs)
        moment()
        return page

    monkeypatch.setattr(services.Step, "commit", commit)
    monkeypatch.setattr(Memory, "push", push)
    monkeypatch.setattr(Memory, "changes", changes)


@pytest.mark.parametrize("at", range(0, 19, 3))
def test_a_run_killed_at_any_step_is_finished_without_a_duplicate_or_a_loss(bench, monkeypatch, at):
    fill(bench)
    with monkeypatch.context() as patches:
        kill_at(patches, ["live"] * at + ["die"])
        answer = bench.person.post(f"{bench.path}/sync", {})
        with pytest.raises(Killed):
            run_jobs(bench.person.organization)
    revive(bench, answer.data["syncJobId"])
    run = bench.run(answer.data["syncJobId"])
    assert run["status"] == "success"
    assert state(bench) == (EXPECTED, EXPECTED)
    assert (run["contactsAdded"], run["contactsProcessed"]) == (14, 14)
    assert [link.state for link in bench.links()] == ["linked"] * 14
    bench.sync(fullSync=True)
    assert state(bench) == (EXPECTED, EXPECTED)


def test_a_run_killed_again_and_again_still_comes_to_the_same_end(bench, monkeypatch):
    fill(bench)
    answer = bench.person.post(f"{bench.path}/sync", {})
    deaths = 0
    for _ in range(40):
        with monkeypatch.context() as patches:
            kill_at(patches, ["live"] * 3 + ["die"])
            try:
                revive(bench, answer.data["syncJobId"])
            except Killed:
                deaths += 1
                continue
        break
    assert deaths > 3
    assert bench.run(answer.data["syncJobId"])["status"] == "success"
    assert state(bench) == (EXPECTED, EXPECTED)


@pytest.mark.parametrize("operation", [Operation.CREATE, Operation.UPDATE])
def test_a_write_whose_answer_was_lost_is_not_made_twice(bench, operation):
    contact_id = bench.contact(firstName="Ada", email="a@example.test")
    if operation == Operation.UPDATE:
        bench.sync()
        bench.edit(contact_id, firstName="Augusta")
    lost = []

    def lose_once(kind, items):
        if not lost:
            lost.append(kind)
            lose_answer(kind, items)

    bench.server.after_write = lose_once
    run = bench.sync()
    assert (run["status"], lost) == ("success", [operation])
    assert len(bench.server.records) == 1
    assert len(bench.contacts()) == 1
    assert bench.sync()["contactsProcessed"] == bench.sync()["contactsSkipped"]


def test_a_worker_thought_dead_changes_nothing_more(bench, monkeypatch):
    fill(bench)
    answer = bench.person.post(f"{bench.path}/sync", {})
    original = Run.step
    taken = []

    def step(self):
        if len(taken) == 4:
            taken.append("over")
            with organization_scope(self.job.organization_id):
                CrmSyncRun.objects.filter(pk=self.job.pk).update(lease_until=None)
            with monkeypatch.context() as patches:
                patches.setattr(Run, "step", original)
                run_jobs(bench.person.organization)
        elif len(taken) < 4:
            taken.append("step")
        return original(self)

    monkeypatch.setattr(Run, "step", step)
    run_jobs(bench.person.organization)
    monkeypatch.setattr(Run, "step", original)
    run = bench.run(answer.data["syncJobId"])
    assert (run["status"], run["contactsAdded"]) == ("success", 14)
    assert state(bench) == (EXPECTED, EXPECTED)
