"""Jobs as rows: claimed by one worker at a time, resumed from the last step, cancelled, swept. Import stands for all."""

import threading

import pytest
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.utils import timezone

from contacts.models import ContactImport
from tests.factories import make_organization, wait_until
from vocelio.audit.models import AuditEntry
from vocelio.errors import Invalid
from vocelio.jobs import services
from vocelio.jobs.models import Doorbell
from vocelio.jobs.services import (
    JobNotClaimed,
    JobSuperseded,
    cancel_job,
    enqueue_job,
    running,
    sweep_jobs,
)
from vocelio.organizations.scope import organization_scope


@pytest.fixture
def rings(monkeypatch):
    """Return the job ids whose bell was rung, instead of sending messages."""
    rung = []
    monkeypatch.setattr(services, "ring", lambda organization_id, job_id, task: rung.append(job_id))
    return rung


@pytest.fixture
def job(rings):
    with organization_scope(make_organization().id):
        job = ContactImport(filename="x.csv", file="x.csv", file_size=1)
        job.save()
        enqueue_job(job)
    return job


def fresh(job):
    with organization_scope(job.organization_id):
        return ContactImport.objects.get(pk=job.pk)


def lose_lease(job):
    """Let the time pass after which a silent worker has lost its job."""
    with organization_scope(job.organization_id):
        ContactImport.objects.filter(pk=job.pk).update(lease_until=Now() - services.LEASE)
    Doorbell.objects.filter(pk=job.pk).update(due_at=Now())


def test_the_bell_rings_after_the_commit_and_never_for_a_rolled_back_job(rings):
    organization = make_organization()
    with pytest.raises(ZeroDivisionError), organization_scope(organization.id):  # noqa: PT012 - raised in the midst
        enqueue_job(ContactImport.objects.create(filename="x", file="x", file_size=1))
        raise ZeroDivisionError
    assert rings == []
    with organization_scope(organization.id):
        kept = ContactImport.objects.create(filename="x", file="x", file_size=1)
        enqueue_job(kept)
        assert rings == []
    assert rings == [kept.id]


def test_a_run_completes_once_and_silences_its_bell(job):
    with running(job) as run, run.step() as step:
        step.advance(3, total_rows=3)
    done = fresh(job)
    assert (done.status, done.progress, done.processed, done.total_rows) == ("completed", 100, 3, 3)
    assert not Doorbell.objects.filter(pk=job.pk).exists()
    with pytest.raises(JobNotClaimed), running(job):
        pass
    with organization_scope(job.organization_id):
        assert AuditEntry.objects.filter(action="import.completed").count() == 1


def test_a_second_delivery_does_nothing_while_the_first_runs(job):
    with running(job) as run:
        with pytest.raises(JobNotClaimed), running(job):
            pass
        with run.step() as step:
            step.advance(1)
    assert (fresh(job).epoch, fresh(job).processed) == (1, 1)


def test_a_dead_workers_job_is_rung_again_and_goes_on_from_its_checkpoint(job, rings):
    with pytest.raises(OperationalError), running(job) as run:  # noqa: PT012 - raised in the midst
        with run.step() as step:
            step.advance(2, checkpoint={"row": 2})
        with run.step() as step:
            step.advance(2, checkpoint={"row": 4})
            raise OperationalError
    assert (fresh(job).status, fresh(job).checkpoint, fresh(job).processed) == ("processing", {"row": 2}, 2)
    rings.clear()
    lose_lease(job)
    sweep_jobs()
    assert rings.count(job.id) == 1
    with running(job) as run:
        assert (run.job.checkpoint, run.job.epoch, run.job.attempt) == ({"row": 2}, 2, 1)
        with run.step() as step:
            step.advance(2, checkpoint={"row": 4})
    assert (fresh(job).status, fresh(job).processed) == ("completed", 4)


def test_a_worker_thought_dead_changes_nothing(job):
    with pytest.raises(JobSuperseded), running(job) as zombie:  # noqa: PT012 - raised in the midst
        lose_lease(job)
        with running(job) as run, run.step() as step:
            step.advance(1, checkpoint={"row": 1})
        with zombie.step() as step:
            step.advance(9, checkpoint={"row": 9})
    assert (fresh(job).status, fresh(job).processed, fresh(job).checkpoint) == ("completed", 1, {"row": 1})


def test_the_heartbeat_prolongs_the_lease_during_a_long_step(job, monkeypatch):
    monkeypatch.setattr(services, "HEARTBEAT_SECONDS", 0.01)
    with running(job) as run:
        lose_lease(job)
        wait_until(lambda: fresh(job).lease_until > timezone.now())
        with pytest.raises(JobNotClaimed), running(job):
            pass
        assert run.job.epoch == 1


def test_the_heartbeat_of_a_lost_claim_does_not_revive_it(job, monkeypatch):
    monkeypatch.setattr(services, "HEARTBEAT_SECONDS", 0.01)
    with pytest.raises(JobSuperseded), running(job) as zombie:  # noqa: PT012 - raised in the midst
        with organization_scope(job.organization_id):
            ContactImport.objects.filter(pk=job.pk).update(epoch=7, lease_until=None)
        wait_until(lambda: not any(thread.name == f"heartbeat-{job.pk}" for thread in threading.enumerate()))
        with zombie.step():
            pass
    assert fresh(job).lease_until is None


def test_an_expected_failure_is_told_an_unexpected_one_is_not(job):
    with pytest.raises(Invalid), running(job):
        raise Invalid("The file is odd.")
    assert (fresh(job).status, fresh(job).error_code, fresh(job).error_message) == (
        "failed",
        "VALIDATION_ERROR",
        "The file is odd.",
    )


def test_an_unexpected_failure_keeps_its_details_to_the_log(job):
    with pytest.raises(ZeroDivisionError), running(job):
        raise ZeroDivisionError("secret")
    assert fresh(job).error_code == "INTERNAL_ERROR"
    assert "secret" not in fresh(job).error_message


def test_a_job_that_keeps_killing_workers_is_given_up(job):
    with organization_scope(job.organization_id):
        ContactImport.objects.filter(pk=job.pk).update(attempt=services.MAX_ATTEMPTS)
    with pytest.raises(JobNotClaimed), running(job):
        pass
    assert (fresh(job).status, fresh(job).error_code) == ("failed", "GAVE_UP")
    assert not Doorbell.objects.filter(pk=job.pk).exists()


def test_a_cancelled_job_whose_worker_died_does_no_further_step(job):
    with pytest.raises(OperationalError), running(job) as run:  # noqa: PT012 - raised in the midst
        with run.step() as step:
            step.advance(1)
        raise OperationalError
    with organization_scope(job.organization_id):
        cancel_job(job)
    lose_lease(job)
    with running(job) as run, run.step() as step:
        step.advance(1)
    assert (fresh(job).status, fresh(job).processed) == ("cancelled", 1)


def test_two_sweepers_share_the_bells(job, rings):
    lose_lease(job)
    rings.clear()
    gate = threading.Barrier(2)

    def sweep():
        gate.wait()
        sweep_jobs()
        connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rings.count(job.id) == 1
