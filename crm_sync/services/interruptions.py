"""What keeps a run from going on: a pause, after which it goes on where it stands, or its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone

from crm_sync.models import CrmIntegration, CrmSyncRun
from crm_sync.providers.failures import AuthExpired, QuotaReached
from crm_sync.services.journal import MassChange
from vocelio.errors import VocelioError
from vocelio.jobs.services import JobParked, Run
from vocelio.plugins import PluginError

# After a passing failure the run waits so long, twice as long each time, and gives up after so many pauses in a row.
FIRST_PAUSE = timedelta(minutes=1)
MOST_PAUSES = 6


class SyncFailed(VocelioError):
    """The CRM, or the connection to it, keeps the run from going on."""

    code = "SYNC_FAILED"
    status = 502


@contextmanager
def interruptions(run: Run[CrmSyncRun]) -> Iterator[None]:
    """Turn what the CRM does to us into a pause or into the run's end."""
    try:
        yield
    except MassChange:
        with run.step() as step:
            CrmIntegration.objects.filter(pk=step.job.integration_id).update(needs_confirmation=True)
        raise
    except QuotaReached as error:
        raise _pause(run, error.resets_at or timezone.now() + FIRST_PAUSE) from None
    except AuthExpired as error:
        raise _failed(error) from None
    except PluginError as error:
        if error.permanent or run.job.pauses >= MOST_PAUSES:
            raise _failed(error) from None
        wait = FIRST_PAUSE * 2**run.job.pauses
        if error.retry_after is not None:
            wait = max(timedelta(seconds=error.retry_after), timedelta(seconds=1))
        raise _pause(run, timezone.now() + wait, counts=True) from None


def _failed(error: PluginError) -> SyncFailed:
    failure = SyncFailed(str(error))
    failure.code = error.code or SyncFailed.code
    return failure


def _pause(run: Run[CrmSyncRun], until: datetime, *, counts: bool = False) -> JobParked:
    with run.step() as step:
        step.set(parked_until=until, pauses=step.job.pauses + 1 if counts else step.job.pauses)
    return JobParked(until)
