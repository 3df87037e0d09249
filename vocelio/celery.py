"""The Celery application: `celery -A vocelio worker`, `celery -A vocelio beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init

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
