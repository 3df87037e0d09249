"""The Celery application: `celery -A vocelio worker`, `celery -A vocelio beat`."""

import os
import time
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, task_postrun, task_prerun, worker_init, worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vocelio.settings")

app = Celery("vocelio")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_like_django(**kwargs: Any) -> None:
    """Keep Celery from replacing the JSON logging that settings.py configures."""


@worker_init.connect
@beat_init.connect
def refuse_unsafe_role(**kwargs: Any) -> None:
    from vocelio.db.checks import refuse_unsafe_role as refuse

    refuse()


@worker_ready.connect
@beat_init.connect
def answer_prometheus(**kwargs: Any) -> None:
    from vocelio.health.exposition import serve_metrics

    serve_metrics()


@task_prerun.connect
def note_begin(task: Any, **kwargs: Any) -> None:
    task.request.began = time.perf_counter()


@task_postrun.connect
def note_end(task: Any, state: str | None = None, retval: Any = None, **kwargs: Any) -> None:
    from vocelio.health.metrics import TASKS

    # What a task lists in `throws` is no fault: another worker had the job, or a person was told why not.
    outcome = "expected" if isinstance(retval, tuple(task.throws)) else (state or "unknown").lower()
    TASKS.labels(task.name, outcome).observe(time.perf_counter() - task.request.began)
